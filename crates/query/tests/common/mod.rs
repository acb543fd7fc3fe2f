//! Folders with flow logs, and queries over them.

#![allow(clippy::unwrap_used, dead_code)] // helpers of tests, each of which uses some

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use weir_flow::columns::Reader;
use weir_flow::format::LogFormat;
use weir_flow::parquet::{Writer, WriterOptions};
use weir_query::datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use weir_query::discover;
use weir_query::{Engine, EngineOptions, LocalFiles, Object, Tally};

/// How a text lies in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapping {
    Plain,
    Gzip,
    Zstd,
    Parquet,
}

/// Writes a text that begins with a header line.
pub fn write(path: &Path, wrapping: Wrapping, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let bytes = match wrapping {
        Wrapping::Plain => text.as_bytes().to_vec(),
        Wrapping::Gzip => {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            packed.write_all(text.as_bytes()).unwrap();
            packed.finish().unwrap()
        }
        Wrapping::Zstd => zstd::bulk::compress(text.as_bytes(), 1).unwrap(),
        Wrapping::Parquet => {
            let format = LogFormat::from_header(text.lines().next().unwrap()).unwrap();
            let batch = Reader::new(format.clone(), format.fields()).push_block(text.as_bytes()).batch;
            let mut writer = Writer::new(Vec::new(), format.fields(), WriterOptions::default()).unwrap();
            writer.write(&batch).unwrap();
            writer.finish().unwrap()
        }
    };
    fs::write(path, bytes).unwrap();
}

/// All files below a folder, as objects.
pub fn objects(folder: &Path) -> Vec<Object> {
    let mut found = Vec::new();
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    for path in names {
        if path.is_dir() {
            found.extend(objects(&path));
        } else {
            found.push(LocalFiles::object(&path).unwrap());
        }
    }
    found
}

/// What a query gives over a folder: lines of values, and what it cost.
pub fn query(folder: &Path, sql: &str) -> (Vec<String>, Arc<Tally>) {
    try_query(folder, sql).unwrap()
}

pub fn try_query(folder: &Path, sql: &str) -> Result<(Vec<String>, Arc<Tally>), String> {
    let tally = Arc::new(Tally::default());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let rows = runtime.block_on(async {
        let engine = Engine::new(&EngineOptions { partitions: 2, ..EngineOptions::default() }).unwrap();
        let session = engine.session();
        let table = discover::table(objects(folder), None, Arc::clone(&tally)).await.unwrap();
        session.register_table("flow_logs", Arc::new(table)).unwrap();
        let batches = session.sql(sql).await?.collect().await?;
        let options = FormatOptions::new().with_null("-");
        let mut rows = Vec::new();
        for batch in batches {
            let columns: Vec<_> = batch
                .columns()
                .iter()
                .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
                .collect();
            for row in 0..batch.num_rows() {
                let values: Vec<String> =
                    columns.iter().map(|column| column.value(row).to_string()).collect();
                rows.push(values.join(" "));
            }
        }
        Ok(rows)
    });
    rows.map(|rows| (rows, tally))
        .map_err(|error: weir_query::datafusion::error::DataFusionError| error.to_string())
}
