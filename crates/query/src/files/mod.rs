//! What flow logs lie in: layers taken off by content, the format found, blocks
//! of lines given out one by one.
//!
//! ```text
//! bytes ─▶ gzip? zstd? (twice at most) ─▶ Parquet: the caller's
//!                                      └▶ base64? ▶ JSON? ▶ text ─▶ blocks of lines
//! ```
//!
//! For everything that reads records, with SQL or without. Not for: where the
//! bytes come from, and which lines are malformed (`weir_flow::columns`).

pub mod compression;
pub mod format;
pub mod json;
pub mod lines;
pub mod meter;
pub mod payload;
pub mod tabs;
pub mod text;
