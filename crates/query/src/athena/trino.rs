//! The words of Trino's SQL for the parser: what it makes of letters and
//! tokens, and types that are written otherwise.

use super::literals;
use datafusion::sql::sqlparser::dialect::{Dialect, GenericDialect};
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Word};
use std::any::TypeId;

/// As the parser's generic dialect, with lambdas.
#[derive(Debug)]
pub(super) struct Trino;

impl Dialect for Trino {
    fn dialect(&self) -> TypeId {
        TypeId::of::<GenericDialect>()
    }

    fn is_delimited_identifier_start(&self, letter: char) -> bool {
        letter == '"' || letter == '`'
    }

    fn is_identifier_start(&self, letter: char) -> bool {
        letter.is_alphabetic() || letter == '_'
    }

    fn is_identifier_part(&self, letter: char) -> bool {
        letter.is_alphabetic() || letter.is_ascii_digit() || matches!(letter, '$' | '@' | '_')
    }

    fn supports_lambda_functions(&self) -> bool {
        true
    }

    fn supports_unicode_string_literal(&self) -> bool {
        true
    }

    fn supports_group_by_expr(&self) -> bool {
        true
    }

    fn supports_left_associative_joins_without_parens(&self) -> bool {
        true
    }

    fn supports_window_function_null_treatment_arg(&self) -> bool {
        true
    }

    fn supports_window_clause_named_window_reference(&self) -> bool {
        true
    }

    fn allow_extract_custom(&self) -> bool {
        true
    }

    fn supports_parens_around_table_factor(&self) -> bool {
        true
    }

    fn supports_values_as_table_factor(&self) -> bool {
        true
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_struct_literal(&self) -> bool {
        true
    }

    fn supports_array_typedef_with_brackets(&self) -> bool {
        true
    }

    // JSON_OBJECT('a': 1, 'b' VALUE 2)
    fn supports_named_fn_args_with_colon_operator(&self) -> bool {
        true
    }

    fn supports_named_fn_args_with_expr_name(&self) -> bool {
        true
    }

    fn supports_interval_options(&self) -> bool {
        true
    }
}

pub(super) fn is_space(token: &Token) -> bool {
    matches!(token, Token::Whitespace(_))
}

pub(super) fn word(token: &Token) -> Option<String> {
    match token {
        Token::Word(Word { value, quote_style: None, .. }) => Some(value.to_ascii_lowercase()),
        _ => None,
    }
}

/// `IPADDRESS '10.0.0.1'`, a literal of a type that the parser does not know,
/// becomes a call, `ARRAY(bigint)` and `ROW(a bigint)` after `AS` the parser's
/// `ARRAY<bigint>` and `STRUCT<a bigint>`.
pub(super) fn reworded(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let tokens = literals::bare_values(tokens);
    let mut whole: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    // What closes each parenthesis that is open.
    let mut open: Vec<Token> = Vec::new();
    // The last two words or signs.
    let (mut before, mut last): (Option<Token>, Option<Token>) = (None, None);
    for mut found in tokens {
        if is_space(&found.token) {
            whole.push(found);
            continue;
        }
        let own = found.token.clone();
        match &own {
            Token::SingleQuotedString(_)
                if last.as_ref().and_then(word).is_some_and(|name| name.starts_with("ip")) =>
            {
                let call = match last.as_ref().and_then(word).as_deref() {
                    Some("ipaddress") => Some("to_ipaddress"),
                    Some("ipprefix") => Some("to_ipprefix"),
                    _ => None,
                };
                if let Some(call) = call {
                    if let Some(name) = whole.iter_mut().rev().find(|token| !is_space(&token.token)) {
                        name.token = Token::make_word(call, None);
                    }
                    let span = found.span;
                    whole.push(TokenWithSpan { token: Token::LParen, span });
                    whole.push(found);
                    whole.push(TokenWithSpan { token: Token::RParen, span });
                    (before, last) = (last, Some(own));
                    continue;
                }
            }
            Token::LParen => {
                let name = last.as_ref().and_then(word);
                let is_type = match before.as_ref() {
                    // CAST(x AS ARRAY(…
                    Some(token) if word(token).as_deref() == Some("as") => true,
                    // … or inside of one that is: `ARRAY(ROW(`, `ROW(a ARRAY(`, `ROW(a int, b ROW(`
                    Some(_) => open.last() == Some(&Token::Gt),
                    None => false,
                };
                match (is_type, name.as_deref()) {
                    (true, Some("array")) => {
                        found.token = Token::Lt;
                        open.push(Token::Gt);
                    }
                    (true, Some("row")) => {
                        if let Some(name) = whole.iter_mut().rev().find(|token| !is_space(&token.token)) {
                            name.token = Token::make_word("STRUCT", None);
                        }
                        found.token = Token::Lt;
                        open.push(Token::Gt);
                    }
                    _ => open.push(Token::RParen),
                }
            }
            Token::RParen => {
                if let Some(close) = open.pop() {
                    found.token = close;
                }
            }
            _ => {}
        }
        whole.push(found);
        (before, last) = (last, Some(own));
    }
    whole
}
