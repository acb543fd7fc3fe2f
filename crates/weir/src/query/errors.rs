//! What DataFusion says about a query, for people who know flow logs.

use crate::commands::HintExt;
use anyhow::{Result, anyhow};
use weir_flow::field::Field;
use weir_query::datafusion::common::SchemaError;
use weir_query::datafusion::error::DataFusionError;

/// The name of the one table.
pub const TABLE: &str = "flow_logs";

/// The error with a way out, where one is known. `columns` are those of the table.
pub fn explained<T>(error: &DataFusionError, columns: &[String]) -> Result<T> {
    match error.find_root() {
        DataFusionError::SchemaError(problem, _) => match problem.as_ref() {
            SchemaError::FieldNotFound { field, .. } => unknown_column(&field.name, columns),
            other => Err(anyhow!("{other}")),
        },
        DataFusionError::SQL(problem, _) => {
            Err(anyhow!("the SQL cannot be read: {}", plain(&problem.to_string())))
                .hint("columns whose names are words of SQL stand in double quotes: \"end\"")
        }
        DataFusionError::Plan(text) if text.starts_with("table '") => {
            Err(anyhow!("{text}")).hint("the one table is flow_logs")
        }
        DataFusionError::ResourcesExhausted(text) => {
            Err(anyhow!("not enough memory: {text}")).hint("--memory 4GiB gives it more")
        }
        other => Err(anyhow!("{}", other.strip_backtrace())),
    }
}

fn plain(text: &str) -> &str {
    text.trim_start_matches("sql parser error: ")
}

fn unknown_column<T>(name: &str, columns: &[String]) -> Result<T> {
    let error = Err(anyhow!("there is no column '{name}'"));
    let has = |column: &str| columns.iter().any(|own| own == column);
    if let Some(field) = Field::by_name_or_column(name).filter(|field| !has(field.column())) {
        return error.hint(&format!("no record of the input has the field {field}"));
    }
    let nearest = Field::nearest(name).map(Field::column).filter(|nearest| has(nearest));
    let alike = |own: &&String| own.eq_ignore_ascii_case(&name.replace('-', "_"));
    match nearest.or_else(|| columns.iter().find(alike).map(String::as_str)) {
        Some("end") => error.hint("did you mean \"end\", in double quotes?"),
        Some(nearest) => error.hint(&format!("did you mean '{nearest}'?")),
        None => error.hint(&format!("the columns are {}", columns.join(", "))),
    }
}
