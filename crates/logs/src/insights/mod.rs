//! The language of CloudWatch Logs Insights: text to a checked query, and what
//! fields a message has.
//!
//! ```text
//! filter isIpv4InSubnet(srcAddr, "192.0.2.0/24")
//! | stats sum(bytes) as bytesTransferred by dstAddr, bin(5m)
//! | sort bytesTransferred desc | limit 10
//! ```
//!
//! [`Query::parse`] refuses everything that could not run, with the place in
//! the text; what it accepts runs. Keywords and function names may be written
//! in any case, names of fields not.
//!
//! Not for: running a query, which is the crate `weir-query`; [`Request`] and
//! [`Rows`] are what it takes and gives.
//!
//! Source: CloudWatch Logs user guide, "CloudWatch Logs Insights language query
//! syntax".

mod ast;
pub mod discover;
mod expr;
mod extract;
mod function;
mod lex;
mod parse;
mod period;
mod request;
mod source;
#[cfg(test)]
mod tests;
mod value;

pub use ast::{
    BinaryOp, Column, Command, Earlier, Expr, Extract, LikePattern, Query, SortKey, Source, Step, canonical,
};
pub use extract::{Glob, Regex};
pub use function::{Aggregate, Function};
pub use period::{Period, Unit};
pub use request::{Group, Pointer, Progress, Request, Rows};
pub use value::{number, number_text};

use std::fmt;

/// Most characters of a query. Source: StartQuery, `queryString`.
pub const MAX_QUERY_CHARS: usize = 10_000;
/// Rows that a query without `limit` gives at most. Source: StartQuery.
pub const DEFAULT_LIMIT: usize = 10_000;
/// The largest `limit`. Source: StartQuery.
pub const MAX_LIMIT: usize = 100_000;

/// Why a query is refused, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct QueryError {
    pub message: String,
    /// Of the text in question: its first character, counted from 0.
    pub start: usize,
    /// The character behind it.
    pub end: usize,
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
