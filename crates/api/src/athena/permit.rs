//! Whether the caller may do an action.
//!
//! Source: Service authorization reference, "Amazon Athena", "AWS Glue".

use crate::call::Call;
use crate::error::ApiError;

/// The catalog that has databases: Glue's.
pub const AWS_CATALOG: &str = "AwsDataCatalog";

/// `action` is the name without the service, here and below.
///
/// Errors of all: `AccessDeniedException`.
pub fn group(call: &Call<'_>, action: &str, name: &str) -> Result<(), ApiError> {
    let arn = call.arn("athena", format!("workgroup/{name}"));
    call.authorize(&format!("athena:{action}"), &arn, &[])
}

pub fn catalog(call: &Call<'_>, action: &str, name: &str) -> Result<(), ApiError> {
    let arn = call.arn("athena", format!("datacatalog/{name}"));
    call.authorize(&format!("athena:{action}"), &arn, &[])
}

pub fn all(call: &Call<'_>, action: &str) -> Result<(), ApiError> {
    call.authorize(&format!("athena:{action}"), "*", &[])
}

/// Glue asks for the catalog, the database and the table.
pub fn glue(call: &Call<'_>, action: &str, database: &str, table: Option<&str>) -> Result<(), ApiError> {
    let action = format!("glue:{action}");
    let database = database.to_lowercase();
    call.authorize(&action, &call.arn("glue", "catalog"), &[])?;
    call.authorize(&action, &call.arn("glue", format!("database/{database}")), &[])?;
    match table {
        Some(table) => {
            let arn = call.arn("glue", format!("table/{database}/{}", table.to_lowercase()));
            call.authorize(&action, &arn, &[])
        }
        None => Ok(()),
    }
}

/// What Glue does not find is a fault of metadata in Athena's words.
pub fn metadata<T>(found: Result<T, ApiError>) -> Result<T, ApiError> {
    found.map_err(|mut error| {
        if error.code == "EntityNotFoundException" {
            error.code = "MetadataException".into();
        }
        error
    })
}
