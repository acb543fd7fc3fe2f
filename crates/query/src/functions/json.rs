//! JSON, which is text here: paths in it, values as JSON and JSON as values.
//! Members of objects are in the order of their names.
//!
//! Source: Trino documentation, "JSON functions and operators".

use super::scalar::{Returns, get, long, longs, map_text, scalar, texts, to, wrong};
use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, StringArray, cast::AsArray};
use datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;
use serde_json::Value;
use std::sync::Arc;

/// A value in JSON by a path such as `$.a[0]["b"]`.
fn in_json(text: &str, path: &str) -> Result<Option<Value>> {
    let Ok(mut value) = serde_json::from_str::<Value>(text) else { return Ok(None) };
    let Some(mut rest) = path.strip_prefix('$') else { return wrong(format!("Invalid JSON path: '{path}'")) };
    while !rest.is_empty() {
        let name: String;
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            name = after[..end].to_owned();
            rest = &after[end..];
        } else if let Some(after) = rest.strip_prefix('[') {
            let Some((inside, more)) = after.split_once(']') else {
                return wrong(format!("Invalid JSON path: '{path}'"));
            };
            name = inside.trim_matches(['"', '\'']).to_owned();
            rest = more;
        } else {
            return wrong(format!("Invalid JSON path: '{path}'"));
        }
        let member = match &mut value {
            Value::Array(items) => name.parse().ok().and_then(|at: usize| items.get_mut(at)),
            other => other.get_mut(&name),
        };
        match member {
            Some(member) => value = member.take(),
            None => return Ok(None),
        }
    }
    Ok(Some(value))
}

fn parsed(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

/// A path without how strict it is.
fn lax(path: &str) -> &str {
    let path = path.trim();
    path.strip_prefix("lax ").or_else(|| path.strip_prefix("strict ")).unwrap_or(path).trim()
}

/// What is no array or object, as text; NULL has none.
fn of_scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

/// A value of an array as JSON: rows are objects, if their members have names.
fn value_of(array: &ArrayRef, row: usize) -> Result<Value> {
    if array.is_null(row) {
        return Ok(Value::Null);
    }
    let list = |items: ArrayRef| (0..items.len()).map(|at| value_of(&items, at)).collect::<Result<_>>();
    let text = || crate::athena::text(array, row).unwrap_or_default();
    Ok(match array.data_type() {
        DataType::Null => Value::Null,
        DataType::Boolean => Value::Bool(array.as_boolean().value(row)),
        kind if kind.is_integer() || matches!(kind, DataType::Decimal128(..) | DataType::Decimal256(..)) => {
            serde_json::from_str(&text()).unwrap_or(Value::Null)
        }
        DataType::Float64 => Value::from(array.as_primitive::<Float64Type>().value(row)),
        DataType::Float32 => Value::from(f64::from(array.as_primitive::<Float32Type>().value(row))),
        DataType::List(_) => Value::Array(list(array.as_list::<i32>().value(row))?),
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns();
            let is_named = !fields.iter().enumerate().all(|(at, field)| *field.name() == format!("c{at}"));
            let values = columns.iter().map(|column| value_of(column, row)).collect::<Result<Vec<_>>>()?;
            match is_named {
                true => fields.iter().map(|field| field.name().clone()).zip(values).collect(),
                false => Value::Array(values),
            }
        }
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            let keys = to(entries.column(0), &DataType::Utf8)?;
            let keys = texts(&keys)?;
            let values = (0..entries.len()).map(|at| value_of(entries.column(1), at));
            let values = values.collect::<Result<Vec<_>>>()?;
            keys.iter().map(|key| key.unwrap_or_default().to_owned()).zip(values).collect()
        }
        _ => Value::String(text()),
    })
}

