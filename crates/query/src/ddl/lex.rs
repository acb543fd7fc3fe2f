//! Words, quoted names, literals and signs, each with its place in the text.

use super::SyntaxError;

/// A piece of a statement.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// A bare word: keyword or name.
    Word(String),
    /// In backticks or double quotes.
    Quoted(String),
    /// In single quotes.
    Text(String),
    Number(String),
    Sign(char),
    End,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub kind: Kind,
    /// Byte offsets in the statement.
    pub start: usize,
    pub end: usize,
}

/// Errors: a quote or comment without an end.
pub(super) fn tokens(sql: &str) -> Result<Vec<Token>, SyntaxError> {
    let bytes = sql.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        let kind = match byte {
            b' ' | b'\t' | b'\n' | b'\r' => {
                at += 1;
                continue;
            }
            b'-' if bytes.get(at + 1) == Some(&b'-') => {
                at += sql[at..].find('\n').unwrap_or(sql.len() - at);
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                let end = sql[at..].find("*/").ok_or_else(|| SyntaxError::at(sql, start, "*/"))?;
                at += end + 2;
                continue;
            }
            b'\'' => {
                let (text, next) = text(sql, at)?;
                at = next;
                Kind::Text(text)
            }
            b'"' | b'`' => {
                let (name, next) = quoted(sql, at, char::from(byte))?;
                at = next;
                Kind::Quoted(name)
            }
            b'0'..=b'9' => {
                let rest = &sql[at..];
                let word =
                    rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
                let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
                at += word.max(digits);
                match word > digits {
                    true => Kind::Word(rest[..word].to_owned()),
                    false => Kind::Number(rest[..digits].to_owned()),
                }
            }
            _ => {
                let rest = &sql[at..];
                let length = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
                let length = length.unwrap_or(rest.len());
                if length == 0 {
                    let sign = rest.chars().next().unwrap_or(' ');
                    at += sign.len_utf8();
                    Kind::Sign(sign)
                } else {
                    at += length;
                    Kind::Word(rest[..length].to_owned())
                }
            }
        };
        found.push(Token { kind, start, end: at });
    }
    found.push(Token { kind: Kind::End, start: sql.len(), end: sql.len() });
    Ok(found)
}

/// A text in single quotes: a doubled quote is one; backslashes as in Hive.
fn text(sql: &str, start: usize) -> Result<(String, usize), SyntaxError> {
    let mut found = String::new();
    let mut letters = sql[start + 1..].char_indices().peekable();
    while let Some((offset, letter)) = letters.next() {
        match letter {
            '\'' if letters.peek().is_some_and(|(_, next)| *next == '\'') => {
                letters.next();
                found.push('\'');
            }
            '\'' => return Ok((found, start + 1 + offset + 1)),
            '\\' => match letters.next() {
                Some((_, 'n')) => found.push('\n'),
                Some((_, 't')) => found.push('\t'),
                Some((_, 'r')) => found.push('\r'),
                Some((_, '0')) => {
                    // \001 in octal; \0 alone.
                    let mut code = 0;
                    for _ in 0..2 {
                        if let Some((_, digit)) = letters.next_if(|(_, c)| c.is_digit(8)) {
                            code = code * 8 + digit.to_digit(8).unwrap_or(0);
                        }
                    }
                    found.push(char::from_u32(code).unwrap_or('\0'));
                }
                Some((_, quoted @ ('\\' | '\'' | '"'))) => found.push(quoted),
                // A regular expression's.
                Some((_, other)) => {
                    found.push('\\');
                    found.push(other);
                }
                None => break,
            },
            other => found.push(other),
        }
    }
    Err(SyntaxError::at(sql, start, "'"))
}

fn quoted(sql: &str, start: usize, quote: char) -> Result<(String, usize), SyntaxError> {
    let mut found = String::new();
    let mut letters = sql[start + 1..].char_indices().peekable();
    while let Some((offset, letter)) = letters.next() {
        if letter != quote {
            found.push(letter);
        } else if letters.peek().is_some_and(|(_, next)| *next == quote) {
            letters.next();
            found.push(quote);
        } else {
            return Ok((found, start + 1 + offset + 1));
        }
    }
    Err(SyntaxError::at(sql, start, &quote.to_string()))
}
