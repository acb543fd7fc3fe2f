//! Which partitions GetPartitions shows: comparisons of keys with literals,
//! `AND`, `OR`, `NOT`, `IN`, `BETWEEN`, `LIKE`.
//!
//! A value is compared as a number if the key's type is one, else as text.
//!
//! Source: Glue API, `GetPartitions`, "Expression".

use super::required::invalid;
use crate::error::ApiError;
use std::cmp::Ordering;
use weir_control::catalog::Column;

/// Parentheses within parentheses, at most.
const DEPTH: usize = 64;

#[derive(Debug)]
pub enum Expression {
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Not(Box<Expression>),
    Compare(Key, &'static str, String),
    In(Key, Vec<String>),
    Between(Key, String, String),
    Like(Key, String),
}

/// A key by its place.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    place: usize,
    is_number: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Literal(String),
    Sign(&'static str),
}

const SIGNS: [&str; 10] = ["<=", ">=", "<>", "!=", "=", "<", ">", "(", ")", ","];

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            found.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else if first == '\'' || first == '"' || first == '`' {
            let (mut value, mut left) = (String::new(), &rest[1..]);
            loop {
                let end = left.find(first)?;
                value.push_str(&left[..end]);
                left = &left[end + 1..];
                match left.strip_prefix(first) {
                    Some(more) => {
                        value.push(first);
                        left = more;
                    }
                    None => break,
                }
            }
            found.push(if first == '`' { Token::Word(value) } else { Token::Literal(value) });
            rest = left;
        } else {
            let is_part = |c: char| c.is_alphanumeric() || "_-.".contains(c);
            let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            if end == 0 {
                return None;
            }
            let word = &rest[..end];
            let is_number = word.parse::<f64>().is_ok();
            found.push(if is_number {
                Token::Literal(word.to_owned())
            } else {
                Token::Word(word.to_owned())
            });
            rest = &rest[end..];
        }
        rest = rest.trim_start();
    }
    Some(found)
}

struct Parser<'a> {
    tokens: &'a [Token],
    keys: &'a [Column],
}

