//! The hot paths of the store: putting, filtering by columns and by text, and
//! a window merged over streams. `bench/logs/run` has the whole picture beside
//! other programs; this is for looking at a change.
//!
//! ```text
//! cargo bench -p weir-logs --bench paths
//! ```

#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first error")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::Duration;
use weir_logs::{CreateLogGroup, FilterLogEvents, InputLogEvent, PutLogEvents, Scope, Store};
use weir_types::time::UnixMillis;

const NOW: UnixMillis = UnixMillis(1_793_534_400_000);
const STREAMS: usize = 200;
const EVENTS: usize = 200_000;

fn scope() -> Scope {
    Scope::new("123456789012", "us-east-1")
}

/// A default-format record; its time is `i` tenths of a second before now, turned round.
fn event(i: usize) -> InputLogEvent {
    let at = NOW.0 - (EVENTS - i) as i64 * 100;
    let mixed = i.wrapping_mul(2_654_435_761) >> 7;
    let message = format!(
        "2 123456789012 eni-{:017x} 10.{}.{}.{} 172.31.{}.{} {} {} 6 {} {} {} {} {} OK",
        i % STREAMS,
        mixed % 4,
        mixed % 251,
        mixed % 253,
        i % 16,
        i % STREAMS,
        1024 + mixed % 60_000,
        [22, 80, 443, 5432][mixed % 4],
        1 + mixed % 90,
        40 + mixed % 150_000,
        at / 1000,
        at / 1000 + 59,
        if mixed.is_multiple_of(11) { "REJECT" } else { "ACCEPT" },
    );
    InputLogEvent { timestamp: UnixMillis(at), message }
}

fn create(store: &Store) {
    store.create_log_group(&scope(), CreateLogGroup { name: "g".into(), ..Default::default() }, NOW).unwrap();
    for stream in 0..STREAMS {
        store.create_log_stream(&scope(), "g", &stream.to_string(), NOW).unwrap();
    }
}

/// A thousand events of one stream, from the `batch`th on.
fn batch(batch: usize) -> PutLogEvents {
    let (stream, round) = (batch % STREAMS, batch / STREAMS);
    let events = (0..1000).map(|i| event((round * 1000 + i) * STREAMS % EVENTS + stream)).collect();
    PutLogEvents { group: "g".into(), stream: stream.to_string(), events, sequence_token: None }
}

fn put(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("put");
    group.throughput(Throughput::Elements(1000)).sample_size(20);
    // What is put stays in memory.
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(1));
    let store = Store::in_memory();
    create(&store);
    let request = batch(0);
    group.bench_function("a batch of 1,000 in memory", |bench| {
        bench.iter(|| store.put_log_events(&scope(), black_box(&request), NOW).unwrap());
    });
    group.finish();
}

fn read(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    create(&store);
    for i in 0..EVENTS / 1000 {
        store.put_log_events(&scope(), &batch(i), NOW).unwrap();
    }
    store.flush().unwrap();
    let mut group = criterion.benchmark_group("read");
    group.throughput(Throughput::Elements(EVENTS as u64)).sample_size(20);
    for (name, pattern) in [
        ("two columns", Some("[..., dstport=22, p, k, b, s, e, action=REJECT, status]")),
        ("a number", Some("[..., bytes>140000, start, end, action, status]")),
        ("a text", Some("172.31.3.77")),
        ("a window of 200 streams", None),
    ] {
        let first = FilterLogEvents {
            group: "g".into(),
            filter_pattern: pattern.map(Into::into),
            ..Default::default()
        };
        group.bench_function(name, |bench| {
            bench.iter(|| {
                let (mut request, mut bytes) = (first.clone(), 0);
                loop {
                    let each = |event: weir_logs::FoundLogEvent<'_>| bytes += event.message.len();
                    request.next_token =
                        store.each_filtered_log_event(&scope(), &request, NOW, each).unwrap();
                    if request.next_token.is_none() {
                        break black_box(bytes);
                    }
                }
            });
        });
    }
    group.finish();
}

criterion_group!(paths, put, read);
criterion_main!(paths);
