//! CloudWatch Logs filter patterns: compiled once, then matched message by
//! message. FilterLogEvents, metric filters, subscription filters, Live Tail
//! and `weir filter` all use this one evaluator.
//!
//! ```text
//! ERROR -"not found" %^[45]\d\d%                  terms: substrings and regular expressions
//! { $.action = "REJECT" && $.dstport < 1024 }     JSON: one that begins with {
//! [..., action="REJECT", status]                  space-delimited: one that begins with [
//! ```
//!
//! Everything is case-sensitive. A message's last line end (`\n` or `\r\n`) is
//! no part of it. Matching allocates nothing, except when a JSON message spells
//! a string with escapes.
//!
//! Not for: metric values and dimensions, which are read from what
//! [`Pattern::extract`] gives.
//!
//! Source: CloudWatch Logs user guide, "Filter pattern syntax"; the cases of
//! its samples are in `tests/data/filter-pattern-cases.jsonl`.

mod error;
mod glob;
mod json;
mod json_parse;
mod lex;
mod number;
#[cfg(test)]
mod oracle;
mod regex;
mod space;
mod terms;
mod test;
#[cfg(test)]
mod tests;
mod value;

pub use error::PatternError;
pub use value::{Reference, Values};

use json::JsonPattern;
use lex::Cursor;
use memchr::memmem::Finder;
pub(crate) use space::FieldTest;
use space::SpacePattern;
use terms::Terms;

/// The longest pattern, in characters. Source: FilterLogEvents, `filterPattern`.
pub const MAX_PATTERN_CHARS: usize = 1024;

/// The most regular expressions in one JSON or space-delimited pattern.
/// Source: user guide, "Supported regular expressions (regex) syntax".
const MAX_REGEXES: usize = 2;

/// A compiled filter pattern.
///
/// ```
/// use weir_logs::pattern::Pattern;
///
/// let rejected = Pattern::parse("[..., dstport=22, protocol, packets, bytes, start, end, action=REJECT, status]")?;
/// assert!(rejected.matches("2 1 eni-1 192.0.2.1 10.0.0.5 39611 22 6 1 40 1563108188 1563108227 REJECT OK"));
/// assert_eq!(rejected.literal(), Some("REJECT"));
/// # Ok::<(), weir_logs::pattern::PatternError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    syntax: Syntax,
    /// What a message must contain, looked for before it is cut into tokens.
    prefilter: Option<Finder<'static>>,
    has_regex: bool,
}

#[derive(Debug, Clone)]
enum Syntax {
    Everything,
    Terms(Terms),
    Json(JsonPattern),
    Space(SpacePattern),
}

/// What a pattern asks of a message of which only the tokens are known.
pub(crate) enum OnTokens<'p> {
    /// No message of so many tokens matches.
    Never,
    /// Exactly the messages match for whose tokens, counted from 0, the tests hold.
    Fields(Vec<(usize, FieldTest<'p>)>),
    /// Only the message itself tells, which has one of these texts if it
    /// matches; without any texts nothing is known of it.
    Message(Vec<&'p str>),
}

impl Pattern {
    /// Checks and compiles a pattern. A blank one matches every message.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let mut cursor = Cursor::new(text);
        if text.chars().count() > MAX_PATTERN_CHARS {
            return Err(cursor.error(format!("the pattern is longer than {MAX_PATTERN_CHARS} characters")));
        }
        cursor.skip_blanks();
        let syntax = match cursor.peek() {
            None => Syntax::Everything,
            Some('{') => Syntax::Json(json_parse::parse(&mut cursor)?),
            Some('[') => Syntax::Space(space::parse(&mut cursor)?),
            Some(_) => Syntax::Terms(terms::parse(&mut cursor)?),
        };
        let prefilter = match &syntax {
            Syntax::Space(space) => space.literal().map(|literal| Finder::new(literal).into_owned()),
            _ => None,
        };
        Ok(Self { text: text.to_owned(), syntax, prefilter, has_regex: cursor.has_regex })
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether there is a regular expression in it: AWS limits how many such
    /// filters a group has.
    pub fn has_regex(&self) -> bool {
        self.has_regex
    }

    /// Whether every message matches, so that none needs to be read.
    pub fn matches_everything(&self) -> bool {
        match &self.syntax {
            Syntax::Everything => true,
            Syntax::Terms(terms) => terms.matches_everything(),
            Syntax::Space(space) => space.matches_everything(),
            Syntax::Json(_) => false,
        }
    }

    /// A text that every matching message contains, without line ends: whoever
    /// searches files looks for it first and gives [`matches`](Self::matches)
    /// only the lines that have it. `None`: the pattern implies none.
    pub fn literal(&self) -> Option<&str> {
        let literal = match &self.syntax {
            Syntax::Terms(terms) => terms.literal(),
            Syntax::Space(space) => space.literal(),
            // A JSON string may be spelled with escapes.
            Syntax::Everything | Syntax::Json(_) => None,
        };
        literal.filter(|literal| !literal.contains(['\r', '\n']))
    }

    /// Whether the message matches.
    pub fn matches(&self, message: &str) -> bool {
        let message = without_line_end(message);
        if let Some(finder) = &self.prefilter
            && finder.find(message.as_bytes()).is_none()
        {
            return false;
        }
        match &self.syntax {
            Syntax::Everything => true,
            Syntax::Terms(terms) => terms.matches(message),
            Syntax::Json(json) => json.matches(message),
            Syntax::Space(space) => space.matches(message),
        }
    }

    /// What must hold for messages of so many tokens, none of them quoted or in
    /// brackets, with one blank between them.
    pub(crate) fn on_tokens(&self, tokens: usize) -> OnTokens<'_> {
        match &self.syntax {
            Syntax::Space(space) => space.on_tokens(tokens),
            Syntax::Everything => OnTokens::Fields(Vec::new()),
            Syntax::Terms(terms) => OnTokens::Message(terms.one_of()),
            Syntax::Json(_) => OnTokens::Message(Vec::new()),
        }
    }

    /// The values that TestMetricFilter and Lambda's `extractedFields` show for
    /// a matching message, in the message's order: `$name` of a named field,
    /// `$4` of the fourth token when no field names it. Terms and JSON patterns
    /// extract nothing. `None`: the message does not match.
    pub fn extract(&self, message: &str) -> Option<Vec<(String, String)>> {
        self.matches(message).then(|| match &self.syntax {
            Syntax::Space(space) => space.extract(without_line_end(message)),
            Syntax::Everything | Syntax::Terms(_) | Syntax::Json(_) => Vec::new(),
        })
    }
}

fn without_line_end(message: &str) -> &str {
    let line = message.strip_suffix('\n').unwrap_or(message);
    line.strip_suffix('\r').unwrap_or(line)
}
