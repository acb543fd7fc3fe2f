//! Reading members of a request, whichever way it came: a number may be a text
//! (query), an instant a number of seconds or ISO 8601.
//!
//! Faults name the member as AWS does, `MetricData.member.1.Value`.

use super::{invalid, validation};
use crate::error::ApiError;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use weir_types::time::UnixMillis;

/// The members of a structure.
#[derive(Debug, Clone)]
pub struct Input<'a> {
    members: &'a Map<String, Value>,
    /// Before a member's name in texts, such as `MetricData.member.1.`.
    path: String,
}

impl<'a> Input<'a> {
    pub fn new(members: &'a Map<String, Value>) -> Self {
        Self { members, path: String::new() }
    }

    /// A member's whole name.
    pub fn path(&self, name: &str) -> String {
        format!("{}{name}", self.path)
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    fn wrong(&self, name: &str, value: &Value) -> ApiError {
        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        invalid(format!("The value {shown} for parameter {} is invalid.", self.path(name)))
    }

    /// Errors: `MissingParameter`.
    pub fn missing(&self, name: &str) -> ApiError {
        ApiError::new("MissingParameter", format!("The parameter {} is required.", self.path(name)))
    }

    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub fn text(&self, name: &str) -> Result<Option<&'a str>, ApiError> {
        self.get(name).map(|v| v.as_str().ok_or_else(|| self.wrong(name, v))).transpose()
    }

    pub fn required(&self, name: &str) -> Result<&'a str, ApiError> {
        self.text(name)?.filter(|text| !text.is_empty()).ok_or_else(|| self.missing(name))
    }

    /// A text of a modelled length, in characters.
    pub fn sized(&self, name: &str, max: usize) -> Result<Option<&'a str>, ApiError> {
        let text = self.text(name)?;
        match text {
            Some(text) if text.chars().count() > max => Err(validation(format!(
                "1 validation error detected: Value '{text}' at '{}' failed to satisfy constraint: Member must have length less than or equal to {max}",
                lower(&self.path(name))
            ))),
            _ => Ok(text),
        }
    }

    /// A finite number.
    pub fn number(&self, name: &str) -> Result<Option<f64>, ApiError> {
        self.get(name).map(|v| number(v).ok_or_else(|| self.wrong(name, v))).transpose()
    }

    pub fn integer(&self, name: &str) -> Result<Option<i64>, ApiError> {
        let whole = |v: &Value| number(v).filter(|n| n.fract() == 0.0).map(|n| n as i64);
        self.get(name).map(|v| whole(v).ok_or_else(|| self.wrong(name, v))).transpose()
    }

    pub fn boolean(&self, name: &str) -> Result<Option<bool>, ApiError> {
        let read = |v: &Value| match v {
            Value::Bool(truth) => Some(*truth),
            Value::String(text) => text.to_ascii_lowercase().parse().ok(),
            _ => None,
        };
        self.get(name).map(|v| read(v).ok_or_else(|| self.wrong(name, v))).transpose()
    }

    pub fn instant(&self, name: &str) -> Result<Option<UnixMillis>, ApiError> {
        self.get(name).map(|v| instant(v).ok_or_else(|| self.wrong(name, v))).transpose()
    }

    fn list(&self, name: &str) -> Result<&'a [Value], ApiError> {
        match self.get(name) {
            None => Ok(&[]),
            Some(Value::Array(items)) => Ok(items),
            Some(other) => Err(self.wrong(name, other)),
        }
    }

    pub fn texts(&self, name: &str) -> Result<Vec<&'a str>, ApiError> {
        self.list(name)?.iter().map(|v| v.as_str().ok_or_else(|| self.wrong(name, v))).collect()
    }

    pub fn numbers(&self, name: &str) -> Result<Vec<f64>, ApiError> {
        let read = |(i, v): (usize, &Value)| {
            number(v).ok_or_else(|| self.wrong(&format!("{name}.member.{}", i + 1), v))
        };
        self.list(name)?.iter().enumerate().map(read).collect()
    }

    pub fn structs(&self, name: &str) -> Result<Vec<Input<'a>>, ApiError> {
        let read = |(i, v): (usize, &'a Value)| match v {
            Value::Object(members) => {
                Ok(Input { members, path: format!("{}.member.{}.", self.path(name), i + 1) })
            }
            other => Err(self.wrong(name, other)),
        };
        self.list(name)?.iter().enumerate().map(read).collect()
    }

    pub fn structure(&self, name: &str) -> Result<Option<Input<'a>>, ApiError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Object(members)) => {
                Ok(Some(Input { members, path: format!("{}.", self.path(name)) }))
            }
            Some(other) => Err(self.wrong(name, other)),
        }
    }

    /// `Tags`: 1 to 50 of them.
    pub fn tags(&self) -> Result<BTreeMap<String, String>, ApiError> {
        let mut tags = BTreeMap::new();
        for tag in self.structs("Tags")? {
            let (key, value) = (tag.required("Key")?, tag.text("Value")?.unwrap_or_default());
            tags.insert(key.to_owned(), value.to_owned());
        }
        Ok(tags)
    }
}

fn lower(path: &str) -> String {
    let mut chars = path.chars();
    chars.next().map(|first| first.to_ascii_lowercase().to_string() + chars.as_str()).unwrap_or_default()
}

fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite())
}

fn instant(value: &Value) -> Option<UnixMillis> {
    if let Some(seconds) = number(value) {
        return Some(UnixMillis((seconds * 1000.0).round() as i64));
    }
    let text = value.as_str()?;
    let text = if text.ends_with('Z') || text.get(19..)?.contains(['+', '-']) {
        text.to_owned()
    } else {
        format!("{text}Z")
    };
    let at = OffsetDateTime::parse(&text, &Rfc3339).ok()?;
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok().map(UnixMillis)
}
