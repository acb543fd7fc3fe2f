//! Numbers in patterns and messages: whole ones exactly, others as doubles.

use std::cmp::Ordering;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Int(i128),
    Float(f64),
}

impl Number {
    /// `-2`, `1.5`, `.5`, `1e-3`; nothing else, so not `0x10`, `1.`, `inf` or `-`.
    pub fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let begins = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.');
        if !begins || !unsigned.ends_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        if unsigned.len() < 38 && unsigned.bytes().all(|b| b.is_ascii_digit()) {
            return text.parse().ok().map(Self::Int);
        }
        // `f64` reads words too ("infinity"), but those begin with a letter.
        text.parse().ok().filter(|number: &f64| number.is_finite()).map(Self::Float)
    }

    pub fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(&b)),
            (a, b) => a.to_f64().partial_cmp(&b.to_f64()),
        }
    }

    fn to_f64(self) -> f64 {
        match self {
            Self::Int(number) => number as f64,
            Self::Float(number) => number,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_number() {
        for (text, expected) in [
            ("0", Some(Number::Int(0))),
            ("-007", Some(Number::Int(-7))),
            ("+5", Some(Number::Int(5))),
            ("9223372036854775808", Some(Number::Int(9_223_372_036_854_775_808))),
            ("1.5", Some(Number::Float(1.5))),
            (".5", Some(Number::Float(0.5))),
            ("1e+3", Some(Number::Float(1000.0))),
            ("-1E-3", Some(Number::Float(-0.001))),
            ("", None),
            ("-", None),
            (".", None),
            ("1.", None),
            ("-0.", None),
            ("e5", None),
            ("1e", None),
            ("--1", None),
            ("1e999", None),
            ("nan", None),
            ("-inf", None),
            ("0x10", None),
            ("1_000", None),
            ("10.0.0.1", None),
            ("6 ", None),
        ] {
            assert_eq!(Number::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn whole_numbers_compare_exactly() {
        let number = |text| Number::parse(text).unwrap();
        for (a, b, expected) in [
            ("9007199254740993", "9007199254740992", Ordering::Greater),
            ("1000", "1e3", Ordering::Equal),
            ("-1", "-0.5", Ordering::Less),
        ] {
            assert_eq!(number(a).compare(number(b)), Some(expected), "{a} {b}");
        }
    }
}
