//! One value of one field: what a getter gives, a parser reads and a writer writes.

use std::fmt;
use std::net::IpAddr;

/// A typed value. It borrows its text from the line or from the facts it came
/// from, so that neither reading nor writing allocates per field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Value<'a> {
    /// The field does not apply or cannot be known: `-` in text, null in columns.
    Null,
    /// Never negative in a flow log.
    Int(i64),
    /// Written in its canonical form: dotted for IPv4, RFC 5952 for IPv6.
    Ip(IpAddr),
    /// Not empty, and without spaces and control characters.
    Text(&'a str),
}

impl<'a> Value<'a> {
    /// `text`, or null when it is absent or empty.
    pub fn text(text: Option<&'a str>) -> Self {
        match text {
            None | Some("") => Self::Null,
            Some(text) => Self::Text(text),
        }
    }

    /// A count; one that no Parquet INT64 can hold stays at the largest that fits.
    pub fn count(count: u64) -> Self {
        Self::Int(i64::try_from(count).unwrap_or(i64::MAX))
    }

    pub fn is_null(self) -> bool {
        self == Self::Null
    }

    pub fn as_int(self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(number),
            _ => None,
        }
    }

    /// The address, also of one that was read in an unusual spelling and so
    /// stayed text.
    pub fn as_ip(self) -> Option<IpAddr> {
        match self {
            Self::Ip(address) => Some(address),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    pub fn as_text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// The value as it stands in a line.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("-"),
            Self::Int(number) => number.fmt(f),
            Self::Ip(address) => address.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}
