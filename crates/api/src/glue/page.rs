//! Pages of lists, as Athena's with Glue's code for what is wrong.

use super::required::as_glue;
use crate::athena;
use crate::error::ApiError;
use crate::protocol::json::Members;

pub use crate::athena::page::answer;

/// As [`athena::page::page`].
///
/// Errors: `InvalidInputException`.
pub fn page<T>(
    items: Vec<T>,
    members: Members<'_>,
    most: usize,
    name: impl Fn(&T) -> &str,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    athena::page::page(items, members, most, name).map_err(as_glue)
}
