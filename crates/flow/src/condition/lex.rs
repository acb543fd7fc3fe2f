//! The words of a condition.

use super::ConditionError;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// A bare word: a keyword, a field or a value.
    Word(&'t str),
    /// Without its quotes.
    Quoted(String),
    /// `(`, `)`, `,` or an operator.
    Symbol(&'static str),
    End,
}

/// Longer ones first, each with what it is called from here on.
const SYMBOLS: [(&str, &str); 15] = [
    ("<=", "<="),
    (">=", ">="),
    ("!=", "!="),
    ("<>", "!="),
    ("==", "="),
    ("&&", "and"),
    ("||", "or"),
    ("=", "="),
    ("<", "<"),
    (">", ">"),
    ("!", "not"),
    ("(", "("),
    (")", ")"),
    (",", ","),
    (";", ";"),
];

/// Each token with its column; the last one is the end.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token<'_>, usize)>, ConditionError> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let at = text.len() - rest.len();
        let column = 1 + text.get(..at).unwrap_or_default().chars().count();
        let Some(first) = rest.chars().next() else {
            tokens.push((Token::End, column));
            return Ok(tokens);
        };
        let symbol =
            SYMBOLS.iter().find_map(|(written, symbol)| Some((rest.strip_prefix(written)?, *symbol)));
        let (token, after) = if let Some((after, symbol)) = symbol {
            (Token::Symbol(symbol), after)
        } else if first == '\'' || first == '"' {
            let (quoted, after) = quoted(rest, first).ok_or(ConditionError::UnclosedQuote { column })?;
            (Token::Quoted(quoted), after)
        } else {
            let ends = |c: char| c.is_whitespace() || "(),;'\"=<>!".contains(c);
            let end = rest.find(ends).unwrap_or(rest.len());
            let end = ["&&", "||"].iter().filter_map(|symbol| rest.find(symbol)).fold(end, usize::min);
            // Every character that ends a word begins a token of its own.
            let (word, after) = rest.split_at(end);
            (Token::Word(word), after)
        };
        tokens.push((token, column));
        rest = after;
    }
}

/// The text in quotes, and what follows them; a quote that stands twice is one.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut rest = text.strip_prefix(quote)?;
    let mut quoted = String::new();
    loop {
        let (part, after) = rest.split_once(quote)?;
        quoted.push_str(part);
        match after.strip_prefix(quote) {
            Some(again) => {
                quoted.push(quote);
                rest = again;
            }
            None => return Some((quoted, after)),
        }
    }
}
