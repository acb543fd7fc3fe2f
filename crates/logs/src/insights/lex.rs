//! Text to tokens, one at a time: whether `/` divides or begins a regular
//! expression is for the parser to say.

use super::QueryError;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A name, keyword or function.
    Word(String),
    /// A name between backticks.
    Quoted(String),
    Text(String),
    Number(f64),
    /// `5m`: a number with letters right behind it.
    Period(u64, String),
    Symbol(&'static str),
    End,
}

/// Longer ones first.
const SYMBOLS: [&str; 20] =
    ["!=", "<=", ">=", "=~", "=", "<", ">", "+", "-", "*", "/", "^", "%", "(", ")", "[", "]", ",", "|", "."];

pub(super) struct Lexer<'a> {
    pub text: &'a str,
    /// Where the next token is looked for, bytes.
    pub at: usize,
}

impl<'a> Lexer<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Passes over spaces and comments.
    pub fn skip(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if !trimmed.starts_with('#') {
                return;
            }
            self.at += trimmed.find('\n').unwrap_or(trimmed.len());
        }
    }

    /// An error about the bytes from `start` to `end`.
    pub fn error(&self, start: usize, end: usize, message: impl Into<String>) -> QueryError {
        let chars = |at: usize| self.text.get(..at).map_or(0, |before| before.chars().count());
        QueryError { message: message.into(), start: chars(start), end: chars(end.max(start)) }
    }

    /// The next token and where it begins; the lexer then stands behind it.
    pub fn next(&mut self) -> Result<(Token, usize), QueryError> {
        self.skip();
        let start = self.at;
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok((Token::End, start)) };
        let token = match first {
            '"' | '\'' => Token::Text(self.quoted(first)?),
            '`' => {
                let Some(length) = rest.get(1..).and_then(|rest| rest.find('`')) else {
                    return Err(self.error(start, self.text.len(), "a ` has no counterpart"));
                };
                self.at += length + 2;
                Token::Quoted(rest.get(1..1 + length).unwrap_or_default().to_owned())
            }
            '0'..='9' => self.number()?,
            c if c.is_alphabetic() || c == '_' || c == '@' => {
                let is_part = |c: char| c.is_alphanumeric() || "_@.".contains(c);
                let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
                let word = rest.get(..length).unwrap_or_default().trim_end_matches('.');
                self.at += word.len();
                Token::Word(word.to_owned())
            }
            _ => {
                let symbol = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol));
                let Some(symbol) = symbol else {
                    return Err(self.unexpected(start, start + first.len_utf8()));
                };
                self.at += symbol.len();
                Token::Symbol(symbol)
            }
        };
        Ok((token, start))
    }

    fn quoted(&mut self, quote: char) -> Result<String, QueryError> {
        let start = self.at;
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, 'r')) => text.push('\r'),
                    Some((_, c)) if c == quote || c == '\\' => text.push(c),
                    // `\*`, which means something to parse, and all others stay.
                    Some((_, c)) => text.extend(['\\', c]),
                    None => break,
                },
                c if c == quote => {
                    self.at += at + 1;
                    return Ok(text);
                }
                c => text.push(c),
            }
        }
        Err(self.error(start, self.text.len(), "a text has no closing quote"))
    }

    fn number(&mut self) -> Result<Token, QueryError> {
        let start = self.at;
        let rest = self.rest();
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let mut length = digits(rest);
        let is_whole = !rest.get(length + 1..).is_some_and(|after| {
            rest.get(length..=length) == Some(".") && after.starts_with(|c: char| c.is_ascii_digit())
        });
        if !is_whole {
            length += 1 + digits(rest.get(length + 1..).unwrap_or_default());
        }
        let after = rest.get(length..).unwrap_or_default();
        let letters = after.find(|c: char| !c.is_alphanumeric()).unwrap_or(after.len());
        let unit = after.get(..letters).unwrap_or_default();
        let exponent = unit.strip_prefix(['e', 'E']).unwrap_or_default();
        if !exponent.is_empty() && digits(exponent) == exponent.len() {
            length += letters;
        } else if letters > 0 {
            self.at += length + letters;
            let count = rest.get(..length).unwrap_or_default().parse().ok();
            return match count {
                Some(count) => Ok(Token::Period(count, unit.to_owned())),
                None => Err(self.unexpected(start, self.at)),
            };
        }
        self.at += length;
        let text = rest.get(..length).unwrap_or_default();
        text.parse().map(Token::Number).map_err(|_| self.unexpected(start, self.at))
    }

    /// `/…/`, if one begins here. `\/` within is a slash.
    pub fn regex(&mut self) -> Result<Option<(String, usize)>, QueryError> {
        self.skip();
        let start = self.at;
        let Some(rest) = self.rest().strip_prefix('/') else { return Ok(None) };
        let mut text = String::new();
        let mut chars = rest.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '/' => {
                    self.at += at + 2;
                    return Ok(Some((text, start)));
                }
                '\\' => match chars.next() {
                    Some((_, '/')) => text.push('/'),
                    Some((_, c)) => text.extend(['\\', c]),
                    None => break,
                },
                c => text.push(c),
            }
        }
        Err(self.error(start, self.text.len(), "a regular expression has no closing /"))
    }

    /// What AWS says of a token that cannot stand where it does.
    pub fn unexpected(&self, start: usize, end: usize) -> QueryError {
        let found = match self.text.get(start..end) {
            None | Some("") => "<EOF>",
            Some(found) => found,
        };
        let before = self.text.get(..start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let position = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let message = format!("unexpected symbol found {found} at line {line} and position {position}");
        self.error(start, end, message)
    }
}
