//! Metric math: a small expression language over time series.
//!
//! ```text
//! or     = and *(("OR" | "||") and)
//! and    = cmp *(("AND" | "&&") cmp)
//! cmp    = sum [("==" | "!=" | "<" | ">" | "<=" | ">=") sum]
//! sum    = prod *(("+" | "-") prod)
//! prod   = power *(("*" | "/") power)
//! power  = unary ["^" power]
//! unary  = ["-"] (number | name | call | "(" or ")" | "[" or *("," or) "]")
//! ```
//!
//! A missing value makes the result of an operation missing. Functions: ABS,
//! AVG, CEIL, DIFF, FILL, FLOOR, IF, LOG, LOG10, MAX, METRICS, MIN, PERIOD,
//! RATE, RUNNING_SUM, STDDEV, SUM, TIME_SERIES.
//!
//! Source: user guide, "Using math expressions with CloudWatch metrics".

mod evaluate;
mod parse;

pub use evaluate::{Given, Value, evaluate};
pub use parse::{Expression, names, parse, uses_metrics};

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MathError {
    /// The text, in characters from 1.
    #[error("syntax error at column {0}")]
    Syntax(usize),
    #[error("unknown function {0}")]
    Function(String),
    #[error("undefined variable {0}")]
    Name(String),
    #[error("{0} cannot take these operands")]
    Operands(String),
}
