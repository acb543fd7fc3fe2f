//! Reading a pattern's text: blanks, quoted texts, regular expressions.

use super::PatternError;
use super::regex;

/// A place in the pattern.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'p> {
    text: &'p str,
    /// In bytes, on a character's edge.
    at: usize,
    /// A regular expression was read.
    pub has_regex: bool,
}

/// A value as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Written<'p> {
    Bare(&'p str),
    /// Without its quotes and escapes.
    Quoted(String),
    /// Without its percent signs.
    Regex(&'p str),
}

impl<'p> Cursor<'p> {
    pub fn new(text: &'p str) -> Self {
        Self { text, at: 0, has_regex: false }
    }

    pub fn rest(&self) -> &'p str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub fn skip_blanks(&mut self) {
        self.take_while(char::is_whitespace);
    }

    pub fn take_while(&mut self, holds: impl Fn(char) -> bool) -> &'p str {
        self.take_to(|rest| rest.find(|c| !holds(c)))
    }

    /// All up to the place in the rest that `end` finds.
    fn take_to(&mut self, end: impl Fn(&str) -> Option<usize>) -> &'p str {
        let rest = self.rest();
        let taken = rest.get(..end(rest).unwrap_or(rest.len())).unwrap_or_default();
        self.at += taken.len();
        taken
    }

    /// Goes past `word` if it stands here.
    pub fn eat(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    pub fn expect(&mut self, word: &str) -> Result<(), PatternError> {
        if self.eat(word) { Ok(()) } else { Err(self.expected(&format!("'{word}'"))) }
    }

    pub fn error(&self, reason: impl Into<String>) -> PatternError {
        let column = 1 + self.text.get(..self.at).unwrap_or_default().chars().count();
        PatternError::Syntax { column, reason: reason.into() }
    }

    pub fn expected(&self, what: &str) -> PatternError {
        let found = self.peek().map_or("the end".to_owned(), |found| format!("'{found}'"));
        self.error(format!("expected {what}, found {found}"))
    }

    pub fn invalid_characters(&self, term: &str) -> PatternError {
        PatternError::InvalidCharacters { column: self.error("").column(), term: term.to_owned() }
    }

    /// Only blanks may follow.
    pub fn expect_end(&mut self) -> Result<(), PatternError> {
        self.skip_blanks();
        if self.rest().is_empty() { Ok(()) } else { Err(self.expected("the end")) }
    }

    /// A quoted text, a regular expression, or a bare word that ends where
    /// `ends` says: before a blank, one of `stops`, `&&` or `||`.
    pub fn value(&mut self, stops: &[char]) -> Result<Written<'p>, PatternError> {
        match self.peek() {
            Some('"') => self.quoted().map(Written::Quoted),
            Some('%') => self.regex().map(Written::Regex),
            _ => {
                let start = self.clone();
                let word = self.take_to(|rest| {
                    rest.char_indices().map(|(i, c)| (i, c, rest.get(i..).unwrap_or_default())).find_map(
                        |(i, c, here)| {
                            let ends = c.is_whitespace() || stops.contains(&c);
                            (ends || here.starts_with("&&") || here.starts_with("||")).then_some(i)
                        },
                    )
                });
                match word {
                    "" => Err(start.expected("a value")),
                    _ if word.contains('"') => Err(start.invalid_characters(word)),
                    _ => Ok(Written::Bare(word)),
                }
            }
        }
    }

    /// `"text"`; `\"` stands for a quote, any other backslash for itself.
    pub fn quoted(&mut self) -> Result<String, PatternError> {
        let start = self.clone();
        self.expect("\"")?;
        let mut text = String::new();
        loop {
            text.push_str(self.take_while(|c| c != '"'));
            if !self.eat("\"") {
                return Err(start.error("the quote is not closed"));
            }
            if !text.ends_with('\\') {
                return Ok(text);
            }
            text.pop();
            text.push('"');
        }
    }

    /// `%regex%`, with the characters that AWS allows.
    pub fn regex(&mut self) -> Result<&'p str, PatternError> {
        let start = self.clone();
        self.expect("%")?;
        self.has_regex = true;
        let regex = self.take_while(|c| c != '%');
        if !self.eat("%") {
            return Err(start.error("the regular expression has no closing '%'"));
        }
        match regex {
            "" => Err(start.error("the regular expression is empty")),
            _ if !regex::has_allowed_characters(regex) => {
                Err(start.invalid_characters(&format!("%{regex}%")))
            }
            _ => Ok(regex),
        }
    }
}
