//! SQL over flow logs, and what is built on it. Fences DataFusion in.
//!
//! For: a session that reads flow-log text and Parquet as tables, SQL with
//! Trino's names, the Insights language, Hive DDL. Not for: AWS's wire
//! formats and permissions (`api`), where tables and queries are kept
//! (`control`).

pub mod ddl;
