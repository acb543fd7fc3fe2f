//! Text codec: a record to a line of a format, and a line to typed values.
//!
//! A line is the values in the format's order, divided by one space, without
//! quotes, space at the end or newline; `-` stands for an absent value. A line
//! that [`parse_line`] accepts is written again byte by byte.
//!
//! A malformed line is a value ([`MalformedLine`]), not a failure: whoever
//! reads a file keeps it and goes on with the next line.
//!
//! Source: VPC user guide, "Flow log records" and "Flow log record examples".

use crate::field::{Field, Kind};
use crate::format::LogFormat;
use crate::record::Record;
use crate::value::Value;
use std::fmt::{self, Write};
use std::net::IpAddr;

/// Appends the record as one line of `format`, without a newline.
pub fn write_record(format: &LogFormat, record: &Record<'_>, out: &mut String) {
    for (i, field) in format.fields().iter().enumerate() {
        if i > 0 {
            out.push(' ');
        }
        write_value(field.get(record, format.version()), out);
    }
}

/// Appends values as one line, without a newline.
pub fn write_values(values: &[Value<'_>], out: &mut String) {
    for (i, &value) in values.iter().enumerate() {
        if i > 0 {
            out.push(' ');
        }
        write_value(value, out);
    }
}

fn write_value(value: Value<'_>, out: &mut String) {
    // A text with a space would be two values: it is written percent-encoded,
    // as AWS writes tags.
    match value {
        Value::Text("") => out.push('-'),
        Value::Text(text) if text.bytes().all(is_plain) => out.push_str(text),
        Value::Text(text) => {
            for letter in text.chars() {
                match u8::try_from(letter) {
                    Ok(byte) if !is_plain(byte) => drop(write!(out, "%{byte:02X}")),
                    _ => out.push(letter),
                }
            }
        }
        // Writing to a String cannot fail.
        other => drop(write!(out, "{other}")),
    }
}

/// Appends a text that may have bytes which cannot stand in a value.
#[cfg(feature = "columns")]
pub(crate) fn push_plain(text: &str, out: &mut Vec<u8>) {
    let mut encoded = String::new();
    write_value(Value::Text(text), &mut encoded);
    out.extend_from_slice(encoded.as_bytes());
}

/// Whether the byte may stand in a value: anything but spaces and control characters.
pub(crate) fn is_plain(byte: u8) -> bool {
    byte > b' ' && byte != 0x7f
}

/// The values of one line, in the order of its format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedRecord<'a> {
    pub format: &'a LogFormat,
    pub values: Vec<Value<'a>>,
}

impl<'a> ParsedRecord<'a> {
    /// The value of `field`; `None` when the format does not have it.
    pub fn get(&self, field: Field) -> Option<Value<'a>> {
        self.values.get(self.format.position(field)?).copied()
    }

    /// Appends the line that was read, byte by byte.
    pub fn write(&self, out: &mut String) {
        write_values(&self.values, out);
    }
}

/// Where and why a line is not a record of its format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}, field {field}: {problem}")]
pub struct MalformedLine {
    /// As the caller counts.
    pub line: u64,
    /// The first byte of the value at fault, from 1.
    pub column: usize,
    /// The field at fault; the last one when values are left over.
    pub field: Field,
    pub problem: Problem,
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The line ends before the field.
    Missing,
    /// The line goes on after its last field.
    TooMany,
    /// Two spaces in a row, or one at an end of the line.
    Empty,
    /// `-` where a value must stand.
    Absent,
    /// Not a whole number in plain digits.
    NotANumber {
        found: String,
    },
    /// A number larger than the field holds.
    TooLarge {
        found: String,
        max: i64,
    },
    NotAnAddress {
        found: String,
    },
    /// A tab, a carriage return or the like.
    ControlCharacter,
    /// Bytes that are no text in UTF-8.
    NotUtf8,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("the line ends before it"),
            Self::TooMany => f.write_str("the line goes on after it"),
            Self::Empty => f.write_str("it is empty: values are divided by one space"),
            Self::Absent => f.write_str("'-' cannot stand here"),
            Self::NotANumber { found } => write!(f, "'{found}' is not a whole number"),
            Self::TooLarge { found, max } => write!(f, "{found} is larger than {max}"),
            Self::NotAnAddress { found } => write!(f, "'{found}' is not an IPv4 or IPv6 address"),
            Self::ControlCharacter => f.write_str("it has a control character"),
            Self::NotUtf8 => f.write_str("it is not UTF-8"),
        }
    }
}

