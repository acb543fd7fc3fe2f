//! Maps of entries, of other maps and of several values. Source: Trino
//! documentation, "Map functions and operators", "Array functions and operators".

use super::collections::{entries_of, item, lists, map_type, maps, place, places};
use super::scalar::{Returns, get, long, longs, scalar, texts, to, wrong};
use datafusion::arrow::array::{
    Array, ArrayRef, BooleanArray, ListArray, MapArray, StringArray, StructArray, UInt32Array, cast::AsArray,
};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::{concat, take};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::ScalarUDF;
use std::collections::HashMap;
use std::sync::Arc;

/// The most combinations and n-grams of one array. Source: Trino's limit.
const COMBINED: usize = 100_000;

fn key_and_value(kind: &DataType) -> Option<(DataType, DataType)> {
    match kind {
        DataType::Map(entries, _) => key_and_value(entries.data_type()),
        DataType::Struct(fields) => match fields.iter().as_slice() {
            [key, value, ..] => Some((key.data_type().clone(), value.data_type().clone())),
            _ => None,
        },
        DataType::List(item) => key_and_value(item.data_type()),
        _ => None,
    }
}

/// A map as its argument's entries or maps make it.
fn as_first(types: &[DataType]) -> DataType {
    let known = types.iter().find_map(key_and_value);
    let (key, value) = known.unwrap_or((DataType::Null, DataType::Null));
    map_type(key, value)
}

fn multi(key: DataType, value: DataType) -> DataType {
    map_type(key, DataType::new_list(value, true))
}

/// The values of each key of a row, keys in the order in which they come.
type Grouped = Option<Vec<(u32, Vec<u32>)>>;

/// Puts a row's pairs of places together by their keys.
fn group(keys: &ArrayRef, pairs: impl Iterator<Item = (u32, u32)>) -> Result<Vec<(u32, Vec<u32>)>> {
    let mut found: Vec<(u32, Vec<u32>)> = Vec::new();
    let mut seen: HashMap<ScalarValue, usize> = HashMap::new();
    for (key, value) in pairs {
        let known = ScalarValue::try_from_array(keys, place(key))?;
        if known.is_null() {
            return wrong("map key cannot be null");
        }
        let at = *seen.entry(known).or_insert_with(|| {
            found.push((key, Vec::new()));
            found.len() - 1
        });
        if let Some((_, values)) = found.get_mut(at) {
            values.push(value);
        }
    }
    Ok(found)
}

/// Maps from keys to lists of values.
fn multimaps(wanted: &DataType, keys: &ArrayRef, values: &ArrayRef, rows: Vec<Grouped>) -> Result<ArrayRef> {
    let (mut of_values, mut lengths, mut pairs) = (Vec::new(), Vec::new(), Vec::with_capacity(rows.len()));
    for row in rows {
        pairs.push(row.map(|row| {
            let mut found = Vec::with_capacity(row.len());
            for (key, all) in row {
                found.push((key, lengths.len() as u32));
                lengths.push(all.len());
                of_values.extend(all);
            }
            found
        }));
    }
    let values = take(values, &UInt32Array::from(of_values), None)?;
    let item = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    let lists: ArrayRef =
        Arc::new(ListArray::try_new(item, OffsetBuffer::from_lengths(lengths), values, None)?);
    maps(wanted, keys, &lists, pairs.into_iter())
}

/// The first value of each key, or the last.
fn single(rows: Vec<Grouped>, last: bool) -> impl Iterator<Item = Option<Vec<(u32, u32)>>> {
    rows.into_iter().map(move |row| {
        let pick = |all: Vec<u32>| if last { all.last().copied() } else { all.first().copied() };
        Some(row?.into_iter().filter_map(|(key, all)| Some((key, pick(all)?))).collect())
    })
}

/// Keys and values of an array of rows, and what belongs together in each row.
fn of_entries(array: &ArrayRef) -> Result<(ArrayRef, ArrayRef, Vec<Grouped>)> {
    let lists = lists(array, "map_from_entries")?;
    let Some(entries) = lists.values().as_struct_opt() else {
        return wrong("map_from_entries needs an array of rows");
    };
    let [keys, values, ..] = entries.columns() else { return wrong("a map entry has a key and a value") };
    let mut rows = Vec::with_capacity(lists.len());
    for row in 0..lists.len() {
        if places(&lists, row).any(|at| lists.is_valid(row) && entries.is_null(place(at))) {
            return wrong("map entry cannot be null");
        }
        let pairs = places(&lists, row).map(|at| (at, at));
        rows.push(if lists.is_valid(row) { Some(group(keys, pairs)?) } else { None });
    }
    Ok((keys.clone(), values.clone(), rows))
}

