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
/// Of a repeated member the last counts.
///
/// Errors: `SerializationException` if it is not a JSON object, is nested more
/// than 128 deep or has more than [`VALUES`] values.
pub fn parse(body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    if values(body) > VALUES {
        let message = format!("The body has more than {VALUES} values");
        return Err(ApiError::new("SerializationException", message));
    }
    serde_json::from_slice(body)
        .map_err(|_| ApiError::new("SerializationException", "The body is not a JSON object"))
}

/// Values in one body: a value takes tens of bytes in memory, however short it
/// is. The largest PutLogEvents has 30,000.
const VALUES: usize = 200_000;

/// How many values a JSON text has, at most.
fn values(body: &[u8]) -> usize {
    let (mut found, mut in_string, mut escaped) = (1, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b',' | b'[' | b'{' if !in_string => found += 1,
            _ => {}
        }
    }
    found
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        let wide = |count: usize| format!("{{\"a\":[{}0]}}", "0,".repeat(count));
        for (body, ok) in [
            (String::new(), true),
            ("{}".to_owned(), true),
            ("null".to_owned(), false),
            ("[]".to_owned(), false),
            ("{\"a\":1,}".to_owned(), false),
            ("{\"a\":1e999}".to_owned(), false),
            ("{\"a\":\"\\ud800\"}".to_owned(), false),
            (format!("{{\"a\":\"{}\"}}", ",[{\\\"".repeat(VALUES)), true),
            (wide(VALUES - 10), true),
            (wide(VALUES), false),
            (nested(100), true),
            (nested(200), false),
            (nested(100_000), false),
        ] {
            let shown: String = body.chars().take(40).collect();
            assert_eq!(parse(body.as_bytes()).is_ok(), ok, "{shown}");
        }
        assert!(parse(b"{\"a\":\"\xff\"}").is_err());
        let twice = parse(b"{\"a\":1,\"a\":2}").unwrap();
        assert_eq!(Members::new(&twice).integer("a").unwrap(), Some(2));
    }
}
