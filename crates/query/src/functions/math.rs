//! Numbers. Source: Trino documentation, "Mathematical functions", "Bitwise
//! functions", "Conditional expressions".

use super::scalar::{Returns, long, longs, map_text, scalar, to, wrong};
use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, StringArray, cast::AsArray};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::ScalarUDF;
use std::sync::Arc;

fn integers(args: &[ArrayRef], rows: usize, body: fn(i64, i64) -> i64) -> Result<ArrayRef> {
    let (left, right) = (longs(&args[0])?, longs(&args[args.len() - 1])?);
    let found = (0..rows).map(|row| Some(body(long(&left, row)?, long(&right, row)?)));
    Ok(Arc::new(found.collect::<Int64Array>()))
}

/// The greatest or least of each row; NULL if one of them is.
fn extreme(args: &[ArrayRef], rows: usize, wanted: &DataType, greatest: bool) -> Result<ArrayRef> {
    let columns: Vec<ArrayRef> = args.iter().map(|array| to(array, wanted)).collect::<Result<_>>()?;
    let mut found = Vec::with_capacity(rows);
    for row in 0..rows {
        let mut best: Option<ScalarValue> = None;
        for column in &columns {
            let value = ScalarValue::try_from_array(column, row)?;
            let better = match &best {
                _ if value.is_null() => true,
                None => true,
                Some(best) if greatest => value > *best,
                Some(best) => value < *best,
            };
            if better {
                best = Some(value);
            }
            if best.as_ref().is_some_and(ScalarValue::is_null) {
                break;
            }
        }
        found.push(best.unwrap_or(ScalarValue::Null));
    }
    ScalarValue::iter_to_array(found)
}

/// The widest of numbers; else the first that is no NULL.
fn common(types: &[DataType]) -> DataType {
    let known = types.iter().filter(|kind| **kind != DataType::Null);
    if types.iter().any(|kind| matches!(kind, DataType::Float64 | DataType::Float32)) {
        return DataType::Float64;
    }
    match known.clone().next() {
        Some(kind) if kind.is_integer() => DataType::Int64,
        Some(DataType::Utf8View | DataType::LargeUtf8) | None => DataType::Utf8,
        Some(kind) => kind.clone(),
    }
}