impl Parser<'_> {
    fn word(&mut self, word: &str) -> bool {
        match self.tokens.split_first() {
            Some((Token::Word(found), rest)) if found.eq_ignore_ascii_case(word) => {
                self.tokens = rest;
                true
            }
            _ => false,
        }
    }

    fn sign(&mut self, sign: &str) -> Option<&'static str> {
        match self.tokens.split_first() {
            Some((Token::Sign(found), rest)) if *found == sign => {
                self.tokens = rest;
                Some(found)
            }
            _ => None,
        }
    }

    fn literal(&mut self) -> Option<String> {
        // DATE '2020-01-01' is the text.
        if matches!(self.tokens, [Token::Word(_), Token::Literal(_), ..]) {
            self.tokens = &self.tokens[1..];
        }
        match self.tokens.split_first() {
            Some((Token::Literal(value), rest)) => {
                self.tokens = rest;
                Some(value.clone())
            }
            _ => None,
        }
    }

    fn any(&mut self, depth: usize) -> Option<Expression> {
        let mut all = vec![self.all(depth)?];
        while self.word("OR") {
            all.push(self.all(depth)?);
        }
        Some(if all.len() == 1 { all.remove(0) } else { Expression::Or(all) })
    }

    fn all(&mut self, depth: usize) -> Option<Expression> {
        let mut all = vec![self.one(depth)?];
        while self.word("AND") {
            all.push(self.one(depth)?);
        }
        Some(if all.len() == 1 { all.remove(0) } else { Expression::And(all) })
    }

    fn one(&mut self, depth: usize) -> Option<Expression> {
        if depth > DEPTH {
            return None;
        }
        if self.word("NOT") {
            return Some(Expression::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.sign("(").is_some() {
            let inside = self.any(depth + 1)?;
            self.sign(")")?;
            return Some(inside);
        }
        let Some((Token::Word(name), rest)) = self.tokens.split_first() else { return None };
        let place = self.keys.iter().position(|key| key.name.eq_ignore_ascii_case(name))?;
        self.tokens = rest;
        let kind = self.keys[place].data_type.as_deref().unwrap_or("string");
        let is_number = ["int", "bigint", "smallint", "tinyint", "float", "double"].contains(&kind)
            || kind.starts_with("decimal");
        let key = Key { place, is_number };
        let negated = self.word("NOT");
        let found = if self.word("IN") {
            self.sign("(")?;
            let mut list = vec![self.literal()?];
            while self.sign(",").is_some() {
                list.push(self.literal()?);
            }
            self.sign(")")?;
            Expression::In(key, list)
        } else if self.word("BETWEEN") {
            let low = self.literal()?;
            if !self.word("AND") {
                return None;
            }
            Expression::Between(key, low, self.literal()?)
        } else if self.word("LIKE") {
            Expression::Like(key, self.literal()?)
        } else {
            let sign = SIGNS[..7].iter().find_map(|sign| self.sign(sign))?;
            Expression::Compare(key, sign, self.literal()?)
        };
        Some(if negated { Expression::Not(Box::new(found)) } else { found })
    }
}

impl Expression {
    /// Errors: `InvalidInputException`.
    pub fn parse(text: &str, keys: &[Column]) -> Result<Self, ApiError> {
        let wrong = || invalid(format!("Unsupported expression '{text}'"));
        let tokens = tokens(text).ok_or_else(wrong)?;
        let mut parser = Parser { tokens: &tokens, keys };
        let found = parser.any(0).ok_or_else(wrong)?;
        if parser.tokens.is_empty() { Ok(found) } else { Err(wrong()) }
    }

    /// Whether a partition with these values passes.
    pub fn allows(&self, values: &[String]) -> bool {
        let compare = |key: &Key, literal: &str| {
            let value = values.get(key.place).map_or("", String::as_str);
            match (key.is_number, value.parse::<f64>(), literal.parse::<f64>()) {
                (true, Ok(value), Ok(literal)) => value.total_cmp(&literal),
                _ => value.cmp(literal),
            }
        };
        match self {
            Self::And(all) => all.iter().all(|one| one.allows(values)),
            Self::Or(any) => any.iter().any(|one| one.allows(values)),
            Self::Not(one) => !one.allows(values),
            Self::In(key, list) => list.iter().any(|literal| compare(key, literal) == Ordering::Equal),
            Self::Between(key, low, high) => compare(key, low).is_ge() && compare(key, high).is_le(),
            Self::Like(key, pattern) => like(values.get(key.place).map_or("", String::as_str), pattern),
            Self::Compare(key, sign, literal) => {
                let order = compare(key, literal);
                match *sign {
                    "=" => order.is_eq(),
                    "<" => order.is_lt(),
                    ">" => order.is_gt(),
                    "<=" => order.is_le(),
                    ">=" => order.is_ge(),
                    _ => order.is_ne(),
                }
            }
        }
    }
}

/// `%` is any text, `_` any character.
fn like(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
    // Where the pattern may be after each character.
    let mut may = vec![false; pattern.len() + 1];
    may[0] = true;
    let spread = |may: &mut Vec<bool>| {
        for at in 0..pattern.len() {
            if may[at] && pattern[at] == '%' {
                may[at + 1] = true;
            }
        }
    };
    spread(&mut may);
    for letter in text {
        let mut next = vec![false; pattern.len() + 1];
        for at in 0..pattern.len() {
            if may[at] {
                match pattern[at] {
                    '%' => next[at] = true,
                    '_' => next[at + 1] = true,
                    other if other == letter => next[at + 1] = true,
                    _ => {}
                }
            }
        }
        spread(&mut next);
        may = next;
    }
    may[pattern.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_pass() {
        let keys = [Column::new("year", "int", None), Column::new("region", "string", None)];
        let values = ["2026".to_owned(), "us-east-1".to_owned()];
        for (text, expected) in [
            ("year = 2026", Some(true)),
            ("year=2026 AND region='eu-west-1'", Some(false)),
            ("year > 300 and Region LIKE 'us-%'", Some(true)),
            ("region LIKE 'us_east%2'", Some(false)),
            ("(year = 1 OR year = '2026') AND NOT region <> 'us-east-1'", Some(true)),
            ("year IN (1, 2026)", Some(true)),
            ("year NOT IN (1, 2026)", Some(false)),
            ("year BETWEEN 2025 AND 2027 AND region != 'a'", Some(true)),
            ("month = 1", None),
            ("year =", None),
            ("year = 1 year = 2", None),
            ("region = 'a", None),
        ] {
            let found = Expression::parse(text, &keys).ok().map(|expression| expression.allows(&values));
            assert_eq!(found, expected, "{text}");
        }
        assert!(Expression::parse(&"(".repeat(10_000), &keys).is_err());
    }
}
