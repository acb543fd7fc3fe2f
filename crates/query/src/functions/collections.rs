//! Arrays and maps. Source: Trino documentation, "Array functions and
//! operators", "Map functions and operators".

use super::scalar::{Returns, get, long, longs, scalar, texts, to, wrong};
use datafusion::arrow::array::{
    Array, ArrayRef, Int64Array, ListArray, MapArray, StringArray, StructArray, UInt32Array, cast::AsArray,
};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::ScalarUDF;
use std::collections::HashMap;
use std::sync::Arc;

/// The type of a list's items.
pub(super) fn item(kind: Option<&DataType>) -> DataType {
    match kind {
        Some(DataType::List(item) | DataType::LargeList(item)) => item.data_type().clone(),
        _ => DataType::Null,
    }
}

pub(super) fn map_type(key: DataType, value: DataType) -> DataType {
    DataType::Map(entries(key, value), false)
}

fn entries(key: DataType, value: DataType) -> FieldRef {
    let fields = Fields::from(vec![Field::new("key", key, false), Field::new("value", value, true)]);
    Arc::new(Field::new("entries", DataType::Struct(fields), false))
}

fn element(types: &[DataType]) -> DataType {
    match types.first() {
        Some(DataType::Map(entries, _)) => match entries.data_type() {
            DataType::Struct(fields) => {
                fields.get(1).map_or(DataType::Null, |value| value.data_type().clone())
            }
            _ => DataType::Null,
        },
        kind => item(kind),
    }
}

/// A map of each row: places of its keys and values in these.
pub(super) fn maps(
    wanted: &DataType,
    keys: &ArrayRef,
    values: &ArrayRef,
    rows: impl Iterator<Item = Option<Vec<(u32, u32)>>>,
) -> Result<ArrayRef> {
    let DataType::Map(field, _) = wanted else { return wrong("a map") };
    let (mut key_places, mut value_places) = (Vec::new(), Vec::new());
    let (mut lengths, mut valid) = (Vec::new(), Vec::new());
    for row in rows {
        valid.push(row.is_some());
        let pairs = row.unwrap_or_default();
        lengths.push(pairs.len());
        key_places.extend(pairs.iter().map(|(key, _)| *key));
        value_places.extend(pairs.iter().map(|(_, value)| *value));
    }
    let DataType::Struct(fields) = field.data_type() else { return wrong("a map") };
    let keys = take(keys, &UInt32Array::from(key_places), None)?;
    let values = take(values, &UInt32Array::from(value_places), None)?;
    let entries = StructArray::try_new(fields.clone(), vec![keys, values], None)?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    let map = MapArray::try_new(field.clone(), offsets, entries, Some(NullBuffer::from(valid)), false)?;
    Ok(Arc::new(map))
}

pub(super) fn lists(array: &ArrayRef, what: &str) -> Result<ListArray> {
    match array.as_list_opt::<i32>() {
        Some(found) => Ok(found.clone()),
        None => wrong(format!("{what} needs an array")),
    }
}

/// The places of a row's items in the values of all lists.
pub(super) fn places(lists: &ListArray, row: usize) -> std::ops::Range<u32> {
    let offsets = lists.value_offsets();
    let at = |place: usize| offsets.get(place).and_then(|at| u32::try_from(*at).ok()).unwrap_or(0);
    at(row)..at(row + 1)
}

/// The places of a row's entries in the keys and values of all maps.
pub(super) fn entries_of(maps: &MapArray, row: usize) -> std::ops::Range<u32> {
    let offsets = maps.value_offsets();
    let at = |place: usize| offsets.get(place).and_then(|at| u32::try_from(*at).ok()).unwrap_or(0);
    at(row)..at(row + 1)
}