pub(super) fn functions() -> Vec<ScalarUDF> {
    let (bigint, double) = (Returns::Type(|| DataType::Int64), Returns::Type(|| DataType::Float64));
    vec![
        scalar("bitwise_and", 2..=2, bigint, |args, rows, _| integers(args, rows, |a, b| a & b)),
        scalar("bitwise_or", 2..=2, bigint, |args, rows, _| integers(args, rows, |a, b| a | b)),
        scalar("bitwise_xor", 2..=2, bigint, |args, rows, _| integers(args, rows, |a, b| a ^ b)),
        scalar("bitwise_not", 1..=1, bigint, |args, rows, _| integers(args, rows, |a, _| !a)),
        scalar("bitwise_left_shift", 2..=2, bigint, |args, rows, _| {
            integers(args, rows, |a, b| u32::try_from(b).ok().and_then(|b| a.checked_shl(b)).unwrap_or(0))
        }),
        scalar("bitwise_right_shift", 2..=2, bigint, |args, rows, _| {
            integers(args, rows, |a, b| {
                let shifted = u32::try_from(b).ok().and_then(|b| a.cast_unsigned().checked_shr(b));
                shifted.unwrap_or(0).cast_signed()
            })
        }),
        scalar("bit_count", 2..=2, bigint, |args, rows, _| {
            integers(args, rows, |number, bits| {
                let kept = 64 - u32::try_from(bits).unwrap_or(64).clamp(2, 64);
                i64::from((number.cast_unsigned() << kept).count_ones())
            })
        }),
        scalar("is_finite", 1..=1, Returns::Type(|| DataType::Boolean), |args, _, _| {
            let numbers = to(&args[0], &DataType::Float64)?;
            let found = numbers.as_primitive::<Float64Type>().iter().map(|n| n.map(f64::is_finite));
            Ok(Arc::new(found.collect::<BooleanArray>()))
        }),
        scalar("is_infinite", 1..=1, Returns::Type(|| DataType::Boolean), |args, _, _| {
            let numbers = to(&args[0], &DataType::Float64)?;
            let found = numbers.as_primitive::<Float64Type>().iter().map(|n| n.map(f64::is_infinite));
            Ok(Arc::new(found.collect::<BooleanArray>()))
        }),
        scalar("nan", 0..=0, double, |_, _, _| ScalarValue::Float64(Some(f64::NAN)).to_array_of_size(1)),
        scalar("infinity", 0..=0, double, |_, _, _| {
            ScalarValue::Float64(Some(f64::INFINITY)).to_array_of_size(1)
        }),
        scalar("e", 0..=0, double, |_, _, _| {
            ScalarValue::Float64(Some(std::f64::consts::E)).to_array_of_size(1)
        }),
        scalar("width_bucket", 4..=4, bigint, |args, rows, _| {
            let numbers: Vec<ArrayRef> =
                args.iter().map(|array| to(array, &DataType::Float64)).collect::<Result<_>>()?;
            let found = (0..rows).map(|row| {
                let value = |place: usize| {
                    let array = numbers[place].as_primitive::<Float64Type>();
                    array.is_valid(row).then(|| array.value(row))
                };
                let (x, low, high, count) = (value(0)?, value(1)?, value(2)?, value(3)?);
                let place = ((x - low) / (high - low) * count).floor();
                Some(if place < 0.0 {
                    0
                } else if place >= count {
                    count as i64 + 1
                } else {
                    place as i64 + 1
                })
            });
            Ok(Arc::new(found.collect::<Int64Array>()))
        }),
        scalar("from_base", 2..=2, bigint, |args, rows, _| {
            let texts = super::scalar::texts(&args[0])?;
            let bases = longs(&args[1])?;
            let mut found = Vec::with_capacity(rows);
            for row in 0..rows {
                let (Some(text), Some(base)) = (super::scalar::get(&texts, row), long(&bases, row)) else {
                    found.push(None);
                    continue;
                };
                let base = u32::try_from(base).ok().filter(|base| (2..=36).contains(base));
                let Some(base) = base else { return wrong("Radix must be between 2 and 36") };
                match i64::from_str_radix(text, base) {
                    Ok(number) => found.push(Some(number)),
                    Err(_) => return wrong(format!("Not a valid base-{base} number: {text}")),
                }
            }
            Ok(Arc::new(Int64Array::from(found)))
        }),
        scalar("to_base", 2..=2, Returns::Type(|| DataType::Utf8), |args, rows, _| {
            map_text(args, rows, |values| {
                let number: i64 = values[0].parse().unwrap_or(0);
                let base = values[1].parse::<u64>().ok().filter(|base| (2..=36).contains(base));
                let Some(base) = base else { return wrong("Radix must be between 2 and 36") };
                let (mut rest, mut digits) = (number.unsigned_abs(), Vec::new());
                loop {
                    digits.push(char::from_digit((rest % base) as u32, base as u32).unwrap_or('0'));
                    rest /= base;
                    if rest == 0 {
                        break;
                    }
                }
                if number < 0 {
                    digits.push('-');
                }
                Ok(Some(digits.into_iter().rev().collect()))
            })
        }),
        scalar("greatest", 1..=64, Returns::Of(common), |args, rows, to| extreme(args, rows, to, true)),
        scalar("least", 1..=64, Returns::Of(common), |args, rows, to| extreme(args, rows, to, false)),
        scalar("typeof", 1..=1, Returns::Type(|| DataType::Utf8), |args, rows, _| {
            let name = crate::athena::trino_type(args[0].data_type());
            Ok(Arc::new(StringArray::from(vec![name; rows])))
        }),
    ]
}
