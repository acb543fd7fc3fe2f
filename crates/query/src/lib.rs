//! SQL over flow logs, and what is built on it. Fences DataFusion in.
//!
//! For: a session that reads flow-log text and Parquet as tables, SQL with
//! Trino's names, the Insights language, Hive DDL. Not for: AWS's wire
//! formats and permissions (`api`), where tables and queries are kept
//! (`control`).
//!
//! ```text
//! Source: bytes of objects ─┐
//! Listing: which objects ───┴▶ FlowTable: columns, pruning ─▶ text: files ▶ weir_flow::columns
//!                                   │                      └▶ Parquet: DataFusion's reader
//! Engine: sessions, memory, spill ──┴▶ DataFusion
//! ```

pub mod athena;
pub mod ddl;
pub mod discover;
pub mod engine;
pub mod files;
pub mod functions;
pub mod insights;
pub mod layout;
pub mod pool;
pub mod saved;
pub mod source;
pub mod table;
pub mod tally;

/// The engine under it, for those who build on sessions.
pub use datafusion;
pub use engine::{Engine, EngineOptions};
pub use source::{Kind, Listing, LocalFiles, Object, Source};
pub use table::{Column, FlowTable, Origin};
pub use tally::Tally;
