//! Blocks to record batches.

use super::format::Framing;
use super::source::{Block, Opened};
use arrow_array::RecordBatch;
use std::sync::Arc;
use weir_flow::columns::{Counts, Malformed, Reader, schema};
use weir_flow::field::Field;
use weir_flow::format::LogFormat;

/// A worker's reader, kept from block to block of one input.
#[derive(Default)]
pub struct Decoder {
    current: Option<Current>,
    /// The records of lines that have more than a record.
    records: Vec<u8>,
}

struct Current {
    opened: Arc<Opened>,
    reader: Reader,
    /// What the reader has counted before the block.
    lines: u64,
    offset: u64,
}

/// What a block became.
pub struct Decoded {
    pub batch: RecordBatch,
    pub counts: Counts,
    /// With lines and offsets counted from the beginning of the block: only the
    /// input's first block begins at line 1.
    pub malformed: Vec<Malformed>,
}

impl Decoder {
    /// The batch of `fields` of a block. Rows of Parquet files have their
    /// columns already.
    pub fn decode(&mut self, opened: &Arc<Opened>, block: &Block, fields: &[Field]) -> Decoded {
        let (text, found) = match (block, &opened.text) {
            (Block::Batch(batch), _) => return Self::rows(batch),
            (_, None) => return Self::rows(&RecordBatch::new_empty(schema(fields))),
            (block, Some(found)) => (block.text(), found),
        };
        let Self { current, records } = self;
        let text = if found.framing == Framing::None {
            text
        } else {
            found.framing.strip(text, records);
            records
        };
        let current = match current {
            Some(current) if Arc::ptr_eq(&current.opened, opened) => current,
            stale => stale.insert(Current {
                opened: Arc::clone(opened),
                reader: Reader::new(found.format.clone(), fields),
                lines: 0,
                offset: 0,
            }),
        };
        let mut block = current.reader.push_block(text);
        for malformed in &mut block.malformed {
            malformed.fault.line -= current.lines;
            malformed.offset -= current.offset;
        }
        current.lines += block.counts.lines;
        current.offset += text.len() as u64;
        Decoded { batch: block.batch, counts: block.counts, malformed: block.malformed }
    }

    /// The records of a block before its first malformed line.
    pub fn until_malformed(
        &mut self,
        opened: &Arc<Opened>,
        block: &Block,
        fields: &[Field],
        first: &Malformed,
    ) -> RecordBatch {
        let is_framed = opened.text.as_ref().is_some_and(|found| found.framing != Framing::None);
        let text = if is_framed { &self.records } else { block.text() };
        let before = usize::try_from(first.offset).ok().and_then(|end| text.get(..end)).unwrap_or_default();
        let format = opened.text.as_ref().map_or_else(LogFormat::default, |found| found.format.clone());
        Reader::new(format, fields).push_block(before).batch
    }

    fn rows(batch: &RecordBatch) -> Decoded {
        let records = batch.num_rows() as u64;
        let status = batch.column_by_name(Field::LogStatus.column());
        let count = |word| status.map_or(0, |status| super::columns::count_text(status, word));
        let counts = Counts {
            lines: records,
            records,
            no_data: count("NODATA"),
            skip_data: count("SKIPDATA"),
            ..Counts::default()
        };
        Decoded { batch: batch.clone(), counts, malformed: Vec::new() }
    }
}