/// The JSON lines of a decoder, all of one row: `{"v": …}`, as arrays of a type.
fn typed(values: Vec<Option<Value>>, wanted: &DataType) -> Result<ArrayRef> {
    let cannot = |value: &Value| {
        let text = value.to_string();
        wrong(format!("Cannot cast to {}. Expected {text}", crate::athena::trino_type(wanted)))
    };
    match wanted {
        DataType::List(item) => {
            let (mut lengths, mut valid, mut items) = (Vec::new(), Vec::new(), Vec::new());
            for value in values {
                match value {
                    None | Some(Value::Null) => {
                        lengths.push(0);
                        valid.push(false);
                    }
                    Some(Value::Array(all)) => {
                        lengths.push(all.len());
                        valid.push(true);
                        items.extend(all.into_iter().map(Some));
                    }
                    Some(other) => return cannot(&other),
                }
            }
            let items = typed(items, item.data_type())?;
            let offsets = datafusion::arrow::buffer::OffsetBuffer::from_lengths(lengths);
            let list = datafusion::arrow::array::ListArray::try_new(
                item.clone(),
                offsets,
                items,
                Some(valid.into()),
            );
            Ok(Arc::new(list?))
        }
        DataType::Struct(fields) => {
            let mut columns: Vec<Vec<Option<Value>>> = vec![Vec::with_capacity(values.len()); fields.len()];
            let mut valid = Vec::with_capacity(values.len());
            for value in values {
                valid.push(!matches!(value, None | Some(Value::Null)));
                for (place, (field, column)) in fields.iter().zip(&mut columns).enumerate() {
                    column.push(match &value {
                        None | Some(Value::Null) => None,
                        Some(Value::Object(all)) => all
                            .iter()
                            .find(|(name, _)| name.eq_ignore_ascii_case(field.name()))
                            .map(|m| m.1.clone()),
                        Some(Value::Array(all)) => all.get(place).cloned(),
                        Some(other) => return cannot(other),
                    });
                }
            }
            let columns = columns.into_iter().zip(fields).map(|(all, field)| typed(all, field.data_type()));
            let columns = columns.collect::<Result<Vec<_>>>()?;
            let rows =
                datafusion::arrow::array::StructArray::try_new(fields.clone(), columns, Some(valid.into()));
            Ok(Arc::new(rows?))
        }
        DataType::Map(entries, _) => {
            let DataType::Struct(fields) = entries.data_type() else { return wrong("a map") };
            let (mut keys, mut items, mut rows) = (Vec::new(), Vec::new(), Vec::new());
            for value in values {
                match value {
                    None | Some(Value::Null) => rows.push(None),
                    Some(Value::Object(all)) => {
                        let from = keys.len() as u32;
                        for (name, value) in all {
                            keys.push(Some(Value::String(name)));
                            items.push(Some(value));
                        }
                        rows.push(Some((from..keys.len() as u32).map(|at| (at, at)).collect()));
                    }
                    Some(other) => return cannot(&other),
                }
            }
            let kinds: Vec<DataType> = fields.iter().map(|field| field.data_type().clone()).collect();
            let [key, item] = kinds.as_slice() else { return wrong("a map") };
            let (keys, items) = (typed(keys, key)?, typed(items, item)?);
            super::collections::maps(wanted, &keys, &items, rows.into_iter())
        }
        kind => {
            let mut shown = Vec::with_capacity(values.len());
            for value in values.into_iter().map(Option::unwrap_or_default) {
                if matches!(value, Value::Array(_) | Value::Object(_)) {
                    return cannot(&value);
                }
                shown.push(of_scalar(&value));
            }
            let shown: ArrayRef = Arc::new(StringArray::from(shown));
            to(&shown, kind)
        }
    }
}

fn of_two<T>(
    args: &[ArrayRef],
    rows: usize,
    body: impl Fn(&str, &str) -> Result<Option<T>>,
) -> Result<Vec<Option<T>>> {
    let (values, others) = (texts(&args[0])?, texts(&args[1])?);
    let each = |row| match (get(&values, row), get(&others, row)) {
        (Some(value), Some(other)) => body(value, other),
        _ => Ok(None),
    };
    (0..rows).map(each).collect()
}

fn array_get(value: Value, place: i64) -> Option<Value> {
    let Value::Array(mut items) = value else { return None };
    let at = if place < 0 { items.len() as i64 + place } else { place };
    let at = usize::try_from(at).ok().filter(|at| *at < items.len())?;
    Some(items.swap_remove(at))
}

