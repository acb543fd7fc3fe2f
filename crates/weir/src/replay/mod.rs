//! `weir replay`: packet captures to flow log records.
//!
//! ```text
//! thread 1                    thread 2                       calling thread
//! files ─ gzip? zstd? ─ blocks ─▶ weir_replay ─ closed windows ─▶ records ─▶ Arrow ─▶ Output of `weir parse`
//! ```
//!
//! | File | What |
//! |---|---|
//! | `input` | files to blocks of bytes |
//! | `count` | blocks to closed windows |
//! | `vpc` | rules in the shapes of `aws ec2 describe-*` |
//! | `summary` | what is said at the end |

pub mod count;
pub mod input;
pub mod summary;
pub mod vpc;
