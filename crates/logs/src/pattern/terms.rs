//! Unstructured patterns: terms that a message contains, or not.
//!
//! ```text
//! pattern = item *(blanks item)
//! item    = ["?" | "-"] (bare | '"' text '"' | "%" regex "%")
//! ```
//!
//! Plain terms must all be there; of those with `?` one must, unless there are
//! terms without `?`: then those with it are ignored. Terms with `-` must not
//! be there. A term is a substring, not a word.
//!
//! Source: user guide, "Match terms in unstructured log events".

use super::lex::{Cursor, Written};
use super::{PatternError, regex};
use ::regex::Regex;
use memchr::memmem::Finder;

#[derive(Debug, Clone, Default)]
pub(super) struct Terms {
    all: Vec<Term>,
    any: Vec<Term>,
    none: Vec<Term>,
}

#[derive(Debug, Clone)]
enum Term {
    Literal(Box<Finder<'static>>),
    Regex(Regex),
}

pub(super) fn parse(cursor: &mut Cursor) -> Result<Terms, PatternError> {
    let mut terms = Terms::default();
    loop {
        let into = match cursor {
            _ if cursor.eat("?") => &mut terms.any,
            _ if cursor.eat("-") => &mut terms.none,
            _ => &mut terms.all,
        };
        let start = cursor.clone();
        let term = match term(cursor)? {
            Written::Bare(text) => Term::literal(text),
            Written::Quoted(text) => Term::literal(&text),
            Written::Regex(text) => Term::Regex(regex::compile(text).map_err(|reason| start.error(reason))?),
        };
        into.push(term);
        let after = cursor.clone();
        cursor.skip_blanks();
        match cursor.peek() {
            None => break,
            Some(_) if after.rest().len() == cursor.rest().len() => {
                return Err(after.expected("a blank between terms"));
            }
            Some(_) => {}
        }
    }
    if !terms.all.is_empty() || !terms.none.is_empty() {
        terms.any.clear();
    }
    // `" "` is AWS's way to say "every event".
    terms.all.retain(|term| !term.is_blank());
    if terms.any.iter().any(Term::is_blank) {
        terms.any.clear();
    }
    Ok(terms)
}

/// Bare terms may hold any character but quotes, though AWS wants all but
/// letters, digits and `_` quoted.
fn term<'p>(cursor: &mut Cursor<'p>) -> Result<Written<'p>, PatternError> {
    match cursor.peek() {
        Some('"') => cursor.quoted().map(Written::Quoted),
        Some('%') => cursor.regex().map(Written::Regex),
        _ => {
            let start = cursor.clone();
            match cursor.take_while(|c| !c.is_whitespace()) {
                "" => Err(start.expected("a term")),
                word if word.contains('"') => Err(start.invalid_characters(word)),
                word => Ok(Written::Bare(word)),
            }
        }
    }
}

impl Term {
    fn literal(text: &str) -> Self {
        Self::Literal(Box::new(Finder::new(text).into_owned()))
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Literal(finder) => std::str::from_utf8(finder.needle()).ok(),
            Self::Regex(_) => None,
        }
    }

    fn is_blank(&self) -> bool {
        self.text().is_some_and(|text| text.trim().is_empty())
    }

    fn is_in(&self, message: &str) -> bool {
        match self {
            Self::Literal(finder) => finder.find(message.as_bytes()).is_some(),
            Self::Regex(regex) => regex.is_match(message),
        }
    }
}

impl Terms {
    pub fn matches_everything(&self) -> bool {
        self.all.is_empty() && self.any.is_empty() && self.none.is_empty()
    }

    pub fn matches(&self, message: &str) -> bool {
        self.all.iter().all(|term| term.is_in(message))
            && (self.any.is_empty() || self.any.iter().any(|term| term.is_in(message)))
            && !self.none.iter().any(|term| term.is_in(message))
    }

    /// Texts of which every matching message has one; none if nothing is known.
    pub fn one_of(&self) -> Vec<&str> {
        match self.literal() {
            Some(literal) => vec![literal],
            None => self.any.iter().map(Term::text).collect::<Option<_>>().unwrap_or_default(),
        }
    }

    pub fn literal(&self) -> Option<&str> {
        let only = match self.any.as_slice() {
            [only] => Some(only),
            _ => None,
        };
        self.all.iter().chain(only).filter_map(Term::text).max_by_key(|text| text.len())
    }
}