pub(super) fn functions() -> Vec<ScalarUDF> {
    let (text, bigint) = (Returns::Type(|| DataType::Utf8), Returns::Type(|| DataType::Int64));
    let boolean = Returns::Type(|| DataType::Boolean);
    vec![
        scalar("json_parse", 1..=1, text, |args, rows, _| {
            map_text(args, rows, |v| match serde_json::from_str::<Value>(v[0]) {
                Ok(value) => Ok(Some(value.to_string())),
                Err(error) => wrong(format!("Cannot convert value to JSON: '{}': {error}", v[0])),
            })
        }),
        scalar("json_format", 1..=1, text, |args, rows, _| {
            map_text(args, rows, |v| Ok(Some(v[0].to_owned())))
        }),
        scalar("json_extract", 2..=2, text, |args, rows, _| {
            map_text(args, rows, |v| Ok(in_json(v[0], v[1])?.map(|value| value.to_string())))
        }),
        scalar("json_extract_scalar", 2..=2, text, |args, rows, _| {
            map_text(args, rows, |v| {
                Ok(in_json(v[0], v[1])?.and_then(|value| match value {
                    Value::String(text) => Some(text),
                    Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
                    _ => None,
                }))
            })
        }),
        scalar("json_array_length", 1..=1, bigint, |args, rows, _| {
            let values = texts(&args[0])?;
            let length = |row| match serde_json::from_str(get(&values, row)?) {
                Ok(Value::Array(items)) => i64::try_from(items.len()).ok(),
                _ => None,
            };
            Ok(Arc::new((0..rows).map(length).collect::<Int64Array>()))
        }),
        scalar("json_size", 2..=2, bigint, |args, rows, _| {
            let found = of_two(args, rows, |value, path| {
                Ok(in_json(value, path)?.map(|value| match value {
                    Value::Array(items) => items.len() as i64,
                    Value::Object(members) => members.len() as i64,
                    _ => 0,
                }))
            })?;
            Ok(Arc::new(Int64Array::from(found)))
        }),
        scalar("json_array_contains", 2..=2, boolean, |args, rows, _| {
            let values = texts(&args[0])?;
            let found = (0..rows).map(|row| {
                let Some(Value::Array(items)) = get(&values, row).and_then(parsed) else { return Ok(None) };
                if args[1].is_null(row) {
                    return Ok(None);
                }
                let wanted = value_of(&args[1], row)?;
                Ok(Some(items.iter().any(|item| match (item.as_f64(), wanted.as_f64()) {
                    (Some(left), Some(right)) => left == right,
                    _ => *item == wanted,
                })))
            });
            Ok(Arc::new(found.collect::<Result<BooleanArray>>()?))
        }),
        scalar("json_array_get", 2..=2, text, |args, rows, _| {
            let (values, places) = (texts(&args[0])?, longs(&args[1])?);
            let found = (0..rows).map(|row| {
                let item = array_get(parsed(get(&values, row)?)?, long(&places, row)?)?;
                Some(item.to_string())
            });
            Ok(Arc::new(found.collect::<StringArray>()))
        }),
        scalar("is_json_scalar", 1..=1, boolean, |args, rows, _| {
            let values = texts(&args[0])?;
            let mut found = Vec::with_capacity(rows);
            for row in 0..rows {
                found.push(match get(&values, row) {
                    None => None,
                    Some(text) => match parsed(text) {
                        Some(value) => Some(!matches!(value, Value::Array(_) | Value::Object(_))),
                        None => return wrong(format!("Invalid JSON value: {text}")),
                    },
                });
            }
            Ok(Arc::new(BooleanArray::from(found)))
        }),
        scalar("json_value", 2..=2, text, |args, rows, _| {
            let found = of_two(args, rows, |v, path| Ok(in_json(v, lax(path))?.and_then(|v| of_scalar(&v))))?;
            Ok(Arc::new(StringArray::from(found)))
        }),
        scalar("json_query", 2..=2, text, |args, rows, _| {
            let found = of_two(args, rows, |v, path| {
                let found = in_json(v, lax(path))?;
                Ok(found.filter(|v| matches!(v, Value::Array(_) | Value::Object(_))).map(|v| v.to_string()))
            })?;
            Ok(Arc::new(StringArray::from(found)))
        }),
        scalar("json_exists", 2..=2, boolean, |args, rows, _| {
            let found = of_two(args, rows, |v, path| Ok(Some(in_json(v, lax(path))?.is_some())))?;
            Ok(Arc::new(BooleanArray::from(found)))
        }),
        // Names and values in turn, what `JSON_OBJECT('a': 1)` becomes.
        scalar("json_object", 0..=128, text, |args, rows, _| {
            let names: Vec<StringArray> = args.iter().step_by(2).map(texts).collect::<Result<_>>()?;
            let found = (0..rows).map(|row| {
                let mut members = serde_json::Map::new();
                for (name, value) in names.iter().zip(args.iter().skip(1).step_by(2)) {
                    let Some(name) = get(name, row) else {
                        return wrong("null value passed for JSON object key");
                    };
                    members.insert(name.to_owned(), value_of(value, row)?);
                }
                Ok(Some(Value::Object(members).to_string()))
            });
            Ok(Arc::new(found.collect::<Result<StringArray>>()?))
        }),
        // Without what is NULL, as it is if nothing is said of that.
        scalar("json_array", 0..=128, text, |args, rows, _| {
            let found = (0..rows).map(|row| {
                let items = args.iter().filter(|item| !item.is_null(row)).map(|item| value_of(item, row));
                Ok(Some(Value::Array(items.collect::<Result<_>>()?).to_string()))
            });
            Ok(Arc::new(found.collect::<Result<StringArray>>()?))
        }),
        // What `CAST(x AS json)` becomes.
        scalar("to_json", 1..=1, text, |args, rows, _| {
            let found = (0..rows).map(|row| {
                if args[0].is_null(row) || *args[0].data_type() == DataType::Null {
                    return Ok(None);
                }
                value_of(&args[0], row).map(|value| Some(value.to_string()))
            });
            Ok(Arc::new(found.collect::<Result<StringArray>>()?))
        }),
        // What `CAST(json AS varchar)` and of other types without parts becomes, before that cast.
        scalar("json_scalar", 1..=1, text, |args, rows, _| {
            map_text(args, rows, |v| match parsed(v[0]) {
                Some(Value::Array(_) | Value::Object(_)) => {
                    wrong(format!("Cannot cast to varchar: {}", v[0]))
                }
                Some(value) => Ok(of_scalar(&value)),
                None => Ok(None),
            })
        }),
        // What `CAST(json AS array(bigint))` becomes; the type in Hive's words.
        scalar("json_typed", 2..=2, Returns::HiveType(1), |args, rows, wanted| {
            let values = texts(&args[0])?;
            typed((0..rows).map(|row| get(&values, row).and_then(parsed)).collect(), wanted)
        }),
    ]
}