pub(super) fn place(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

pub(super) fn functions() -> Vec<ScalarUDF> {
    vec![
        scalar("element_at", 2..=2, Returns::Of(element), |args, rows, wanted| {
            if let Some(maps) = args[0].as_map_opt() {
                let keys = to(&args[1], maps.keys().data_type())?;
                let mut found = Vec::with_capacity(rows);
                for row in 0..rows {
                    let key = ScalarValue::try_from_array(&keys, row)?;
                    let all = maps.value(row);
                    let mut value = ScalarValue::try_from(wanted)?;
                    for at in 0..all.len() {
                        if maps.is_valid(row) && ScalarValue::try_from_array(all.column(0), at)? == key {
                            value = ScalarValue::try_from_array(all.column(1), at)?;
                        }
                    }
                    found.push(value);
                }
                return ScalarValue::iter_to_array(found);
            }
            let (lists, places) = (lists(&args[0], "element_at")?, longs(&args[1])?);
            let mut found = Vec::with_capacity(rows);
            for row in 0..rows {
                let items = lists.is_valid(row).then(|| lists.value(row));
                let value = match (items, long(&places, row)) {
                    (Some(_), Some(0)) => return wrong("SQL array indices start at 1"),
                    (Some(items), Some(place)) => {
                        let count = items.len() as i64;
                        let at = if place > 0 { place - 1 } else { count + place };
                        let at = usize::try_from(at).ok().filter(|at| *at < items.len());
                        at.map(|at| ScalarValue::try_from_array(&items, at)).transpose()?
                    }
                    _ => None,
                };
                found.push(match value {
                    Some(value) => value,
                    None => ScalarValue::try_from(wanted)?,
                });
            }
            ScalarValue::iter_to_array(found)
        }),
        // What `map(keys, values)` and `map_agg(key, value)` become: of a key's
        // values the first.
        scalar(
            "map_of_pairs",
            2..=2,
            Returns::Of(|types| map_type(item(types.first()), item(types.get(1)))),
            |args, rows, wanted| {
                let (keys, values) = (lists(&args[0], "map")?, lists(&args[1], "map")?);
                let mut pairs = Vec::with_capacity(rows);
                for row in 0..rows {
                    if keys.is_null(row) || values.is_null(row) {
                        pairs.push(None);
                        continue;
                    }
                    let (of_keys, of_values) = (places(&keys, row), places(&values, row));
                    if of_keys.len() != of_values.len() {
                        return wrong("Key and value arrays must be the same length");
                    }
                    let mut seen = HashMap::new();
                    let mut found = Vec::new();
                    for (key, value) in of_keys.zip(of_values) {
                        let known = ScalarValue::try_from_array(keys.values(), place(key))?;
                        if known.is_null() {
                            return wrong("map key cannot be null");
                        }
                        if seen.insert(known, ()).is_none() {
                            found.push((key, value));
                        }
                    }
                    pairs.push(Some(found));
                }
                maps(wanted, keys.values(), values.values(), pairs.into_iter())
            },
        ),
        scalar(
            "split_to_map",
            3..=3,
            Returns::Of(|_| map_type(DataType::Utf8, DataType::Utf8)),
            |args, rows, wanted| {
                let columns: Vec<StringArray> = args.iter().map(texts).collect::<Result<_>>()?;
                let (mut keys, mut values, mut pairs) = (Vec::new(), Vec::new(), Vec::with_capacity(rows));
                for row in 0..rows {
                    let parts: Option<Vec<&str>> = columns.iter().map(|column| get(column, row)).collect();
                    let Some(parts) = parts else {
                        pairs.push(None);
                        continue;
                    };
                    let mut found = Vec::new();
                    for entry in parts[0].split(parts[1]).filter(|entry| !entry.is_empty()) {
                        let Some((key, value)) = entry.split_once(parts[2]) else {
                            let text =
                                "Key-value delimiter must appear exactly once in each entry. Bad input: ";
                            return wrong(format!("{text}'{entry}'"));
                        };
                        let place = u32::try_from(keys.len()).unwrap_or(u32::MAX);
                        found.push((place, place));
                        keys.push(key.to_owned());
                        values.push(value.to_owned());
                    }
                    pairs.push(Some(found));
                }
                let keys: ArrayRef = Arc::new(StringArray::from(keys));
                let values: ArrayRef = Arc::new(StringArray::from(values));
                maps(wanted, &keys, &values, pairs.into_iter())
            },
        ),
        // What `histogram(value)` becomes.
        scalar(
            "map_of_counts",
            1..=1,
            Returns::Of(|types| map_type(item(types.first()), DataType::Int64)),
            |args, rows, wanted| {
                let values = lists(&args[0], "histogram")?;
                let (mut pairs, mut counts) = (Vec::with_capacity(rows), Vec::<i64>::new());
                for row in 0..rows {
                    if values.is_null(row) {
                        pairs.push(None);
                        continue;
                    }
                    let mut seen: HashMap<ScalarValue, usize> = HashMap::new();
                    let mut found = Vec::new();
                    for at in places(&values, row) {
                        let value = ScalarValue::try_from_array(values.values(), place(at))?;
                        match seen.get(&value).and_then(|place| counts.get_mut(*place)) {
                            Some(count) => *count += 1,
                            None => {
                                seen.insert(value, counts.len());
                                found.push((at, u32::try_from(counts.len()).unwrap_or(u32::MAX)));
                                counts.push(1);
                            }
                        }
                    }
                    pairs.push(Some(found));
                }
                let counts: ArrayRef = Arc::new(Int64Array::from(counts));
                maps(wanted, values.values(), &counts, pairs.into_iter())
            },
        ),
    ]
}
