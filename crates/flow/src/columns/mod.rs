//! Columnar codec: blocks of text to Arrow record batches, only the columns
//! that are asked for.
//!
//! ```text
//! bytes ─ BlockReader ─▶ block of whole lines ─ Reader ─▶ RecordBatch
//!                                                    └──▶ malformed lines, counts
//! ```
//!
//! Types are those of the field table: `Int32`, `Int64`, `Utf8`, every column
//! nullable and named with underscores; `-` is null. NODATA and SKIPDATA lines
//! are rows like others. A field that the format does not have is a column of
//! nulls, so that files of different formats give batches of one schema.
//!
//! What is malformed and why is exactly what [`text::parse_line`] says, with one
//! difference: only the values of projected fields are looked at (and that the
//! line has as many values as the format has fields). Project all of
//! [`LogFormat::fields`] to check all.
//!
//! Not for: finding out which format a file has, decompression, files.
//!
//! A file, read in blocks; malformed lines are set aside and the reading goes on.
//!
//! ```
//! use weir_flow::columns::{BlockReader, Counts, Reader};
//! use weir_flow::field::Field;
//! use weir_flow::format::LogFormat;
//! use weir_flow::render::{self, Extras};
//!
//! let file = "version srcaddr dstport protocol bytes start action log-status
//! 2 10.0.0.1 443 6 4249 1418530010 ACCEPT OK
//! 2 10.0.0.1 443 6 many 1418530010 ACCEPT OK
//! 2 - - - - 1418530010 - NODATA
//! ";
//! let (header, _) = file.split_once('\n').ok_or("a file without a header")?;
//! let format = LogFormat::from_header(header)?;
//!
//! // Header lines are passed over, so that the file can be read from its beginning.
//! let mut reader = Reader::new(format, &[Field::SrcAddr, Field::Protocol, Field::Bytes, Field::Start]);
//! let mut blocks = BlockReader::new(file.as_bytes());
//! let (mut json, mut counts) = (Vec::new(), Counts::default());
//! while let Some(block) = blocks.next_block()? {
//!     let block = reader.push_block(block);
//!     render::json(&block.batch, Extras { protocol_name: true, start_utc: true, ..Extras::NONE }, &mut json)?;
//!     for malformed in &block.malformed {
//!         assert_eq!(malformed.to_string(), "line 3, column 18, field bytes: 'many' is not a whole number");
//!     }
//!     counts += block.counts;
//! }
//! assert_eq!((counts.records, counts.no_data, counts.malformed), (2, 1, 1));
//! assert_eq!(
//!     String::from_utf8(json)?.lines().next(),
//!     Some(
//!         "{\"srcaddr\":\"10.0.0.1\",\"protocol\":6,\"protocol_name\":\"TCP\",\"bytes\":4249,\
//!          \"start\":1418530010,\"start_utc\":\"2014-12-14 04:06:50\"}"
//!     )
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`text::parse_line`]: crate::text::parse_line

mod address;
mod bits;
mod column;
mod decode;
mod explain;
mod input;
mod lines;
mod number;
mod pool;
mod select;
mod split;

pub use input::BlockReader;
pub use select::Selection;

use crate::field::{Field, ParquetType};
use crate::format::LogFormat;
use crate::text::MalformedLine;
use arrow_array::RecordBatch;
use arrow_schema::{DataType, Schema, SchemaRef};
use std::fmt;
use std::ops::AddAssign;
use std::sync::Arc;

/// The schema of batches with these columns, in this order.
pub fn schema(fields: &[Field]) -> SchemaRef {
    let column = |field: &Field| arrow_schema::Field::new(field.column(), data_type(*field), true);
    Arc::new(Schema::new(fields.iter().map(column).collect::<Vec<_>>()))
}

/// The Arrow type of a field's column.
pub fn data_type(field: Field) -> DataType {
    match field.parquet_type() {
        ParquetType::Int32 => DataType::Int32,
        ParquetType::Int64 => DataType::Int64,
        ParquetType::String => DataType::Utf8,
    }
}

/// What came out of one block.
#[derive(Debug, Clone)]
pub struct Block {
    /// One row a record, in the order of the lines. May have no rows.
    pub batch: RecordBatch,
    /// The first [`Reader::MALFORMED_KEPT`] malformed lines of the block.
    pub malformed: Vec<Malformed>,
    pub counts: Counts,
}

/// How many lines of each sort were read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// All of them: records, malformed lines and headers.
    pub lines: u64,
    /// Rows of the batches, NODATA and SKIPDATA included.
    pub records: u64,
    /// Records with log-status NODATA; 0 if the format has no log-status.
    pub no_data: u64,
    /// Records with log-status SKIPDATA; 0 if the format has no log-status.
    pub skip_data: u64,
    pub malformed: u64,
    /// Lines with the names of the format's fields: passed over wherever they
    /// stand, because text objects are often put one after the other.
    pub headers: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.lines += other.lines;
        self.records += other.records;
        self.no_data += other.no_data;
        self.skip_data += other.skip_data;
        self.malformed += other.malformed;
        self.headers += other.headers;
    }
}

/// A line that is no record, and where the input has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// Of the line's first byte, from the beginning of the input.
    pub offset: u64,
    /// `line` counts from 1 at the beginning of the input.
    pub fault: MalformedLine,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(f)
    }
}

/// Turns blocks of lines of one format into record batches.
pub struct Reader {
    format: LogFormat,
    schema: SchemaRef,
    lines: lines::Lines,
}

impl Reader {
    /// How many malformed lines a [`Block`] holds at most; others are only counted.
    pub const MALFORMED_KEPT: usize = 100;

    /// A reader of `projection`'s fields, in its order.
    pub fn new(format: LogFormat, projection: &[Field]) -> Self {
        Self { schema: schema(projection), lines: lines::Lines::new(&format, projection), format }
    }

    /// Says that the next block begins at this line (from 1) and byte offset
    /// (from 0) of the input: after a header line, or in the middle of a file.
    #[must_use]
    pub fn starting_at(mut self, line: u64, offset: u64) -> Self {
        self.lines.start(line, offset);
        self
    }

    /// Leaves out records that are not selected, before their values are read:
    /// they are counted as lines, and as nothing else. Several selections must
    /// all hold.
    #[must_use]
    pub fn only(mut self, selection: &Selection) -> Self {
        self.lines.only(&self.format, selection);
        self
    }

    pub fn format(&self) -> &LogFormat {
        &self.format
    }

    /// The schema of every batch.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The longest block: offsets into a column of texts are 32-bit.
    pub const MAX_BLOCK_BYTES: usize = 1 << 30;

    /// Reads a block of whole lines, as [`BlockReader`] gives them. Only the
    /// last line of the input may end without a newline.
    ///
    /// # Panics
    /// If the block is longer than [`Self::MAX_BLOCK_BYTES`].
    pub fn push_block(&mut self, block: &[u8]) -> Block {
        assert!(block.len() <= Self::MAX_BLOCK_BYTES, "a block of {} bytes", block.len());
        let (counts, malformed) = self.lines.read(&self.format, block);
        let rows = usize::try_from(counts.records).unwrap_or(usize::MAX);
        match self.lines.finish(&self.schema, rows) {
            Ok(batch) => Block { batch, malformed, counts },
            // Offsets rise, texts are UTF-8 and all columns have the same rows.
            Err(error) => unreachable!("columns that do not make a batch: {error}"),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