/// Reads one line, given without its newline. `number` is what an error calls it.
pub fn parse_line<'a>(
    format: &'a LogFormat,
    number: u64,
    line: &'a str,
) -> Result<ParsedRecord<'a>, MalformedLine> {
    let mut values = Vec::with_capacity(format.fields().len());
    parse_values(format, number, line, &mut values)?;
    Ok(ParsedRecord { format, values })
}

/// Like [`parse_line`], into a buffer that can be used again for the next line.
/// It is emptied first; after an error it holds the values before the fault.
pub fn parse_values<'a>(
    format: &LogFormat,
    number: u64,
    line: &'a str,
    values: &mut Vec<Value<'a>>,
) -> Result<(), MalformedLine> {
    values.clear();
    let fault = |column, field, problem| MalformedLine { line: number, column, field, problem };
    // `None` once the line has ended: "a " has an empty second value, "a" none.
    let mut rest = Some(line);
    let mut column = 1;
    for &field in format.fields() {
        let Some(text) = rest else {
            return Err(fault(column, field, Problem::Missing));
        };
        let (value, after) = match text.split_once(' ') {
            Some((value, after)) => (value, Some(after)),
            None => (text, None),
        };
        values.push(parse_value(field, value).map_err(|problem| fault(column, field, problem))?);
        column += value.len() + usize::from(after.is_some());
        rest = after;
    }
    match (rest, format.fields().last()) {
        (Some(_), Some(&field)) => Err(fault(column, field, Problem::TooMany)),
        _ => Ok(()),
    }
}

pub(crate) fn parse_value(field: Field, text: &str) -> Result<Value<'_>, Problem> {
    match text {
        "" => return Err(Problem::Empty),
        "-" if field.is_nullable() => return Ok(Value::Null),
        "-" => return Err(Problem::Absent),
        _ => {}
    }
    match (field.kind(), field.kind().max()) {
        (_, Some(max)) => parse_number(text, max).map(Value::Int),
        (Kind::Address, _) => parse_address(text),
        _ if text.bytes().all(is_plain) => Ok(Value::Text(text)),
        _ => Err(Problem::ControlCharacter),
    }
}

/// Digits without sign and leading zeros, so that the number is written again
/// as it was read.
fn parse_number(text: &str, max: i64) -> Result<i64, Problem> {
    let found = || text.chars().take(40).collect();
    if !text.bytes().all(|b| b.is_ascii_digit()) || (text.len() > 1 && text.starts_with('0')) {
        return Err(Problem::NotANumber { found: found() });
    }
    text.parse().ok().filter(|&number| number <= max).ok_or_else(|| Problem::TooLarge { found: found(), max })
}

/// An address in its canonical form becomes one; in another spelling
/// (`2001:DB8::1`) it is kept as text, so that it is written again as read.
fn parse_address(text: &str) -> Result<Value<'_>, Problem> {
    let not_an_address = |_| Problem::NotAnAddress { found: text.chars().take(60).collect() };
    let address: IpAddr = text.parse().map_err(not_an_address)?;
    Ok(match address {
        // The parser allows one spelling only.
        IpAddr::V4(_) => Value::Ip(address),
        IpAddr::V6(v6) if is_spelled(text, v6) => Value::Ip(address),
        IpAddr::V6(_) => Value::Text(text),
    })
}

/// Whether `text` is what `value` displays, without an allocation.
fn is_spelled(text: &str, value: impl fmt::Display) -> bool {
    struct Rest<'a>(&'a str);
    impl Write for Rest<'_> {
        fn write_str(&mut self, part: &str) -> fmt::Result {
            self.0 = self.0.strip_prefix(part).ok_or(fmt::Error)?;
            Ok(())
        }
    }
    let mut rest = Rest(text);
    write!(rest, "{value}").is_ok() && rest.0.is_empty()
}

#[cfg(test)]
#[path = "text_tests.rs"]
pub(crate) mod tests;
