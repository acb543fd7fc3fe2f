//! Athena's statements: Hive's for tables and databases, the frame of Trino's.
//!
//! For: a text becomes a [`Statement`]; names are lower case, queries inside of
//! it stay text. Not for: the queries themselves (`athena`), what a statement
//! does. Pure.
//!
//! Source: Athena user guide, "DDL statements", "SQL reference for Athena".

mod columns;
mod lex;
mod parse;
mod statement;
mod table;

#[cfg(test)]
mod tests;

pub use statement::*;

use std::fmt;

/// Where a statement stops to be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// From 1.
    pub line: usize,
    /// Characters, from 1.
    pub column: usize,
    /// What is there; empty at the end.
    pub found: String,
    pub expected: String,
}

impl SyntaxError {
    fn at(sql: &str, offset: usize, expected: &str) -> Self {
        let before = &sql[..offset];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = sql[offset..].trim_start();
        let mut letters = rest.char_indices();
        let length = match letters.next() {
            Some((_, first)) if first.is_alphanumeric() || first == '_' => {
                rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len())
            }
            Some((_, first)) => first.len_utf8(),
            None => 0,
        };
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            found: rest[..length].to_owned(),
            expected: expected.to_owned(),
        }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, found, expected } = self;
        let found = if found.is_empty() { "<EOF>" } else { found };
        write!(f, "line {line}:{column}: mismatched input '{found}'. Expecting: {expected}")
    }
}

impl std::error::Error for SyntaxError {}

/// The largest statement, in bytes. Source: Athena service quotas.
pub const LIMIT: usize = 262_144;

/// Reads one statement; a semicolon may stand at its end.
///
/// A statement that begins with a word that is none of ours is a
/// [`Statement::Query`]: whoever plans it finds its errors.
///
/// Errors: [`SyntaxError`].
pub fn parse(sql: &str) -> Result<Statement, SyntaxError> {
    let tokens = lex::tokens(sql)?;
    parse::Parser::new(sql, &tokens).statement()
}
