//! Text to columns, and what it is compared with. CPU time of the process, so
//! that a busy machine does not blur it.
//!
//! `cargo bench -p weir-flow --features columns`

#![allow(clippy::expect_used)] // As in tests.

mod cpu;
mod data;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use weir_flow::columns::{BlockReader, Reader};
use weir_flow::field::Field;
use weir_flow::format::LogFormat;
use weir_flow::render::{self, Extras};
use weir_flow::text::parse_values;

/// Reads all lines as `weir parse` does; gives the number of records.
fn read(format: &LogFormat, projection: &[Field], text: &str) -> u64 {
    let mut blocks = BlockReader::new(text.as_bytes());
    let mut reader = Reader::new(format.clone(), projection);
    let mut records = 0;
    while let Some(block) = blocks.next_block().expect("lines") {
        records += black_box(reader.push_block(block)).counts.records;
    }
    records
}

/// One line after the other, each value typed.
fn read_rows(format: &LogFormat, text: &str) -> u64 {
    let mut values = Vec::new();
    let mut records = 0;
    for line in text.lines() {
        records += u64::from(parse_values(format, 1, line, &mut values).is_ok());
        black_box(values.len());
    }
    records
}

fn benches(criterion: &mut Criterion<cpu::CpuTime>) {
    for (name, is_v5, count) in [("default format", false, 300_000), ("29 fields", true, 150_000)] {
        let (format, text) = data::lines(count, is_v5);
        assert_eq!(read(&format, format.fields(), &text), count as u64);
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::BytesDecimal(text.len() as u64));
        group.bench_function("all columns", |b| b.iter(|| read(&format, format.fields(), &text)));
        let three = [Field::SrcAddr, Field::Bytes, Field::Action];
        group.bench_function("three columns", |b| b.iter(|| read(&format, &three, &text)));
        group.bench_function("no column", |b| b.iter(|| read(&format, &[], &text)));
        for column in
            [Field::Bytes, Field::Start, Field::SrcPort, Field::AccountId, Field::InterfaceId, Field::SrcAddr]
        {
            group.bench_function(column.name(), |b| b.iter(|| read(&format, &[column], &text)));
        }
        group.bench_function("rows", |b| b.iter(|| read_rows(&format, &text)));
        group.bench_function("newlines", |b| {
            b.iter(|| memchr::memchr_iter(b'\n', text.as_bytes()).count());
        });
        group.finish();
    }

    let (format, text) = data::lines(8_000, false);
    let batch = Reader::new(format.clone(), format.fields()).push_block(text.as_bytes()).batch;
    let mut group = criterion.benchmark_group("render");
    group.throughput(Throughput::BytesDecimal(text.len() as u64));
    let mut out = Vec::with_capacity(8 << 20);
    group.bench_function("text", |b| {
        b.iter(|| {
            out.clear();
            render::text(&batch, &format, &mut out)
        });
    });
    group.bench_function("json", |b| {
        b.iter(|| {
            out.clear();
            render::json(&batch, Extras::ALL, &mut out)
        });
    });
    group.bench_function("csv", |b| {
        b.iter(|| {
            out.clear();
            render::csv(&batch, Extras::NONE, &mut out)
        });
    });
    group.finish();
}

criterion_group! {
    name = all;
    config = Criterion::default().with_measurement(cpu::CpuTime).sample_size(20);
    targets = benches
}
criterion_main!(all);