/// Maps that follow each other in each row: of a key's values the last.
fn joined(wanted: &DataType, columns: &[ArrayRef], skip_null: bool) -> Result<ArrayRef> {
    let typed: Vec<ArrayRef> = columns.iter().map(|column| to(column, wanted)).collect::<Result<_>>()?;
    let all: Vec<&MapArray> = typed.iter().filter_map(|column| column.as_map_opt()).collect();
    let keys: Vec<&dyn Array> = all.iter().map(|map| map.keys().as_ref()).collect();
    let values: Vec<&dyn Array> = all.iter().map(|map| map.values().as_ref()).collect();
    let (keys, values) = (concat(&keys)?, concat(&values)?);
    let count = typed.first().map_or(0, |column| column.len());
    let mut rows = Vec::with_capacity(count);
    for row in 0..count {
        if !skip_null && all.iter().any(|map| map.is_null(row)) {
            rows.push(None);
            continue;
        }
        let (mut before, mut pairs) = (0, Vec::new());
        for map in &all {
            if map.is_valid(row) {
                pairs.extend(entries_of(map, row).map(|at| (at + before, at + before)));
            }
            before += map.keys().len() as u32;
        }
        rows.push(Some(group(&keys, pairs.into_iter())?));
    }
    maps(wanted, &keys, &values, single(rows, true))
}

/// Lists of lists of a row's items, by their places.
fn nested(lists: &ListArray, wanted: &DataType, rows: Vec<Option<Vec<Vec<u32>>>>) -> Result<ArrayRef> {
    let DataType::List(outer) = wanted else { return wrong("a list") };
    let DataType::List(inner) = outer.data_type() else { return wrong("a list of lists") };
    let valid: Vec<bool> = rows.iter().map(Option::is_some).collect();
    let rows: Vec<Vec<Vec<u32>>> = rows.into_iter().map(Option::unwrap_or_default).collect();
    let counts = OffsetBuffer::from_lengths(rows.iter().map(Vec::len));
    let lengths = OffsetBuffer::from_lengths(rows.iter().flatten().map(Vec::len));
    let items = UInt32Array::from_iter_values(rows.into_iter().flatten().flatten());
    let items = to(&take(lists.values(), &items, None)?, inner.data_type())?;
    let parts: ArrayRef = Arc::new(ListArray::try_new(inner.clone(), lengths, items, None)?);
    Ok(Arc::new(ListArray::try_new(outer.clone(), counts, parts, Some(NullBuffer::from(valid)))?))
}

/// All choices of `count` places, in order.
fn choices(places: &[u32], count: usize) -> Option<Vec<Vec<u32>>> {
    let mut found = vec![(Vec::new(), 0)];
    for _ in 0..count {
        let mut next = Vec::new();
        for (chosen, from) in &found {
            for (at, item) in places.iter().enumerate().skip(*from) {
                let mut longer: Vec<u32> = chosen.clone();
                longer.push(*item);
                next.push((longer, at + 1));
                if next.len() > COMBINED {
                    return None;
                }
            }
        }
        found = next;
    }
    Some(found.into_iter().map(|(chosen, _)| chosen).collect())
}

fn list_of_lists(types: &[DataType]) -> DataType {
    DataType::new_list(DataType::new_list(item(types.first()), true), true)
}

/// Lists of lists that a body makes of a row's places and a number.
fn parts_of(
    args: &[ArrayRef],
    wanted: &DataType,
    name: &str,
    body: impl Fn(&[u32], usize) -> Option<Vec<Vec<u32>>>,
) -> Result<ArrayRef> {
    let (lists, counts) = (lists(&args[0], name)?, longs(&args[1])?);
    let mut rows = Vec::with_capacity(lists.len());
    for row in 0..lists.len() {
        let Some(count) = long(&counts, row).filter(|_| lists.is_valid(row)) else {
            rows.push(None);
            continue;
        };
        let all: Vec<u32> = places(&lists, row).collect();
        match usize::try_from(count).ok().filter(|count| *count > 0).map(|count| body(&all, count)) {
            Some(Some(found)) => rows.push(Some(found)),
            Some(None) => return wrong(format!("{name} exceeds {COMBINED} results")),
            None => return wrong(format!("{name}: the number must be greater than 0")),
        }
    }
    nested(&lists, wanted, rows)
}

