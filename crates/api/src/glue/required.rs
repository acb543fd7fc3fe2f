//! Members that must be there, and members that are structures.

use crate::athena;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// `InvalidInputException`
pub fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidInputException", message)
}

/// Athena's `InvalidRequestException` under Glue's name.
pub fn as_glue(mut error: ApiError) -> ApiError {
    if error.code.starts_with("InvalidRequestException") {
        error.code = "InvalidInputException".into();
    }
    error
}

/// Texts that must be there and not empty.
pub fn texts<'a, const N: usize>(members: Members<'a>, names: [&str; N]) -> Result<[&'a str; N], ApiError> {
    athena::required::texts(members, names).map_err(as_glue)
}

/// A member as a structure.
pub fn structure<T: DeserializeOwned>(members: Members<'_>, name: &str) -> Result<T, ApiError> {
    athena::required::structure(members, name)
}

/// An item of a list as a structure.
pub fn read<T: DeserializeOwned>(item: &Value, list: &str) -> Result<T, ApiError> {
    serde_json::from_value(item.clone())
        .map_err(|error| ApiError::new("SerializationException", format!("An item of {list}: {error}")))
}

/// A list of at most `most` items that must be there.
pub fn list<'a>(members: Members<'a>, name: &str, most: usize) -> Result<&'a [Value], ApiError> {
    let list = members.list(name)?.ok_or_else(|| invalid(format!("{name} is null or empty")))?;
    if list.len() > most {
        return Err(invalid(format!("{name} must have at most {most} items")));
    }
    Ok(list)
}

/// Values of a partition.
pub fn values(members: Members<'_>, name: &str) -> Result<Vec<String>, ApiError> {
    let values = members.texts(name)?.ok_or_else(|| invalid(format!("{name} is null or empty")))?;
    Ok(values.into_iter().map(str::to_owned).collect())
}

/// `{"Values": […]}`
pub fn item_values(item: &Value) -> Result<Vec<String>, ApiError> {
    let values = item.get("Values").cloned().unwrap_or_default();
    serde_json::from_value(values).map_err(|_| invalid("Values must be a list of strings"))
}
