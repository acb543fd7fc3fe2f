//! Parquet codec: record batches to files as AWS writes them, and any flow log
//! file in Parquet, AWS's own included, to record batches.
//!
//! A file of ours: one OPTIONAL column a field, named with underscores, INT32,
//! INT64 or BYTE_ARRAY (STRING) as the field table says, GZIP inside, with
//! statistics of each column chunk and page.
//!
//! Not for: Hive partitions (they are in the file's path, not in the file).
//!
//! Source: VPC user guide, "Publish flow logs to Amazon S3" and "Flow log records".
//!
//! ```
//! use weir_flow::columns;
//! use weir_flow::field::Field;
//! use weir_flow::format::LogFormat;
//! use weir_flow::parquet::{Compression, Reader, Writer, WriterOptions};
//! use weir_flow::render;
//!
//! let format = LogFormat::parse("${srcaddr} ${bytes} ${action}")?;
//! let mut lines = columns::Reader::new(format.clone(), format.fields());
//! let batch = lines.push_block(b"10.0.0.1 4249 ACCEPT
//! 10.0.0.2 40 REJECT
//! ").batch;
//!
//! let options = WriterOptions { compression: Compression::Zstd, ..WriterOptions::default() };
//! let mut writer = Writer::new(Vec::new(), format.fields(), options)?;
//! writer.write(&batch)?;
//! let file = writer.finish()?;
//!
//! // Two columns of them, and one that the file does not have.
//! let path = std::env::temp_dir().join(format!("weir-flow-{}.parquet", std::process::id()));
//! std::fs::write(&path, file)?;
//! let fields = [Field::Action, Field::Bytes, Field::VpcId];
//! let mut text = Vec::new();
//! for batch in Reader::new(std::fs::File::open(&path)?, Some(&fields))? {
//!     render::text(&batch?, &LogFormat::new(&fields)?, &mut text)?;
//! }
//! std::fs::remove_file(&path)?;
//! assert_eq!(text, b"ACCEPT 4249 -
//! REJECT 40 -
//! ");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod conform;
mod read;
mod write;

pub use read::Reader;
pub use write::{Compression, Writer, WriterOptions};

use crate::field::Field;
use arrow_schema::DataType;
use parquet::errors::ParquetError;

/// What can go wrong with a Parquet file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the Parquet file cannot be read")]
    Read(#[source] ParquetError),
    #[error("the Parquet file cannot be written")]
    Write(#[source] ParquetError),
    /// No column of the file has the name of a field.
    #[error("the Parquet file has no column of a flow log: it has {found}")]
    NotAFlowLog { found: String },
    /// The file has `column` with a type that holds no such values.
    #[error("column {} of the Parquet file has the type {found}, not {expected}", .field.column())]
    ColumnType { field: Field, expected: DataType, found: DataType },
    /// A number that the field's type does not hold, or a text that is no number.
    #[error("row {row} of the Parquet file: {} cannot be {value}", .field.column())]
    Value { field: Field, row: u64, value: String },
    #[error("the batch to write does not have the columns of the Parquet file")]
    OtherColumns,
}

#[cfg(test)]
mod tests;
