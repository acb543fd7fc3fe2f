//! JSON 1.1: reading members of a request's body.
//!
//! Absent and `null` members are the same. Errors carry the code that the
//! service uses for malformed input, given at construction.

use crate::error::ApiError;
use serde_json::{Map, Value};

/// The members of a JSON request.
#[derive(Debug, Clone, Copy)]
pub struct Members<'a>(&'a Map<String, Value>);

/// Parses a body; an empty one is `{}`.
///
/// Errors: `SerializationException` if it is not a JSON object.
pub fn parse(body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_slice(body)
        .map_err(|_| ApiError::new("SerializationException", "The body is not a JSON object"))
}

impl<'a> Members<'a> {
    pub fn new(members: &'a Map<String, Value>) -> Self {
        Self(members)
    }

    fn get(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn wrong(name: &str, wanted: &str) -> ApiError {
        ApiError::new("SerializationException", format!("The member {name} must be {wanted}"))
    }

    pub fn text(self, name: &str) -> Result<Option<&'a str>, ApiError> {
        self.get(name).map(|v| v.as_str().ok_or_else(|| Self::wrong(name, "a string"))).transpose()
    }

    pub fn integer(self, name: &str) -> Result<Option<i64>, ApiError> {
        let read =
            |v: &Value| v.as_i64().or_else(|| v.as_f64().filter(|f| f.fract() == 0.0).map(|f| f as i64));
        self.get(name).map(|v| read(v).ok_or_else(|| Self::wrong(name, "an integer"))).transpose()
    }

    pub fn boolean(self, name: &str) -> Result<Option<bool>, ApiError> {
        self.get(name).map(|v| v.as_bool().ok_or_else(|| Self::wrong(name, "a boolean"))).transpose()
    }

    pub fn list(self, name: &str) -> Result<Option<&'a [Value]>, ApiError> {
        self.get(name)
            .map(|v| v.as_array().map(Vec::as_slice).ok_or_else(|| Self::wrong(name, "a list")))
            .transpose()
    }

    pub fn texts(self, name: &str) -> Result<Option<Vec<&'a str>>, ApiError> {
        let Some(list) = self.list(name)? else { return Ok(None) };
        list.iter()
            .map(|v| v.as_str().ok_or_else(|| Self::wrong(name, "a list of strings")))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    pub fn object(self, name: &str) -> Result<Option<Members<'a>>, ApiError> {
        self.get(name)
            .map(|v| v.as_object().map(Members).ok_or_else(|| Self::wrong(name, "an object")))
            .transpose()
    }

    /// All members, for maps such as `tags`.
    pub fn entries(self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}
