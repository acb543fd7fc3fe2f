//! Regular expressions on names.

use super::required::invalid;
use crate::error::ApiError;
use regex::{Regex, RegexBuilder};

/// An expression on a whole name; `*` alone and after nothing is any text, as
/// clients write it.
///
/// Errors: `InvalidRequestException` (Athena), which Glue calls `InvalidInputException`.
pub fn regex(text: &str) -> Result<Regex, ApiError> {
    let any = if text == "*" { ".*" } else { text };
    RegexBuilder::new(&format!("^(?:{any})$"))
        .size_limit(1 << 20)
        .build()
        .map_err(|_| invalid(format!("The expression '{text}' is not valid")))
}
