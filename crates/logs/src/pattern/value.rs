//! Values of a matching message: what `$.path` and `$name` refer to in metric
//! values and dimensions.
//!
//! Source: CloudWatch Logs user guide, "Configuring metric values" and
//! "Publishing dimensions with metrics".

use super::json::Step;
use super::lex::Cursor;
use super::{Pattern, Syntax, json_parse, space, without_line_end};

/// A reference to a value of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference(Target);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Json(Vec<Step>),
    /// With its dollar sign.
    Field(String),
}

impl Reference {
    /// Reads `$.a.b[0]` of a JSON pattern or `$bytes` of a space-delimited one.
    /// `None`: the text is no reference that the pattern can answer.
    pub fn parse(text: &str, pattern: &Pattern) -> Option<Self> {
        match &pattern.syntax {
            Syntax::Json(_) => {
                let mut cursor = Cursor::new(text);
                let steps = json_parse::selector(&mut cursor).ok()?;
                cursor.expect_end().ok()?;
                Some(Self(Target::Json(steps)))
            }
            Syntax::Space(_) => {
                let name = text.strip_prefix('$').filter(|name| !name.is_empty())?;
                Some(Self(Target::Field(format!("${name}"))))
            }
            Syntax::Everything | Syntax::Terms(_) => None,
        }
    }
}

/// The values of one message.
#[derive(Debug)]
pub struct Values(Found);

#[derive(Debug)]
enum Found {
    None,
    Json(serde_json::Value),
    Fields(Vec<(String, String)>),
}

impl Pattern {
    /// The values of a message that matches; nothing is checked again.
    pub fn values(&self, message: &str) -> Values {
        let message = without_line_end(message);
        Values(match &self.syntax {
            Syntax::Everything | Syntax::Terms(_) => Found::None,
            Syntax::Json(_) => serde_json::from_str(message).map_or(Found::None, Found::Json),
            Syntax::Space(space) => Found::Fields(space::SpacePattern::extract(space, message)),
        })
    }

    /// Whether messages have values that can be referred to: of a JSON or a
    /// space-delimited pattern.
    pub fn has_values(&self) -> bool {
        matches!(self.syntax, Syntax::Json(_) | Syntax::Space(_))
    }
}

impl Values {
    /// The text of a scalar; the first one that a wildcard meets. `None` if it
    /// is not there, null, an object or an array.
    pub fn get(&self, reference: &Reference) -> Option<String> {
        match (&self.0, &reference.0) {
            (Found::Json(value), Target::Json(steps)) => find(value, steps),
            (Found::Fields(fields), Target::Field(name)) => {
                fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
            }
            _ => None,
        }
    }
}

fn find(value: &serde_json::Value, steps: &[Step]) -> Option<String> {
    use serde_json::Value;
    let Some((step, rest)) = steps.split_first() else {
        return match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(truth) => Some(truth.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        };
    };
    match (step, value) {
        (Step::Member(name), Value::Object(members)) => find(members.get(name)?, rest),
        (Step::Element(index), Value::Array(elements)) => find(elements.get(*index)?, rest),
        (Step::AnyMember, Value::Object(members)) => members.values().find_map(|value| find(value, rest)),
        (Step::AnyElement, Value::Array(elements)) => elements.iter().find_map(|value| find(value, rest)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_of_the_patterns_kind() {
        let message = r#"{"a": {"b": [10, "x", null]}, "n.m": 2.5, "ok": true}"#;
        for (pattern, message, reference, expected) in [
            ("{$.ok IS TRUE}", message, "$.a.b[0]", Some("10")),
            ("{$.ok IS TRUE}", message, "$.a.b[1]", Some("x")),
            ("{$.ok IS TRUE}", message, "$.a.b[2]", None),
            ("{$.ok IS TRUE}", message, "$.a.b[*]", Some("10")),
            ("{$.ok IS TRUE}", message, "$.a", None),
            ("{$.ok IS TRUE}", message, "$.['n.m']", Some("2.5")),
            ("{$.ok IS TRUE}", message, "$.ok", Some("true")),
            ("[ip, ..., bytes]", "10.0.0.1 GET 512", "$bytes", Some("512")),
            ("[ip, ..., bytes]", "10.0.0.1 GET 512", "$2", Some("GET")),
            ("[ip, ..., bytes]", "10.0.0.1 GET 512", "$none", None),
        ] {
            let pattern = Pattern::parse(pattern).unwrap();
            assert!(pattern.matches(message));
            let reference = Reference::parse(reference, &pattern).unwrap();
            assert_eq!(pattern.values(message).get(&reference).as_deref(), expected, "{reference:?}");
        }
    }

    #[test]
    fn other_texts_are_no_references() {
        for (pattern, text) in [
            ("ERROR", "$.a"),
            ("", "$a"),
            ("{$.a = 1}", "$a"),
            ("{$.a = 1}", "$.a b"),
            ("[a]", "a"),
            ("[a]", "$"),
        ] {
            let pattern = Pattern::parse(pattern).unwrap();
            assert_eq!(Reference::parse(text, &pattern), None, "{text}");
        }
    }
}
