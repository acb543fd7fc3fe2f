//! Space-delimited patterns: one field per token of the line.
//!
//! ```text
//! pattern = "[" [field *("," field)] "]"
//! field   = "..." | name | condition *(("&&" | "||") condition) | nothing
//! condition = name operator value      the same name in the whole field
//!
//! message = *(blanks token)            blanks: spaces and tabs
//! token   = "[" text "]" | '"' text '"' | run of other characters
//! ```
//!
//! Fields bind to tokens from the left, those after `...` from the right. The
//! last field takes the rest of the line, as it is written, when more tokens
//! follow and there is no `...`. A bracket or quote that is never closed is a
//! plain character.
//!
//! Source: user guide, "Match terms in space-delimited log events".

use super::lex::Cursor;
use super::number::Number;
use super::test::{self, Test};
use super::{OnTokens, PatternError};
use memchr::{memchr, memchr2};

#[derive(Debug, Clone)]
pub(super) struct SpacePattern {
    left: Vec<Field>,
    /// The fields after `...`; `None`: there is no `...`.
    right: Option<Vec<Field>>,
}

#[derive(Debug, Clone, Default)]
struct Field {
    name: Option<String>,
    /// One of the groups must hold, with all of its tests; none: anything does.
    any_of: Vec<Vec<Test>>,
}

pub(super) fn parse(cursor: &mut Cursor) -> Result<SpacePattern, PatternError> {
    let (mut left, mut right) = (Vec::new(), None);
    let mut regexes = 0;
    cursor.expect("[")?;
    cursor.skip_blanks();
    if cursor.eat("]") {
        cursor.expect_end()?;
        return Ok(SpacePattern { left, right: Some(Vec::new()) });
    }
    loop {
        cursor.skip_blanks();
        let start = cursor.clone();
        if cursor.eat("...") {
            if right.replace(Vec::new()).is_some() {
                return Err(start.error("'...' stands twice"));
            }
        } else {
            right.as_mut().unwrap_or(&mut left).push(field(cursor, &mut regexes)?);
        }
        cursor.skip_blanks();
        if cursor.eat("]") {
            break;
        }
        if !cursor.eat(",") {
            return Err(cursor.expected("',' or ']'"));
        }
    }
    cursor.expect_end()?;
    Ok(SpacePattern { left, right })
}

fn field(cursor: &mut Cursor, regexes: &mut usize) -> Result<Field, PatternError> {
    let name = name(cursor);
    if name.is_empty() {
        return match cursor.peek() {
            Some(',' | ']') => Ok(Field::default()),
            _ => Err(cursor.expected("a field name")),
        };
    }
    let mut field = Field { name: Some(name.to_owned()), any_of: Vec::new() };
    cursor.skip_blanks();
    if matches!(cursor.peek(), Some(',' | ']')) {
        return Ok(field);
    }
    let mut group = Vec::new();
    loop {
        group.push(test::parse(cursor, &[',', ']'], regexes)?);
        cursor.skip_blanks();
        if cursor.eat("||") {
            field.any_of.push(std::mem::take(&mut group));
        } else if !cursor.eat("&&") {
            field.any_of.push(group);
            return Ok(field);
        }
        cursor.skip_blanks();
        let start = cursor.clone();
        let again = self::name(cursor);
        if again != name {
            return Err(
                start.error(format!("conditions of one field need one name: '{name}', not '{again}'"))
            );
        }
        cursor.skip_blanks();
    }
}

fn name<'p>(cursor: &mut Cursor<'p>) -> &'p str {
    cursor.take_while(|c| !c.is_whitespace() && !"=!<>,[]\"%&|".contains(c))
}

impl Field {
    fn holds(&self, value: &str) -> bool {
        self.any_of.is_empty()
            || self.any_of.iter().any(|group| group.iter().all(|test| test.holds_for_token(value)))
    }
}

/// The conditions of one field.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FieldTest<'p>(&'p Field);

impl FieldTest<'_> {
    pub fn holds(&self, token: &str) -> bool {
        self.0.holds(token)
    }

    /// For a token that is a number without sign or zeros before it. `None`:
    /// some condition looks at its text.
    pub fn holds_for_number(&self, number: i64) -> Option<bool> {
        if self.0.any_of.iter().flatten().any(Test::needs_text) {
            return None;
        }
        let number = Number::Int(number.into());
        let holds = |group: &Vec<Test>| group.iter().all(|test| test.holds_for_number(number, ""));
        Some(self.0.any_of.is_empty() || self.0.any_of.iter().any(holds))
    }
}

