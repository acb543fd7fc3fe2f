//! Values of metric math.

use super::MathError;
use super::parse::Expression;
use std::collections::BTreeMap;

/// One value per window, missing or not.
type Series = Vec<Option<f64>>;

/// What an expression gives.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Scalar(f64),
    Series(Series),
    List(Vec<Series>),
}

/// What an expression is evaluated over.
pub struct Given<'a> {
    pub names: &'a BTreeMap<String, Value>,
    /// Of METRICS(): ids and series.
    pub metrics: &'a [(String, Vec<Option<f64>>)],
    /// Where the windows begin, seconds since 1970.
    pub windows: &'a [i64],
    /// Length of a window, seconds.
    pub period: i64,
}

/// Evaluates an expression.
pub fn evaluate(expression: &Expression, given: &Given<'_>) -> Result<Value, MathError> {
    Ok(match expression {
        Expression::Number(number) => Value::Scalar(*number),
        Expression::Text(text) => return Err(MathError::Operands(format!("\"{text}\""))),
        Expression::Name(name) => {
            given.names.get(name).cloned().ok_or_else(|| MathError::Name(name.clone()))?
        }
        Expression::List(items) => {
            let mut all = Vec::new();
            for item in items {
                all.extend(list(evaluate(item, given)?, given));
            }
            Value::List(all)
        }
        Expression::Negative(inner) => map(evaluate(inner, given)?, |x| Some(-x)),
        Expression::Operation(operator, a, b) => {
            let (a, b) = (evaluate(a, given)?, evaluate(b, given)?);
            combine(operator, &a, &b, |a, b| operate(operator, a, b))?
        }
        Expression::Call(name, arguments) => call(name, arguments, given)?,
    })
}

fn operate(operator: &str, a: f64, b: f64) -> Option<f64> {
    let truth = |holds: bool| if holds { 1.0 } else { 0.0 };
    let value = match operator {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" => a / b,
        "^" => a.powf(b),
        "==" => truth(a == b),
        "!=" => truth(a != b),
        "<" => truth(a < b),
        "<=" => truth(a <= b),
        ">" => truth(a > b),
        ">=" => truth(a >= b),
        "&&" => truth(a != 0.0 && b != 0.0),
        _ => truth(a != 0.0 || b != 0.0),
    };
    Some(value).filter(|value| value.is_finite())
}

fn combine(
    what: &str,
    a: &Value,
    b: &Value,
    f: impl Fn(f64, f64) -> Option<f64> + Copy,
) -> Result<Value, MathError> {
    let pair = |a: Option<f64>, b: Option<f64>| f(a?, b?);
    let each = |a: &Series, b: &Series| a.iter().zip(b).map(|(a, b)| pair(*a, *b)).collect::<Series>();
    Ok(match (a, b) {
        (Value::Scalar(a), Value::Scalar(b)) => Value::Scalar(f(*a, *b).unwrap_or(0.0)),
        (Value::Series(a), Value::Scalar(b)) => Value::Series(a.iter().map(|a| pair(*a, Some(*b))).collect()),
        (Value::Scalar(a), Value::Series(b)) => Value::Series(b.iter().map(|b| pair(Some(*a), *b)).collect()),
        (Value::Series(a), Value::Series(b)) => Value::Series(each(a, b)),
        (Value::List(all), other @ (Value::Scalar(_) | Value::Series(_))) => {
            let one = |series: &Series| combine(what, &Value::Series(series.clone()), other, f);
            lists(all.iter().map(one))?
        }
        (other @ (Value::Scalar(_) | Value::Series(_)), Value::List(all)) => {
            let one = |series: &Series| combine(what, other, &Value::Series(series.clone()), f);
            lists(all.iter().map(one))?
        }
        (Value::List(_), Value::List(_)) => return Err(MathError::Operands(what.to_owned())),
    })
}

fn lists(values: impl Iterator<Item = Result<Value, MathError>>) -> Result<Value, MathError> {
    let series = values.map(|value| {
        value.map(|value| match value {
            Value::Series(series) => series,
            Value::Scalar(_) | Value::List(_) => Vec::new(),
        })
    });
    series.collect::<Result<_, _>>().map(Value::List)
}

fn map(value: Value, f: impl Fn(f64) -> Option<f64>) -> Value {
    let each = |series: Series| series.into_iter().map(|x| x.and_then(&f)).collect::<Series>();
    match value {
        Value::Scalar(x) => Value::Scalar(f(x).unwrap_or(0.0)),
        Value::Series(series) => Value::Series(each(series)),
        Value::List(all) => Value::List(all.into_iter().map(each).collect()),
    }
}

fn list(value: Value, given: &Given<'_>) -> Vec<Series> {
    match value {
        Value::Scalar(x) => vec![vec![Some(x); given.windows.len()]],
        Value::Series(series) => vec![series],
        Value::List(all) => all,
    }
}

