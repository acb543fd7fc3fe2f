//! Hive's types and Arrow's.

use super::QueryError;
use datafusion::arrow::datatypes::{DataType, Field, Fields, TimeUnit};
use std::sync::Arc;

/// The type of a column of a Hive type, such as `array<struct<a:int>>`.
///
/// Errors: `NOT_SUPPORTED` for one that is not known.
pub fn arrow_type(hive: &str) -> Result<DataType, QueryError> {
    let hive = hive.trim().to_lowercase();
    read(&hive, 0).ok_or_else(|| QueryError::not_supported(format!("Unsupported Hive type: {hive}")))
}

fn read(hive: &str, depth: usize) -> Option<DataType> {
    if depth > 32 {
        return None;
    }
    let hive = hive.trim();
    let inside = |name: &str| hive.strip_prefix(name)?.trim_start().strip_prefix('<')?.strip_suffix('>');
    if let Some(item) = inside("array") {
        return Some(DataType::List(Arc::new(Field::new("item", read(item, depth + 1)?, true))));
    }
    if let Some(inner) = inside("map") {
        let [key, value] = parts(inner).try_into().ok()?;
        let entries = Fields::from(vec![
            Field::new("key", read(key, depth + 1)?, false),
            Field::new("value", read(value, depth + 1)?, true),
        ]);
        return Some(DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries), false)), false));
    }
    if let Some(inner) = inside("struct") {
        let mut members = Vec::new();
        for member in parts(inner) {
            let (name, kind) = member.split_once(':')?;
            members.push(Field::new(name.trim(), read(kind, depth + 1)?, true));
        }
        return Some(DataType::Struct(members.into()));
    }
    if let Some(numbers) = hive.strip_prefix("decimal") {
        let numbers =
            numbers.trim().strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or("10,0");
        let (precision, scale) = numbers.split_once(',').unwrap_or((numbers, "0"));
        let precision: u8 = precision.trim().parse().ok().filter(|digits| (1..=38).contains(digits))?;
        return Some(DataType::Decimal128(precision, scale.trim().parse().ok()?));
    }
    Some(match hive {
        "boolean" => DataType::Boolean,
        "tinyint" => DataType::Int8,
        "smallint" => DataType::Int16,
        "int" | "integer" => DataType::Int32,
        "bigint" | "long" => DataType::Int64,
        "float" | "real" => DataType::Float32,
        "double" => DataType::Float64,
        "binary" => DataType::Binary,
        "date" => DataType::Date32,
        "timestamp" => DataType::Timestamp(TimeUnit::Millisecond, None),
        "string" => DataType::Utf8,
        text if text.starts_with("varchar") || text.starts_with("char") => DataType::Utf8,
        _ => return None,
    })
}

/// Splits at the commas that stand in no brackets.
fn parts(text: &str) -> Vec<&str> {
    let (mut found, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, letter) in text.char_indices() {
        match letter {
            '<' | '(' => depth += 1,
            '>' | ')' => depth -= 1,
            ',' if depth == 0 => {
                found.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(&text[start..]);
    found
}

/// The Hive type for what a query gives, for CREATE TABLE AS.
pub fn hive_type(arrow: &DataType) -> String {
    match arrow {
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int8 => "tinyint".to_owned(),
        DataType::Int16 | DataType::UInt8 => "smallint".to_owned(),
        DataType::Int32 | DataType::UInt16 => "int".to_owned(),
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => "bigint".to_owned(),
        DataType::Float16 | DataType::Float32 => "float".to_owned(),
        DataType::Float64 => "double".to_owned(),
        DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::Date32 | DataType::Date64 => "date".to_owned(),
        DataType::Timestamp(..) => "timestamp".to_owned(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "binary".to_owned(),
        DataType::List(item) | DataType::LargeList(item) => format!("array<{}>", hive_type(item.data_type())),
        DataType::Struct(members) => {
            let members = members.iter().map(|m| format!("{}:{}", m.name(), hive_type(m.data_type())));
            format!("struct<{}>", members.collect::<Vec<_>>().join(","))
        }
        _ => "string".to_owned(),
    }
}
