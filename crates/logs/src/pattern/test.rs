//! One comparison of a value with what the pattern says, in JSON and
//! space-delimited patterns alike.

use super::glob::Glob;
use super::lex::{Cursor, Written};
use super::number::Number;
use super::{MAX_REGEXES, PatternError, regex};
use ::regex::Regex;
use std::cmp::Ordering;

#[derive(Debug, Clone)]
pub(super) struct Test {
    /// Of `!=`.
    negated: bool,
    expected: Expected,
}

#[derive(Debug, Clone)]
enum Expected {
    Text(String),
    Glob(Glob),
    Regex(Regex),
    /// An unquoted number after `=` or `!=`.
    Number(Number, String),
    /// The sides that `<`, `<=`, `>` or `>=` allow: of the value to the number.
    Order(Number, &'static [Ordering]),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Order(&'static [Ordering]),
}

/// An operator and a value; the value is read up to one of `stops`.
/// `regexes` counts the regular expressions of the pattern.
pub(super) fn parse(cursor: &mut Cursor, stops: &[char], regexes: &mut usize) -> Result<Test, PatternError> {
    let operator = operator(cursor)?;
    cursor.skip_blanks();
    let start = cursor.clone();
    let value = cursor.value(stops)?;
    let expected = match (operator, value) {
        (Operator::Order(_), Written::Regex(_)) => {
            return Err(start.error("a regular expression needs = or !="));
        }
        (_, Written::Regex(text)) => {
            *regexes += 1;
            if *regexes > MAX_REGEXES {
                return Err(start.error(format!("more than {MAX_REGEXES} regular expressions")));
            }
            Expected::Regex(regex::compile(text).map_err(|reason| start.error(reason))?)
        }
        (Operator::Order(sides), Written::Bare(text)) => in_order(&start, text, sides)?,
        (Operator::Order(sides), Written::Quoted(text)) => in_order(&start, &text, sides)?,
        (_, Written::Bare(text)) => match Number::parse(text) {
            Some(number) => Expected::Number(number, text.to_owned()),
            None => text_or_glob(text),
        },
        (_, Written::Quoted(text)) => text_or_glob(&text),
    };
    Ok(Test { negated: operator == Operator::NotEqual, expected })
}

fn in_order(start: &Cursor, text: &str, sides: &'static [Ordering]) -> Result<Expected, PatternError> {
    let number = Number::parse(text).ok_or_else(|| start.expected("a number after <, <=, > or >="))?;
    Ok(Expected::Order(number, sides))
}

fn text_or_glob(text: &str) -> Expected {
    Glob::new(text).map_or_else(|| Expected::Text(text.to_owned()), Expected::Glob)
}

fn operator(cursor: &mut Cursor) -> Result<Operator, PatternError> {
    use Ordering::{Equal, Greater, Less};
    // The longer ones first: `<` begins `<=`.
    let operators = [
        ("!=", Operator::NotEqual),
        ("<=", Operator::Order(&[Less, Equal])),
        (">=", Operator::Order(&[Greater, Equal])),
        ("<", Operator::Order(&[Less])),
        (">", Operator::Order(&[Greater])),
        ("=", Operator::Equal),
    ];
    let found = operators.into_iter().find(|(word, _)| cursor.eat(word));
    found.map(|(_, operator)| operator).ok_or_else(|| cursor.expected("=, !=, <, <=, > or >="))
}

impl Test {
    /// On a token of a line: numbers where both sides are numbers.
    pub fn holds_for_token(&self, token: &str) -> bool {
        match &self.expected {
            Expected::Number(..) | Expected::Order(..) => match Number::parse(token) {
                Some(number) => self.holds_for_number(number, token),
                None => self.holds_for_text(token),
            },
            _ => self.holds_for_text(token),
        }
    }

    /// On a text that is no number, even if it looks like one.
    pub fn holds_for_text(&self, text: &str) -> bool {
        self.negated
            != match &self.expected {
                Expected::Text(expected) | Expected::Number(_, expected) => text == expected,
                Expected::Glob(glob) => glob.matches(text),
                Expected::Regex(regex) => regex.is_match(text),
                Expected::Order(..) => false,
            }
    }

    /// On a number with its decimal text.
    pub fn holds_for_number(&self, number: Number, text: &str) -> bool {
        match &self.expected {
            Expected::Number(expected, _) => {
                self.negated != (number.compare(*expected) == Some(Ordering::Equal))
            }
            Expected::Order(expected, sides) => {
                number.compare(*expected).is_some_and(|side| sides.contains(&side))
            }
            _ => self.holds_for_text(text),
        }
    }

    /// Whether a number's text matters, not only what it is.
    pub fn needs_text(&self) -> bool {
        !matches!(self.expected, Expected::Number(..) | Expected::Order(..))
    }

    /// A text that every value contains for which the test holds.
    pub fn literal(&self) -> Option<&str> {
        let literal = match &self.expected {
            _ if self.negated => return None,
            Expected::Text(text) => text,
            Expected::Glob(glob) => glob.longest_part(),
            // `22` is also written `22.0`.
            Expected::Number(..) | Expected::Order(..) | Expected::Regex(_) => return None,
        };
        Some(literal).filter(|literal| !literal.is_empty())
    }
}
