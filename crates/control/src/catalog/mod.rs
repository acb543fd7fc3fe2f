//! The data catalog: databases, tables and partitions, as Glue keeps them and
//! Athena reads them.
//!
//! For: what is told of a table and its partitions. Not for: the data, and what
//! types and formats mean (`query`).
//!
//! Names are lower case, whatever they were given as. Every account and region
//! has the database `default`.
//!
//! Source: Glue API reference, "Catalog objects".

pub mod database;
pub mod describe;
pub mod partition;
pub mod table;

#[cfg(test)]
mod tests;

pub use database::Database;
pub use describe::{Column, DatabaseInput, PartitionInput, SerdeInfo, StorageDescriptor, TableInput};
pub use partition::Partition;
pub use table::Table;

use crate::error::{ControlError, Result};

/// Parts of an id: none of them contains the `/` that joins them.
fn id(parts: &[&str]) -> String {
    let escaped = parts.iter().map(|part| part.replace('%', "%25").replace('/', "%2F"));
    escaped.collect::<Vec<_>>().join("/")
}

fn not_found(message: impl Into<String>) -> ControlError {
    ControlError::fault("EntityNotFoundException", message)
}

fn exists(message: impl Into<String>) -> ControlError {
    ControlError::fault("AlreadyExistsException", message)
}

/// A name of a database, table or column in the form in which it is kept.
///
/// Errors: `InvalidInputException` for an empty one, and one of more than 255 characters.
pub fn name(given: &str) -> Result<String> {
    if given.is_empty() || given.chars().count() > 255 || given.contains(['\n', '\r', '\0']) {
        let message = format!("The name '{given}' must have 1 to 255 characters on one line.");
        return Err(ControlError::fault("InvalidInputException", message));
    }
    Ok(given.to_lowercase())
}
