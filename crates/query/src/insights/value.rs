//! One value of one row, and how Insights looks at it.

use datafusion::arrow::array::{Array, BooleanArray, Float64Array, Int64Array, StringArray, StringViewArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use std::borrow::Cow;
use std::cmp::Ordering;
use weir_logs::insights::{BinaryOp, number, number_text};

use super::text::{parse_time, time_text};

/// What a column holds. A text may be a number all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Text,
    Number,
    /// Milliseconds since 1970.
    Time,
    Bool,
}

impl Kind {
    pub fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Number => DataType::Float64,
            Self::Time => DataType::Int64,
            Self::Bool => DataType::Boolean,
        }
    }

    /// Of the values of several columns.
    pub fn common(kinds: impl IntoIterator<Item = Self>) -> Self {
        let mut kinds = kinds.into_iter();
        match kinds.next() {
            Some(first) if kinds.all(|kind| kind == first) => first,
            _ => Self::Text,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// The row does not have the field.
    Absent,
    Text(Cow<'a, str>),
    Number(f64),
    Time(i64),
    Bool(bool),
}

impl<'a> Value<'a> {
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Absent => None,
            Self::Text(text) => number(text),
            Self::Number(n) => Some(*n),
            Self::Time(at) => Some(*at as f64),
            Self::Bool(b) => Some(f64::from(*b)),
        }
    }

    pub fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Absent => None,
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Number(n) => number_text(*n).map(Cow::Owned),
            Self::Time(at) => Some(Cow::Owned(time_text(*at))),
            Self::Bool(b) => Some(Cow::Borrowed(if *b { "1" } else { "0" })),
        }
    }

    /// An instant: a number is milliseconds.
    pub fn time(&self) -> Option<i64> {
        match self {
            Self::Time(at) => Some(*at),
            Self::Text(text) => match number(text) {
                Some(n) => millis(n),
                None => parse_time(text),
            },
            Self::Number(n) => millis(*n),
            Self::Absent | Self::Bool(_) => None,
        }
    }

    pub fn truth(&self) -> bool {
        match self {
            Self::Absent => false,
            Self::Bool(b) => *b,
            Self::Text(text) if text.eq_ignore_ascii_case("true") => true,
            Self::Time(_) => true,
            other => other.number().is_some_and(|n| n != 0.0),
        }
    }

    /// `None` if one of them is absent, or they cannot be compared.
    fn order(&self, other: &Self) -> Option<Ordering> {
        if let (Some(a), Some(b)) = (self.number(), other.number()) {
            return a.partial_cmp(&b);
        }
        match (self, other) {
            (Self::Absent, _) | (_, Self::Absent) => None,
            (Self::Time(_), _) | (_, Self::Time(_)) => Some(self.time()?.cmp(&other.time()?)),
            // A text that is no number is neither more nor less than a number.
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    /// A comparison. With an absent value all are false but `!=`, which is
    /// always the opposite of `=`.
    pub fn compare(&self, op: BinaryOp, other: &Self) -> bool {
        if let (Self::Text(a), Self::Text(b), BinaryOp::Equal | BinaryOp::NotEqual) = (self, other, op)
            && a == b
        {
            return op == BinaryOp::Equal;
        }
        let order = self.order(other);
        match op {
            BinaryOp::Equal => order == Some(Ordering::Equal),
            BinaryOp::NotEqual => order != Some(Ordering::Equal),
            BinaryOp::Less => order == Some(Ordering::Less),
            BinaryOp::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            BinaryOp::Greater => order == Some(Ordering::Greater),
            BinaryOp::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            _ => false,
        }
    }
}

fn millis(n: f64) -> Option<i64> {
    (n.abs() < 9.0e15).then_some(n as i64)
}

/// A column of a batch.
pub enum Values<'a> {
    Text(&'a StringArray),
    View(&'a StringViewArray),
    Number(&'a Float64Array),
    Time(&'a Int64Array),
    Bool(&'a BooleanArray),
    Absent,
}

impl<'a> Values<'a> {
    pub fn new(array: &'a dyn Array) -> Result<Self> {
        let any = array.as_any();
        if let Some(texts) = any.downcast_ref() {
            return Ok(Self::Text(texts));
        }
        if let Some(texts) = any.downcast_ref() {
            return Ok(Self::View(texts));
        }
        if let Some(numbers) = any.downcast_ref() {
            return Ok(Self::Number(numbers));
        }
        if let Some(times) = any.downcast_ref() {
            return Ok(Self::Time(times));
        }
        if let Some(bools) = any.downcast_ref() {
            return Ok(Self::Bool(bools));
        }
        match array.data_type() {
            DataType::Null => Ok(Self::Absent),
            other => exec_err!("a column of type {other} has no value of Insights"),
        }
    }

    pub fn get(&self, row: usize) -> Value<'a> {
        match self {
            Self::Text(array) if !array.is_null(row) => Value::Text(Cow::Borrowed(array.value(row))),
            Self::View(array) if !array.is_null(row) => Value::Text(Cow::Borrowed(array.value(row))),
            Self::Number(array) if !array.is_null(row) => Value::Number(array.value(row)),
            Self::Time(array) if !array.is_null(row) => Value::Time(array.value(row)),
            Self::Bool(array) if !array.is_null(row) => Value::Bool(array.value(row)),
            _ => Value::Absent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons() {
        let text = |text: &'static str| Value::Text(text.into());
        use BinaryOp::{Equal, Greater, Less, LessOrEqual, NotEqual};
        for (a, op, b, wanted) in [
            (text("17"), Equal, Value::Number(17.0), true),
            (text("17"), Equal, text("17"), true),
            (text("17.0"), Equal, text("17"), true),
            (text("9"), Less, text("10"), true),
            (text("b"), Greater, text("a"), true),
            (text("-"), Less, Value::Number(1.0), false),
            (text("-"), Greater, Value::Number(1.0), false),
            (text("-"), NotEqual, Value::Number(1.0), true),
            (Value::Absent, Equal, Value::Absent, false),
            (Value::Absent, NotEqual, text("x"), true),
            (Value::Absent, LessOrEqual, Value::Number(0.0), false),
            (Value::Bool(true), Equal, Value::Number(1.0), true),
            (Value::Time(1000), Equal, text("1970-01-01 00:00:01.000"), true),
            (Value::Time(1000), Greater, Value::Number(999.0), true),
            (text("ACCEPT"), Equal, text("accept"), false),
        ] {
            assert_eq!(a.compare(op, &b), wanted, "{a:?} {op:?} {b:?}");
        }
    }
}
