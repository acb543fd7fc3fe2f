//! Record batches to bytes: lines of any format, JSON objects, CSV.
//!
//! Columns are those of [`columns`](crate::columns): `Int32`, `Int64` and
//! `Utf8`. JSON and CSV write the columns of the batch in its order, under
//! their names; what people would look up by hand stands beside them if
//! [`Extras`] ask for it.

mod csv;
mod json;
mod text;
mod value;

pub use csv::{csv, csv_header};
pub use json::json;
pub use text::text;

use arrow_schema::DataType;

/// Columns that say in words what a column beside them says in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extras {
    /// `protocol_name` after `protocol`: [`names::protocol`](crate::names::protocol).
    pub protocol_name: bool,
    /// `start_utc` after `start`: `2014-12-14 04:07:50`.
    pub start_utc: bool,
    /// `end_utc` after `end`.
    pub end_utc: bool,
    /// `tcp_flags_names` after `tcp_flags`: [`names::tcp_flags`](crate::names::tcp_flags).
    pub tcp_flags_names: bool,
}

impl Extras {
    pub const NONE: Self =
        Self { protocol_name: false, start_utc: false, end_utc: false, tcp_flags_names: false };
    pub const ALL: Self = Self { protocol_name: true, start_utc: true, end_utc: true, tcp_flags_names: true };
}

/// A column of a type that no flow log has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column} has the type {found}: only Int32, Int64 and Utf8 can be written")]
pub struct UnknownType {
    pub column: String,
    pub found: DataType,
}

#[cfg(test)]
mod tests;
