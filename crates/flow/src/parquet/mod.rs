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
