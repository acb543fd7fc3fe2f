//! Records of flow logs from files, folders and pipes, for the commands that
//! read them: `weir parse`, `weir filter`, `weir top`.
//!
//! ```text
//! arguments ─ inputs ─▶ Input ─ source ─▶ blocks ─ engine: a Job on all cores ─▶ events, in order
//!                         │ weir_query::files                                      │
//!                         └ what it is, by content                      output, report, progress
//! ```
//!
//! Whatever the input, memory stays below 64 MiB; whatever the number of cores,
//! the output is the same.

pub use weir_query::files::{compression, format, meter, text};

pub mod columns;
pub mod decode;
pub mod engine;
pub mod inputs;
pub mod output;
pub mod plan;
pub mod progress;
pub mod report;
pub mod search;
pub mod source;
pub mod table;
pub mod top;