fn call(name: &str, arguments: &[Expression], given: &Given<'_>) -> Result<Value, MathError> {
    let wrong = || MathError::Operands(name.to_owned());
    let one = || match arguments {
        [argument] => evaluate(argument, given),
        _ => Err(wrong()),
    };
    let finite = |x: f64| Some(x).filter(|x| x.is_finite());
    Ok(match name {
        "ABS" => map(one()?, |x| Some(x.abs())),
        "CEIL" => map(one()?, |x| Some(x.ceil())),
        "FLOOR" => map(one()?, |x| Some(x.floor())),
        "LOG" => map(one()?, |x| finite(x.ln())),
        "LOG10" => map(one()?, |x| finite(x.log10())),
        "SUM" | "AVG" | "MIN" | "MAX" | "STDDEV" => aggregate(name, one()?),
        "PERIOD" => Value::Scalar(given.period as f64),
        "METRICS" => {
            let part = match arguments {
                [] => "",
                [Expression::Text(text)] => text,
                _ => return Err(wrong()),
            };
            let chosen = given.metrics.iter().filter(|(id, _)| id.contains(part));
            Value::List(chosen.map(|(_, series)| series.clone()).collect())
        }
        "TIME_SERIES" => match one()? {
            Value::Scalar(x) => Value::Series(vec![Some(x); given.windows.len()]),
            Value::Series(_) | Value::List(_) => return Err(wrong()),
        },
        "DIFF" | "RATE" | "RUNNING_SUM" => {
            let seconds = if name == "RATE" { given.period as f64 } else { 1.0 };
            let along = |series: Series| match name {
                "RUNNING_SUM" => running_sum(&series),
                _ => steps(&series, seconds),
            };
            match one()? {
                Value::Series(series) => Value::Series(along(series)),
                Value::List(all) => Value::List(all.into_iter().map(along).collect()),
                Value::Scalar(_) => return Err(wrong()),
            }
        }
        "FILL" => {
            let [series, with] = arguments else { return Err(wrong()) };
            let repeat = matches!(with, Expression::Name(word) if word.eq_ignore_ascii_case("REPEAT"));
            let with = if repeat { Value::Scalar(0.0) } else { evaluate(with, given)? };
            let filled = |series: Series| fill(&series, repeat, &with);
            match evaluate(series, given)? {
                Value::Series(series) => Value::Series(filled(series)),
                Value::List(all) => Value::List(all.into_iter().map(filled).collect()),
                Value::Scalar(_) => return Err(wrong()),
            }
        }
        "IF" => {
            let (condition, then, otherwise) = match arguments {
                [condition, then] => (condition, then, None),
                [condition, then, otherwise] => (condition, then, Some(otherwise)),
                _ => return Err(wrong()),
            };
            let only = |value| list(value, given).into_iter().next().unwrap_or_default();
            let condition = only(evaluate(condition, given)?);
            let then = only(evaluate(then, given)?);
            let otherwise = match otherwise {
                Some(otherwise) => only(evaluate(otherwise, given)?),
                None => vec![None; condition.len()],
            };
            let choose = |c: Option<f64>, then, otherwise| if c? != 0.0 { then } else { otherwise };
            let all = condition.into_iter().zip(then).zip(otherwise);
            Value::Series(all.map(|((c, t), o)| choose(c, t, o)).collect())
        }
        other => return Err(MathError::Function(other.to_owned())),
    })
}

/// Of a list: one series, window by window. Of a series: one number.
fn aggregate(name: &str, value: Value) -> Value {
    let of = |values: &[f64]| -> Option<f64> {
        let count = values.len() as f64;
        let sum: f64 = values.iter().sum();
        if values.is_empty() {
            return None;
        }
        Some(match name {
            "SUM" => sum,
            "AVG" => sum / count,
            "MIN" => values.iter().copied().fold(f64::INFINITY, f64::min),
            "MAX" => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            _ => {
                let mean = sum / count;
                (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt()
            }
        })
    };
    match value {
        Value::Scalar(x) => Value::Scalar(x),
        Value::Series(series) => {
            let known: Vec<f64> = series.iter().copied().flatten().collect();
            of(&known).map_or(Value::Series(vec![None; series.len()]), Value::Scalar)
        }
        Value::List(all) => {
            let length = all.iter().map(Vec::len).max().unwrap_or(0);
            let at = |n: usize| all.iter().filter_map(|s| s.get(n).copied().flatten()).collect::<Vec<_>>();
            Value::Series((0..length).map(|n| of(&at(n))).collect())
        }
    }
}

/// The change from the value before, per `seconds`.
fn steps(series: &[Option<f64>], seconds: f64) -> Series {
    let mut last: Option<f64> = None;
    let step = |value: &Option<f64>| {
        let change = value.zip(last).map(|(value, last)| (value - last) / seconds);
        last = value.or(last);
        change
    };
    series.iter().map(step).collect()
}

fn running_sum(series: &[Option<f64>]) -> Series {
    let mut sum = 0.0;
    let add = |value: &Option<f64>| {
        sum += value.unwrap_or(0.0);
        Some(sum)
    };
    series.iter().map(add).collect()
}

fn fill(series: &[Option<f64>], repeat: bool, with: &Value) -> Series {
    let mut last = None;
    let filled = series.iter().enumerate().map(|(n, value)| {
        last = value.or(last);
        match with {
            _ if repeat => last,
            Value::Scalar(x) => value.or(Some(*x)),
            Value::Series(other) => value.or(other.get(n).copied().flatten()),
            Value::List(_) => *value,
        }
    });
    filled.collect()
}
