//! From records to the bytes of an object.
//!
//! Text: a header line, the records, gzip. Parquet: GZIP inside, one column a
//! field. The same records always give the same object under the same key.
//!
//! Source: VPC user guide, "Flow log files".

use super::layout::{Layout, slot_s};
use crate::spool::{Header, SpoolFile};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use std::io::Write;
use weir_flow::columns::Reader;
use weir_flow::format::LogFormat;
use weir_flow::parquet::{Writer, WriterOptions};
use weir_types::flow_log::FileFormat;

/// Text of one object before compression: so no object is larger than 75 MB.
/// Source: VPC user guide, "Flow log files", of 2018 to 2022.
pub(super) const MAX_TEXT_BYTES: usize = 75_000_000;

/// One object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    pub key: String,
    pub body: Vec<u8>,
}

/// Why records cannot become an object.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    #[error("the records' format is not known: {0}")]
    Format(String),
    #[error("the records cannot be compressed")]
    Gzip(#[source] std::io::Error),
    #[error("the records cannot be written as Parquet")]
    Parquet(#[source] weir_flow::parquet::Error),
}

/// The lines of each object of a file, in order.
pub(super) fn texts(file: &SpoolFile, max_bytes: usize) -> Vec<Vec<u8>> {
    let mut texts = vec![Vec::new()];
    for event in file.streams.iter().flat_map(|stream| &stream.events) {
        let size = event.message.len() + 1;
        if texts.last().is_none_or(|text| !text.is_empty() && text.len() + size > max_bytes) {
            texts.push(Vec::new());
        }
        if let Some(text) = texts.last_mut() {
            text.extend_from_slice(event.message.as_bytes());
            text.push(b'\n');
        }
    }
    texts.retain(|text| !text.is_empty());
    texts
}

/// The object of these lines; `number` tells the objects of one file apart.
pub(super) fn object(
    layout: Layout<'_>,
    header: &Header,
    number: usize,
    text: &[u8],
) -> Result<Object, Failed> {
    let format = header.log_format.as_deref().unwrap_or(LogFormat::DEFAULT);
    let format = LogFormat::parse(format).map_err(|error| Failed::Format(error.to_string()))?;
    let mut hash = Sha256::new();
    let slot = slot_s(header.window_end_s);
    hash.update(format!("{} {slot} {:016x} {number}\n", header.flow_log, header.part));
    hash.update(text);
    let hash: String = hash.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let body = match layout.file_format {
        FileFormat::PlainText => {
            let mut out = GzEncoder::new(Vec::new(), Compression::default());
            let written = out.write_all(format!("{}\n", format.header()).as_bytes());
            written.and_then(|()| out.write_all(text)).and_then(|()| out.finish()).map_err(Failed::Gzip)?
        }
        FileFormat::Parquet => parquet(&format, text).map_err(Failed::Parquet)?,
    };
    Ok(Object { key: layout.key(header, &hash), body })
}

fn parquet(format: &LogFormat, text: &[u8]) -> Result<Vec<u8>, weir_flow::parquet::Error> {
    let mut lines = Reader::new(format.clone(), format.fields());
    let mut out = Writer::new(Vec::new(), format.fields(), WriterOptions::default())?;
    // Blocks of whole lines, so that not all columns of all lines are in memory.
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.len().min(BLOCK_BYTES);
        let end = rest
            .get(end..)
            .and_then(|tail| tail.iter().position(|&b| b == b'\n'))
            .map_or(rest.len(), |at| end + at + 1);
        let (block, tail) = rest.split_at(end.min(rest.len()));
        let block = lines.push_block(block);
        if let Some(malformed) = block.malformed.first() {
            tracing::error!(lines = block.counts.malformed, first = %malformed, "records of no known form are left out");
        }
        out.write(&block.batch)?;
        rest = tail;
    }
    out.finish()
}

const BLOCK_BYTES: usize = 4 << 20;
