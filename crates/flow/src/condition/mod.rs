//! Conditions on records, for people: the language of `--where`.
//!
//! ```text
//! any   = all *("or" all)
//! all   = part *("and" part)
//! part  = "not" part | "(" any ")" | field test
//! test  = ("=" | "!=" | "<" | "<=" | ">" | ">=") value
//!       | ["not"] "in" (item | "(" item *("," item) ")")
//!       | ["not"] "like" text                           * is any run of characters
//!       | "is" ["not"] "null"
//!       | range | network                               short for "in"
//! item  = value | range | network                       22   1-1023   10.0.0.0/8
//! ```
//!
//! Fields have the names of the field table, with hyphens or underscores. Words
//! of the language are read in any case (`&&`, `||`, `!`, `==` and `<>` too);
//! texts are bare or in single or double quotes, which stand twice for
//! themselves. Addresses compare as addresses, `=` with a network or a range
//! means `in`; protocols and TCP flags have their names (`protocol = tcp`, `tcp-flags =
//! SYN|ACK`), times of start and end are in UTC (`start >= 2024-05-01T12:00`; `=`
//! with a day or a minute means all of it); the few values of
//! action, log-status, flow-direction and type are read in any case. Other
//! texts are compared letter by letter.
//!
//! A value that is not there (`-`, null) is equal to nothing, in no order and
//! in no list: a test on it is false, except `is null`. `!=`, `not in`,
//! `not like` and `not (...)` are true exactly where the test without them is
//! false, so they are true for it. There is no third truth value.
//!
//! ```
//! use weir_flow::condition::Condition;
//! use weir_flow::format::LogFormat;
//! use weir_flow::text::parse_line;
//!
//! let condition = Condition::parse("srcaddr in 10.0.0.0/8 and dstport in (22, 3389) and action = reject")?;
//! let format = LogFormat::default();
//! let condition = condition.bind(&format)?;
//! let line = "2 123456789012 eni-1 10.0.0.5 10.1.0.9 39611 22 6 1 40 1563108188 1563108227 REJECT OK";
//! assert!(condition.matches(&parse_line(&format, 1, line)?));
//!
//! assert_eq!(
//!     Condition::parse("bytes > 10 and srcadr = 10.0.0.1").unwrap_err().to_string(),
//!     "unknown field 'srcadr' at column 16: did you mean 'srcaddr'?"
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod glob;
mod lex;
#[cfg(feature = "columns")]
mod mask;
mod parse;
mod test;
#[cfg(test)]
mod tests;
mod time;

pub use error::{ConditionError, MissingField};
#[cfg(feature = "columns")]
pub use mask::MaskError;

use crate::field::Field;
use crate::format::LogFormat;
use crate::text::ParsedRecord;
use crate::value::Value;
use std::str::FromStr;
use test::Test;

/// A checked condition on the fields of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    expression: Expression<Field>,
}

/// `F` says where a value is: its field, or its place in a line.
#[derive(Debug, Clone, PartialEq)]
enum Expression<F> {
    Test(F, Test),
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
}

impl Condition {
    /// Reads a condition; an error names the place.
    pub fn parse(text: &str) -> Result<Self, ConditionError> {
        parse::parse(text).map(|expression| Self { expression })
    }

    /// The fields that it asks for, each once, in the order of the text.
    pub fn fields(&self) -> Vec<Field> {
        let mut fields = Vec::new();
        self.expression.each(&mut |&field| {
            if !fields.contains(&field) {
                fields.push(field);
            }
        });
        fields
    }

    /// The condition on lines of `format`. A field that the format does not
    /// have is an error: it would be null in every record.
    pub fn bind(&self, format: &LogFormat) -> Result<BoundCondition, MissingField> {
        let position = |field: &Field| {
            format.position(*field).ok_or_else(|| MissingField { field: *field, format: format.header() })
        };
        self.expression.map(&position).map(|expression| BoundCondition { expression })
    }

    /// Whether it holds for the values that `value` gives, such as
    /// `|field| field.get(record, version)`.
    pub fn holds<'v>(&self, value: impl Fn(Field) -> Value<'v>) -> bool {
        self.expression.holds(&|field: &Field| value(*field))
    }

    /// A text that every matching line of text contains, whatever its format.
    /// Whoever searches files looks for it first and reads only the lines that
    /// have it. `None`: the condition implies none.
    pub fn literal(&self) -> Option<String> {
        self.expression.literal()
    }
}

impl FromStr for Condition {
    type Err = ConditionError;
    fn from_str(text: &str) -> Result<Self, ConditionError> {
        Self::parse(text)
    }
}

/// A condition that knows where in the lines of one format its values stand.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundCondition {
    expression: Expression<usize>,
}

impl BoundCondition {
    /// `record` must have the format that was given to [`Condition::bind`].
    pub fn matches(&self, record: &ParsedRecord<'_>) -> bool {
        self.matches_values(&record.values)
    }

    /// The values of a line of the format, as
    /// [`parse_values`](crate::text::parse_values) gives them.
    pub fn matches_values(&self, values: &[Value<'_>]) -> bool {
        self.expression.holds(&|&position: &usize| values.get(position).copied().unwrap_or(Value::Null))
    }
}

impl<F> Expression<F> {
    fn holds<'v>(&self, value: &impl Fn(&F) -> Value<'v>) -> bool {
        match self {
            Self::Test(field, test) => test.holds(value(field)),
            Self::All(parts) => parts.iter().all(|part| part.holds(value)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(value)),
            Self::Not(part) => !part.holds(value),
        }
    }

    fn each(&self, visit: &mut impl FnMut(&F)) {
        match self {
            Self::Test(field, _) => visit(field),
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.each(visit)),
            Self::Not(part) => part.each(visit),
        }
    }

    fn map<G, E>(&self, to: &impl Fn(&F) -> Result<G, E>) -> Result<Expression<G>, E> {
        let all = |parts: &[Self]| parts.iter().map(|part| part.map(to)).collect::<Result<_, E>>();
        Ok(match self {
            Self::Test(field, test) => Expression::Test(to(field)?, test.clone()),
            Self::All(parts) => Expression::All(all(parts)?),
            Self::Any(parts) => Expression::Any(all(parts)?),
            Self::Not(part) => Expression::Not(Box::new(part.map(to)?)),
        })
    }

    fn literal(&self) -> Option<String> {
        match self {
            Self::Test(_, test) => test.literal(),
            Self::All(parts) => parts.iter().filter_map(Self::literal).max_by_key(String::len),
            Self::Any(parts) => match parts.as_slice() {
                [only] => only.literal(),
                _ => None,
            },
            Self::Not(_) => None,
        }
    }
}