pub(super) fn functions() -> Vec<ScalarUDF> {
    let entry = |types: &[DataType]| {
        let (key, value) = types.first().and_then(key_and_value).unwrap_or((DataType::Null, DataType::Null));
        let fields = vec![Field::new("c0", key, true), Field::new("c1", value, true)];
        DataType::new_list(DataType::Struct(Fields::from(fields)), true)
    };
    vec![
        scalar("map_concat", 1..=64, Returns::Of(as_first), |args, _, wanted| joined(wanted, args, false)),
        scalar("map_from_entries", 1..=1, Returns::Of(as_first), |args, _, wanted| {
            let (keys, values, rows) = of_entries(&args[0])?;
            if rows.iter().flatten().flatten().any(|(_, all)| all.len() > 1) {
                return wrong("Duplicate map keys are not allowed");
            }
            maps(wanted, &keys, &values, single(rows, false))
        }),
        scalar(
            "multimap_from_entries",
            1..=1,
            Returns::Of(|types| {
                let found = types.first().and_then(key_and_value);
                let (key, value) = found.unwrap_or((DataType::Null, DataType::Null));
                multi(key, value)
            }),
            |args, _, wanted| {
                let (keys, values, rows) = of_entries(&args[0])?;
                multimaps(wanted, &keys, &values, rows)
            },
        ),
        scalar("map_entries", 1..=1, Returns::Of(entry), |args, _, wanted| {
            let DataType::List(item) = wanted else { return wrong("a list") };
            let DataType::Struct(fields) = item.data_type() else { return wrong("a list of rows") };
            let Some(maps) = args[0].as_map_opt() else { return wrong("map_entries needs a map") };
            let columns = vec![maps.keys().clone(), maps.values().clone()];
            let rows = StructArray::try_new(fields.clone(), columns, None)?;
            let nulls = maps.nulls().cloned();
            Ok(Arc::new(ListArray::try_new(item.clone(), maps.offsets().clone(), Arc::new(rows), nulls)?))
        }),
        // What `multimap_agg(key, value)` becomes.
        scalar(
            "multimap_of_pairs",
            2..=2,
            Returns::Of(|types| multi(item(types.first()), item(types.get(1)))),
            |args, rows, wanted| {
                let (keys, values) = (lists(&args[0], "multimap_agg")?, lists(&args[1], "multimap_agg")?);
                let mut found = Vec::with_capacity(rows);
                for row in 0..rows {
                    let is_valid = keys.is_valid(row) && values.is_valid(row);
                    let pairs = places(&keys, row).zip(places(&values, row));
                    found.push(if is_valid { Some(group(keys.values(), pairs)?) } else { None });
                }
                multimaps(wanted, keys.values(), values.values(), found)
            },
        ),
        // What `map_union(map)` becomes.
        scalar("map_of_maps", 1..=1, Returns::Of(as_first), |args, _, wanted| {
            let lists = lists(&args[0], "map_union")?;
            let Some(all) = lists.values().as_map_opt() else { return wrong("map_union needs maps") };
            let mut rows = Vec::with_capacity(lists.len());
            for row in 0..lists.len() {
                let pairs = places(&lists, row).filter(|at| all.is_valid(place(*at)));
                let pairs = pairs.flat_map(|at| entries_of(all, place(at))).map(|at| (at, at));
                rows.push(if lists.is_valid(row) { Some(group(all.keys(), pairs)?) } else { None });
            }
            maps(wanted, all.keys(), all.values(), single(rows, false))
        }),
        // The entries with the greatest values, for `approx_most_frequent`.
        scalar("map_top", 2..=2, Returns::Of(as_first), |args, rows, wanted| {
            let (Some(all), counts) = (args[0].as_map_opt(), longs(&args[1])?) else {
                return wrong("a map");
            };
            let values = longs(all.values())?;
            let found = (0..rows).map(|row| {
                let count = usize::try_from(long(&counts, row)?).ok()?;
                let mut entries: Vec<u32> = entries_of(all, row).collect();
                entries.sort_by_key(|at| std::cmp::Reverse(values.value(place(*at))));
                entries.truncate(count);
                all.is_valid(row).then(|| entries.into_iter().map(|at| (at, at)).collect())
            });
            maps(wanted, all.keys(), all.values(), found)
        }),
        scalar(
            "split_to_multimap",
            3..=3,
            Returns::Of(|_| multi(DataType::Utf8, DataType::Utf8)),
            |args, rows, wanted| {
                let columns: Vec<StringArray> = args.iter().map(texts).collect::<Result<_>>()?;
                let (mut keys, mut values, mut splits) = (Vec::new(), Vec::new(), Vec::with_capacity(rows));
                for row in 0..rows {
                    let parts: Option<Vec<&str>> = columns.iter().map(|column| get(column, row)).collect();
                    let before = keys.len() as u32;
                    if let Some([text, between, within]) = parts.as_deref() {
                        for entry in text.split(between).filter(|entry| !entry.is_empty()) {
                            let Some((key, value)) = entry.split_once(within) else {
                                let text =
                                    "Key-value delimiter must appear exactly once in each entry. Bad input: ";
                                return wrong(format!("{text}'{entry}'"));
                            };
                            keys.push(key.to_owned());
                            values.push(value.to_owned());
                        }
                    }
                    splits.push(parts.map(|_| before..keys.len() as u32));
                }
                let keys: ArrayRef = Arc::new(StringArray::from(keys));
                let values: ArrayRef = Arc::new(StringArray::from(values));
                let grouped = splits.into_iter().map(|split| match split {
                    Some(split) => group(&keys, split.map(|at| (at, at))).map(Some),
                    None => Ok(None),
                });
                multimaps(wanted, &keys, &values, grouped.collect::<Result<_>>()?)
            },
        ),
        scalar("combinations", 2..=2, Returns::Of(list_of_lists), |args, _, wanted| {
            parts_of(args, wanted, "combinations", choices)
        }),
        scalar("ngrams", 2..=2, Returns::Of(list_of_lists), |args, _, wanted| {
            parts_of(args, wanted, "ngrams", |all, count| {
                if count >= all.len() {
                    return Some(vec![all.to_vec()]);
                }
                Some(all.windows(count).map(<[u32]>::to_vec).collect())
            })
        }),
        scalar(
            "trim_array",
            2..=2,
            Returns::Of(|types| DataType::new_list(item(types.first()), true)),
            |args, _, wanted| {
                let (lists, counts) = (lists(&args[0], "trim_array")?, longs(&args[1])?);
                let DataType::List(item) = wanted else { return wrong("a list") };
                let (mut kept, mut lengths, mut valid) = (Vec::new(), Vec::new(), Vec::new());
                for row in 0..lists.len() {
                    let all = places(&lists, row);
                    let count = long(&counts, row).filter(|_| lists.is_valid(row));
                    valid.push(count.is_some());
                    let Some(count) = count else {
                        lengths.push(0);
                        continue;
                    };
                    let rest = usize::try_from(count).ok().and_then(|count| all.len().checked_sub(count));
                    let Some(rest) = rest else {
                        return wrong(format!(
                            "size must not exceed array cardinality {}: {count}",
                            all.len()
                        ));
                    };
                    lengths.push(rest);
                    kept.extend(all.take(rest));
                }
                let items = to(&take(lists.values(), &UInt32Array::from(kept), None)?, item.data_type())?;
                let offsets = OffsetBuffer::from_lengths(lengths);
                let nulls = Some(NullBuffer::from(valid));
                Ok(Arc::new(ListArray::try_new(item.clone(), offsets, items, nulls)?))
            },
        ),
        scalar("contains_sequence", 2..=2, Returns::Type(|| DataType::Boolean), |args, rows, _| {
            let (all, wanted) =
                (lists(&args[0], "contains_sequence")?, lists(&args[1], "contains_sequence")?);
            let mut found = Vec::with_capacity(rows);
            for row in 0..rows {
                if all.is_null(row) || wanted.is_null(row) {
                    found.push(None);
                    continue;
                }
                let (items, part) = (all.value(row), to(&wanted.value(row), all.values().data_type())?);
                let starts = (items.len() + 1).saturating_sub(part.len());
                found.push(Some((0..starts).any(|at| items.slice(at, part.len()).as_ref() == part.as_ref())));
            }
            Ok(Arc::new(BooleanArray::from(found)))
        }),
    ]
}
