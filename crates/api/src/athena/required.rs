//! Members that must be there, and members that are structures.

use crate::error::ApiError;
use crate::protocol::json::Members;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;

/// `InvalidRequestException` with `INVALID_INPUT`.
pub fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(weir_control::athena::INVALID, message)
}

fn missing(name: &str) -> ApiError {
    let mut letters = name.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_lowercase).collect();
    invalid(format!("{first}{} is null or empty", letters.as_str()))
}

/// Texts that must be there and not empty.
pub fn texts<'a, const N: usize>(members: Members<'a>, names: [&str; N]) -> Result<[&'a str; N], ApiError> {
    let mut texts = [""; N];
    for (text, name) in texts.iter_mut().zip(names) {
        *text = members.text(name)?.filter(|text| !text.is_empty()).ok_or_else(|| missing(name))?;
    }
    Ok(texts)
}

/// Up to 50 ids.
pub fn ids<'a>(members: Members<'a>, name: &str) -> Result<Vec<&'a str>, ApiError> {
    let ids = members.texts(name)?.ok_or_else(|| missing(name))?;
    if ids.is_empty() || ids.len() > 50 {
        return Err(invalid(format!("{name} must have 1 to 50 items")));
    }
    Ok(ids)
}

/// A member as a structure; its default if it is absent.
pub fn structure<T: DeserializeOwned>(members: Members<'_>, name: &str) -> Result<T, ApiError> {
    let value = members.entries().find(|(known, value)| *known == name && !value.is_null());
    let value = value.map_or_else(|| Value::Object(serde_json::Map::new()), |(_, value)| value.clone());
    serde_json::from_value(value)
        .map_err(|error| ApiError::new("SerializationException", format!("The member {name}: {error}")))
}

/// A map of texts; empty if it is absent.
pub fn text_map(members: Members<'_>, name: &str) -> Result<BTreeMap<String, String>, ApiError> {
    structure(members, name)
}