impl SpacePattern {
    /// See [`Pattern::on_tokens`](super::Pattern::on_tokens).
    pub fn on_tokens(&self, tokens: usize) -> OnTokens<'_> {
        let right = self.right.as_deref().unwrap_or_default();
        let Some(right_begins) = tokens.checked_sub(right.len()).filter(|&begins| begins >= self.left.len())
        else {
            return OnTokens::Never;
        };
        if self.right.is_none() {
            match self.left.last() {
                None => return OnTokens::Never,
                // It takes the rest of the line.
                Some(last) if tokens > self.left.len() && !last.any_of.is_empty() => {
                    return OnTokens::Message(self.literal().into_iter().collect());
                }
                Some(_) => {}
            }
        }
        let left = self.left.iter().enumerate();
        let right = right.iter().enumerate().map(|(i, field)| (right_begins + i, field));
        let tested = left.chain(right).filter(|(_, field)| !field.any_of.is_empty());
        OnTokens::Fields(tested.map(|(token, field)| (token, FieldTest(field))).collect())
    }

    pub fn matches_everything(&self) -> bool {
        self.left.is_empty() && self.right.as_ref().is_some_and(Vec::is_empty)
    }

    pub fn matches(&self, message: &str) -> bool {
        let mut tokens = Tokens::new(message);
        let Some(right) = &self.right else {
            let Some((last, before)) = self.left.split_last() else { return false };
            return before.iter().all(|field| tokens.next().is_some_and(|token| field.holds(token.value)))
                && tokens.next().is_some_and(|token| last.holds(tokens.rest_of_line(token)));
        };
        if !self.left.iter().all(|field| tokens.next().is_some_and(|token| field.holds(token.value))) {
            return false;
        }
        if right.is_empty() {
            return true;
        }
        match tokens.clone().count().checked_sub(right.len()) {
            Some(between) => tokens.skip(between).zip(right).all(|(token, field)| field.holds(token.value)),
            None => false,
        }
    }

    /// Of a message that matches.
    pub fn extract(&self, message: &str) -> Vec<(String, String)> {
        let mut tokens = Tokens::new(message);
        let from_right = self.right.as_deref().unwrap_or_default();
        let right_begins = tokens.clone().count().saturating_sub(from_right.len());
        let mut extracted = Vec::new();
        while let Some(token) = tokens.next() {
            let at = extracted.len();
            let field = match at.checked_sub(right_begins) {
                Some(at) if self.right.is_some() => from_right.get(at),
                _ => self.left.get(at),
            };
            let mut value = token.value;
            let key = match field.and_then(|field| field.name.as_deref()) {
                Some(name) => {
                    if self.right.is_none() && at + 1 == self.left.len() {
                        value = tokens.rest_of_line(token);
                        tokens.at = message.len();
                    }
                    format!("${name}")
                }
                None => format!("${}", at + 1),
            };
            extracted.push((key, value.to_owned()));
        }
        extracted
    }

    /// The longest text that some field's conditions demand.
    pub fn literal(&self) -> Option<&str> {
        let fields = self.left.iter().chain(self.right.iter().flatten());
        let demanded = fields.filter_map(|field| match field.any_of.as_slice() {
            [group] => Some(group.iter().filter_map(Test::literal)),
            _ => None,
        });
        demanded.flatten().max_by_key(|literal| literal.len())
    }
}

/// The tokens of a message, from the left.
#[derive(Debug, Clone)]
struct Tokens<'m> {
    message: &'m str,
    /// In bytes.
    at: usize,
}

#[derive(Debug, Clone, Copy)]
struct Token<'m> {
    /// Of its first byte, delimiter included.
    start: usize,
    /// Without delimiters.
    value: &'m str,
}

impl<'m> Tokens<'m> {
    fn new(message: &'m str) -> Self {
        Self { message, at: 0 }
    }

    fn rest(&self) -> &'m str {
        self.message.get(self.at..).unwrap_or_default()
    }

    /// The value of `token`, the newest one, or all from it to the line's end
    /// if there are more tokens.
    fn rest_of_line(&self, token: Token<'m>) -> &'m str {
        if self.rest().trim_matches(BLANKS).is_empty() {
            return token.value;
        }
        self.message.get(token.start..).unwrap_or_default().trim_end_matches(BLANKS)
    }
}

const BLANKS: [char; 2] = [' ', '\t'];

impl<'m> Iterator for Tokens<'m> {
    type Item = Token<'m>;

    fn next(&mut self) -> Option<Token<'m>> {
        let rest = self.rest().trim_start_matches(BLANKS);
        let start = self.message.len() - rest.len();
        let closing = match rest.bytes().next()? {
            b'[' => Some(b']'),
            b'"' => Some(b'"'),
            _ => None,
        };
        let inner = rest.get(1..).unwrap_or_default();
        if let Some(closing) = closing
            && let Some(end) = memchr(closing, inner.as_bytes())
        {
            self.at = start + end + 2;
            return Some(Token { start, value: inner.get(..end).unwrap_or_default() });
        }
        let end = memchr2(b' ', b'\t', rest.as_bytes()).unwrap_or(rest.len());
        self.at = start + end;
        Some(Token { start, value: rest.get(..end).unwrap_or_default() })
    }
}
