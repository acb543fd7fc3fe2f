//! Trino's SQL over the tables of a data catalog, as Athena runs it.
//!
//! ```text
//! text ─▶ dialect: Trino's words to DataFusion's ─▶ plan: tables of the catalog
//!      ─▶ table: partitions (projected or kept) ─▶ objects ─▶ rows ─▶ result: Athena's texts
//! ```
//!
//! For: SELECT and what has one in it. Not for: statements about the catalog
//! (`ddl` reads them, the binary does them), where objects and tables are kept
//! ([`Catalog`] gives them).
//!
//! Source: Athena user guide, "SQL reference for Athena"; Trino documentation,
//! "Functions and operators".

mod calls;
mod casts;
mod columnar;
mod dialect;
mod error;
mod fault;
mod hive_type;
mod information;
mod literals;
mod parquet;
mod partitions;
mod plan;
mod result;
mod rows;
mod table;
mod trino;
mod unnest;

#[cfg(test)]
pub(crate) mod testing;

#[cfg(test)]
mod tests;

pub use dialect::{check, with_parameters};
pub use error::QueryError;
pub use hive_type::{arrow_type, hive_type};
pub use plan::{Planned, Scanned, logical_plan, plan};
pub use result::{ResultColumn, column, text, trino_type, write_row};
pub use rows::SerdeFormat;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::PathBuf;

/// A table as the catalog tells of it. Names are lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableInfo {
    pub database: String,
    pub name: String,
    /// Names and types in Hive's words.
    pub columns: Vec<(String, String)>,
    pub keys: Vec<(String, String)>,
    /// `s3://bucket/folder/`
    pub location: String,
    /// The class that reads rows.
    pub serde: String,
    pub serde_parameters: BTreeMap<String, String>,
    pub input_format: String,
    pub parameters: BTreeMap<String, String>,
    /// The query of a view.
    pub view: Option<String>,
}

impl TableInfo {
    /// A parameter by its name in any case.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// A partition that the catalog keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionInfo {
    pub values: Vec<String>,
    pub location: String,
}

/// An object of a table: a file of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// `s3://bucket/key`
    pub name: String,
    pub path: PathBuf,
    pub bytes: u64,
}

/// Tables and objects, for one caller. Calls block.
pub trait Catalog: Debug + Send + Sync {
    /// Errors: the caller may not read it.
    fn table(&self, database: &str, name: &str) -> Result<Option<TableInfo>, QueryError>;

    /// Errors: the caller may not read it.
    fn has_database(&self, name: &str) -> Result<bool, QueryError>;

    /// Names of all databases.
    ///
    /// Errors: the caller may not read them.
    fn databases(&self) -> Result<Vec<String>, QueryError>;

    /// All tables of a database.
    ///
    /// Errors: the caller may not read them.
    fn tables(&self, database: &str) -> Result<Vec<TableInfo>, QueryError>;

    fn partitions(&self, table: &TableInfo) -> Result<Vec<PartitionInfo>, QueryError>;

    /// The objects whose names begin with `location`.
    ///
    /// Errors: the caller may not list or read them.
    fn objects(&self, location: &str) -> Result<Vec<StoredObject>, QueryError>;

    /// Now, in seconds since 1970: what `NOW` of a projection means.
    fn now(&self) -> i64;
}
