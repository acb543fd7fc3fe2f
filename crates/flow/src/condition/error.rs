//! Why a text is no condition, or no condition on a format.

use crate::field::Field;

/// Columns count characters from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    #[error("unknown field '{name}' at column {column}{}", hint(.nearest))]
    UnknownField { name: String, column: usize, nearest: Option<Field> },
    /// `found` is in quotes, or `the end`.
    #[error("expected {expected} at column {column}, found {found}")]
    Expected { expected: String, column: usize, found: String },
    #[error("{found} at column {column} is larger than {field} can be ({max})")]
    TooLarge { field: Field, found: String, max: i64, column: usize },
    #[error("the range {found} at column {column} is empty: put the smaller number first")]
    EmptyRange { found: String, column: usize },
    #[error(
        "'*' at column {column} stands for any characters after 'like' only: write like {found}, or quote it"
    )]
    StarWithoutLike { found: String, column: usize },
    #[error("'%' at column {column} stands for itself alone: any characters are '*'")]
    PercentInLike { column: usize },
    #[error("the quote at column {column} is not closed")]
    UnclosedQuote { column: usize },
    #[error("more than {max} parentheses and 'not's within each other at column {column}")]
    TooDeep { max: usize, column: usize },
}

impl ConditionError {
    /// Where in the text, in characters from 1.
    pub fn column(&self) -> usize {
        match self {
            Self::UnknownField { column, .. }
            | Self::Expected { column, .. }
            | Self::TooLarge { column, .. }
            | Self::EmptyRange { column, .. }
            | Self::StarWithoutLike { column, .. }
            | Self::PercentInLike { column }
            | Self::UnclosedQuote { column }
            | Self::TooDeep { column, .. } => *column,
        }
    }
}

fn hint(nearest: &Option<Field>) -> String {
    match nearest {
        Some(field) => format!(": did you mean '{field}'?"),
        None => String::new(),
    }
}

/// A condition asks for a field that the records do not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the records have no field '{field}'; they have: {format}")]
pub struct MissingField {
    pub field: Field,
    /// The header line of the format.
    pub format: String,
}
