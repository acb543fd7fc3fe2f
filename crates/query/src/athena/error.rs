//! Why a query failed, in Trino's and Athena's words.
//!
//! Source: Athena user guide, "Athena error catalog"; Trino's StandardErrorCode.

use super::fault;
use datafusion::arrow::error::ArrowError;
use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;

/// A failed query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// 1 system, 2 user, 3 other.
    pub category: i64,
    /// `ErrorType`
    pub kind: i64,
    /// `NAME: line L:C: text`
    pub message: String,
}

impl QueryError {
    /// A fault of the query.
    pub fn user(kind: i64, name: &str, text: impl AsRef<str>) -> Self {
        Self { category: 2, kind, message: format!("{name}: {}", text.as_ref()) }
    }

    /// Something of a kind that there is not here.
    pub fn not_supported(text: impl AsRef<str>) -> Self {
        Self::user(1200, "NOT_SUPPORTED", text)
    }

    /// A fault of ours or of the machine.
    pub fn internal(error: impl std::fmt::Display) -> Self {
        Self { category: 1, kind: 9999, message: format!("GENERIC_INTERNAL_ERROR: {error}") }
    }

    /// For a place that takes only errors of the engine; [`QueryError::of`] finds it again.
    pub fn wrap(self) -> DataFusionError {
        DataFusionError::External(Box::new(self))
    }

    /// What an error of the engine says to somebody who wrote this text.
    pub fn of(error: &DataFusionError, sql: &str) -> Self {
        match error.find_root() {
            DataFusionError::External(own) => match own.downcast_ref::<Self>() {
                Some(own) => own.clone(),
                None => Self::internal(own),
            },
            DataFusionError::SchemaError(fault, _) => match fault.as_ref() {
                SchemaError::FieldNotFound { field, .. } => {
                    let name = &field.name;
                    let text = format!("{}Column '{name}' cannot be resolved", place(sql, name));
                    Self::user(1006, "COLUMN_NOT_FOUND", text)
                }
                SchemaError::AmbiguousReference { field } => {
                    let text = format!("{}Column '{}' is ambiguous", place(sql, &field.name), field.name);
                    Self::user(1000, "AMBIGUOUS_NAME", text)
                }
                other => Self::user(1000, "SYNTAX_ERROR", other.to_string()),
            },
            DataFusionError::ArrowError(fault, _) => match fault.as_ref() {
                ArrowError::DivideByZero => Self::user(1001, "DIVISION_BY_ZERO", "Division by zero"),
                ArrowError::CastError(text) | ArrowError::ParseError(text) => {
                    Self::user(1100, "INVALID_CAST_ARGUMENT", fault::cast(text))
                }
                ArrowError::ArithmeticOverflow(text) => Self::user(1000, "NUMERIC_VALUE_OUT_OF_RANGE", text),
                ArrowError::InvalidArgumentError(text) => Self::user(1000, "INVALID_FUNCTION_ARGUMENT", text),
                other => Self::internal(other),
            },
            DataFusionError::Plan(text) => Self::planned(text, sql),
            DataFusionError::Execution(text) => Self::user(1000, "INVALID_FUNCTION_ARGUMENT", text),
            DataFusionError::NotImplemented(text) => fault::not_supported(text, sql),
            DataFusionError::SQL(fault, _) => Self::user(1000, "SYNTAX_ERROR", fault::syntax(fault, sql)),
            DataFusionError::ResourcesExhausted(text) => {
                Self { category: 2, kind: 1000, message: format!("EXCEEDED_LOCAL_MEMORY_LIMIT: {text}") }
            }
            other => Self::internal(other),
        }
    }

    fn planned(text: &str, sql: &str) -> Self {
        if let Some(known) = fault::planned(text, sql) {
            return known;
        }
        let is_type = ["coerc", "signature", "type", "Cannot infer", "comparison"];
        if is_type.iter().any(|word| text.contains(word)) {
            return Self::user(1002, "TYPE_MISMATCH", text);
        }
        Self::user(1000, "SYNTAX_ERROR", text)
    }
}

/// `line L:C: ` of a name's first place in a text; empty if it is not there.
pub(super) fn place(sql: &str, name: &str) -> String {
    let lower = sql.to_lowercase();
    // Lower case can be longer than the text; then there is no place.
    if name.is_empty() || lower.len() != sql.len() {
        return String::new();
    }
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut from = 0;
    while let Some(at) = lower.get(from..).and_then(|rest| rest.find(&name.to_lowercase())) {
        let start = from + at;
        let end = start + name.len();
        let before = lower[..start].chars().next_back().is_some_and(is_part);
        let after = lower[end..].chars().next().is_some_and(is_part);
        if !before && !after {
            let line = sql[..start].matches('\n').count() + 1;
            let column = sql[..start].rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            return format!("line {line}:{column}: ");
        }
        from = end;
    }
    String::new()
}
