//! The values of a condition, read once into what the operator compares.

use super::operator::Test;
use crate::context::Context;
use crate::variable::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ipnet::IpNet;
use std::cmp::Ordering;
use std::net::IpAddr;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A value of the policy. Only texts and ARNs may hold variables, and booleans,
/// on which AWS's pages disagree.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expected {
    Text(Template),
    Number(Decimal),
    Date(i128),
    Bytes(Vec<u8>),
    Net(IpNet),
    Null(bool),
}

impl Expected {
    /// None when the value is not of the operator's type.
    pub(super) fn parse(test: Test, text: &str, variables: bool) -> Option<Self> {
        match test {
            Test::StringEquals | Test::StringEqualsIgnoreCase | Test::StringLike | Test::Arn => {
                Some(Self::Text(Template::parse(text, variables)))
            }
            Test::Bool => {
                let template = Template::parse(text, variables);
                (template.has_variables() || boolean(text).is_some()).then_some(Self::Text(template))
            }
            Test::Numeric(_) => Decimal::parse(text).map(Self::Number),
            Test::Date(_) => date(text).map(Self::Date),
            Test::BinaryEquals => STANDARD.decode(text).ok().map(Self::Bytes),
            Test::IpAddress => net(text).map(Self::Net),
            Test::Null => boolean(text).map(Self::Null),
        }
    }

    /// The keys of its variables.
    pub(super) fn variables(&self) -> Vec<String> {
        match self {
            Self::Text(template) => template.variables(),
            _ => Vec::new(),
        }
    }

    /// Whether a value of the request matches. One of the wrong type does not,
    /// nor does a policy value whose variable has no value.
    pub(super) fn matches(&self, test: Test, actual: &str, context: &Context) -> bool {
        match (self, test) {
            (Self::Text(template), Test::StringLike) => {
                template.pattern(context).is_some_and(|pattern| pattern.matches(actual))
            }
            (Self::Text(template), Test::Arn) => {
                template.pattern(context).is_some_and(|pattern| pattern.matches_arn(actual))
            }
            (Self::Text(template), _) => template.text(context).is_some_and(|text| match test {
                Test::StringEqualsIgnoreCase => text.to_lowercase() == actual.to_lowercase(),
                Test::Bool => boolean(&text).is_some_and(|value| boolean(actual) == Some(value)),
                _ => text == actual,
            }),
            (Self::Number(expected), Test::Numeric(order)) => {
                Decimal::parse(actual).is_some_and(|value| order.admits(value.cmp(expected)))
            }
            (Self::Date(expected), Test::Date(order)) => {
                date(actual).is_some_and(|value| order.admits(value.cmp(expected)))
            }
            (Self::Bytes(expected), _) => STANDARD.decode(actual).is_ok_and(|bytes| bytes == *expected),
            (Self::Net(expected), _) => net(actual).is_some_and(|net| expected.contains(&net)),
            _ => false,
        }
    }
}

fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else {
        text.eq_ignore_ascii_case("false").then_some(false)
    }
}

/// A CIDR block, or an address as a block of itself alone.
fn net(text: &str) -> Option<IpNet> {
    match text.parse::<IpAddr>() {
        Ok(address) => Some(IpNet::from(address)),
        Err(_) => text.parse().ok(),
    }
}

/// Nanoseconds since 1970: from seconds, or the W3C's profile of ISO 8601, in
/// which the time or its seconds may be missing.
fn date(text: &str) -> Option<i128> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(i128::from(seconds) * 1_000_000_000);
    }
    let whole = match text.split_once('T') {
        None => format!("{text}T00:00:00Z"),
        Some((day, clock)) => match clock.split_at_checked(5) {
            Some((minutes, rest)) if !rest.starts_with(':') => format!("{day}T{minutes}:00{rest}"),
            _ => text.to_owned(),
        },
    };
    OffsetDateTime::parse(&whole, &Rfc3339).ok().map(OffsetDateTime::unix_timestamp_nanos)
}

/// A decimal number compared exactly, of any length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decimal {
    negative: bool,
    /// Without leading zeros.
    whole: String,
    /// Without trailing zeros.
    fraction: String,
}

impl Decimal {
    fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && fraction.is_empty()
            || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit())
        {
            return None;
        }
        let whole = whole.trim_start_matches('0').to_owned();
        let fraction = fraction.trim_end_matches('0').to_owned();
        let is_zero = whole.is_empty() && fraction.is_empty();
        Some(Self { negative: negative && !is_zero, whole, fraction })
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let size = |a: &Self, b: &Self| {
            a.whole
                .len()
                .cmp(&b.whole.len())
                .then_with(|| a.whole.cmp(&b.whole))
                .then_with(|| a.fraction.cmp(&b.fraction))
        };
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => size(self, other),
            (true, true) => size(other, self),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn decimals_are_ordered_like_numbers(a in -2_000_000i64..2_000_000, b in -2_000_000i64..2_000_000) {
            let text = |n: i64| format!("{}{}.{:03}", if n < 0 { "-" } else { "" }, n.abs() / 1000, n.abs() % 1000);
            let (x, y) = (Decimal::parse(&text(a)).unwrap(), Decimal::parse(&text(b)).unwrap());
            prop_assert_eq!(x.cmp(&y), a.cmp(&b));
            prop_assert_eq!(x == y, a == b);
        }
    }

    #[test]
    fn decimals() {
        for (a, b) in [("10", "010.0"), ("-0", "0"), (".5", "0.50"), ("+3", "3."), ("1", "1")] {
            assert_eq!(Decimal::parse(a), Decimal::parse(b), "{a} {b}");
        }
        let big = "123456789012345678901234567890";
        assert!(Decimal::parse(big) < Decimal::parse("123456789012345678901234567891"));
        for bad in ["", ".", "-", "1e3", "x", "1.2.3", "٣"] {
            assert_eq!(Decimal::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn dates() {
        let new_year = Some(1_609_459_200_000_000_000);
        for text in [
            "2021-01-01T00:00:00Z",
            "2021-01-01",
            "2021-01-01T00:00Z",
            "2021-01-01T01:00:00+01:00",
            "2021-01-01T01:00+01:00",
            "2021-01-01T00:00:00.000Z",
            "1609459200",
        ] {
            assert_eq!(date(text), new_year, "{text}");
        }
        for bad in ["", "yesterday", "2021-13-01", "2021-01-01T25:00:00Z", "2021-01-01T", "1.5"] {
            assert_eq!(date(bad), None, "{bad}");
        }
    }
}
