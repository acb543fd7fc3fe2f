//! Regular expressions on names.

use super::required::as_glue;
use crate::error::ApiError;
use regex::Regex;

/// Errors: `InvalidInputException`.
pub fn regex(text: &str) -> Result<Regex, ApiError> {
    crate::athena::names::regex(text).map_err(as_glue)
}
