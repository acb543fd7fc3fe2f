//! Athena's own things: workgroups, named queries, prepared statements, query
//! executions and what they say of their state.
//!
//! Not for: running queries (`query`), tables (`catalog`).
//!
//! A fault's code may have Athena's own code after a colon:
//! `InvalidRequestException:INVALID_INPUT`.
//!
//! Source: Athena API reference.

pub mod data_catalog;
pub mod execution;
pub mod named_query;
pub mod prepared_statement;
pub mod work_group;

#[cfg(test)]
mod tests;

pub use data_catalog::DataCatalog;
pub use execution::{QueryExecution, State};
pub use named_query::NamedQuery;
pub use prepared_statement::PreparedStatement;
pub use work_group::WorkGroup;

use crate::error::{ControlError, Result};
use crate::state::Cx;

/// The code of what is wrong with a request.
pub const INVALID: &str = "InvalidRequestException:INVALID_INPUT";

pub(crate) fn invalid(message: impl Into<String>) -> ControlError {
    ControlError::fault(INVALID, message)
}

/// Whether a resource of tags (`workgroup/NAME`, `datacatalog/NAME`) is there.
pub fn has_tags(cx: Cx<'_>, resource: &str) -> Result<bool> {
    Ok(match resource.split_once('/') {
        Some(("workgroup", name)) => work_group::get(cx, name).is_ok(),
        Some(("datacatalog", name)) => data_catalog::get(cx, name)?.is_some(),
        _ => false,
    })
}

/// A random UUID.
fn uuid() -> Result<String> {
    let bits = crate::random::bits()?;
    let bits = bits & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    Ok([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-"))
}
