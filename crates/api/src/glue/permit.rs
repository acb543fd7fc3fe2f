//! Whether the caller may do an action: Glue asks for the catalog, the database
//! and the table.
//!
//! Source: Service authorization reference, "AWS Glue".

use crate::call::Call;
use crate::error::ApiError;

/// `action` is the name without the service, here and below.
///
/// Errors of all: `AccessDeniedException`.
pub fn catalog(call: &Call<'_>, action: &str) -> Result<(), ApiError> {
    call.authorize(&format!("glue:{action}"), &call.arn("glue", "catalog"), &[])
}

pub fn database(call: &Call<'_>, action: &str, name: &str) -> Result<(), ApiError> {
    crate::athena::permit::glue(call, action, name, None)
}

pub fn table(call: &Call<'_>, action: &str, database: &str, name: &str) -> Result<(), ApiError> {
    crate::athena::permit::glue(call, action, database, Some(name))
}
