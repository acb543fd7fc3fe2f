//! Values as texts, and lines of result files, as Athena writes them.

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch, cast::AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Field, Fields, Float32Type, Float64Type, Int64Type, IntervalDayTimeType,
    IntervalMonthDayNanoType, IntervalUnit, IntervalYearMonthType, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use std::fmt::Write;

/// A column of a result. Source: Athena API, `ColumnInfo`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultColumn {
    pub name: String,
    pub data_type: String,
    pub precision: i64,
    pub scale: i64,
}

/// A column in Athena's words.
pub fn column(field: &Field) -> ResultColumn {
    let (data_type, precision, scale) = match field.data_type() {
        DataType::Boolean => ("boolean", 0, 0),
        DataType::Int8 => ("tinyint", 3, 0),
        DataType::Int16 | DataType::UInt8 => ("smallint", 5, 0),
        DataType::Int32 | DataType::UInt16 => ("integer", 10, 0),
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => ("bigint", 19, 0),
        DataType::Float16 | DataType::Float32 => ("float", 17, 0),
        DataType::Float64 => ("double", 17, 0),
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
            ("decimal", i64::from(*precision), i64::from(*scale))
        }
        DataType::Date32 | DataType::Date64 => ("date", 0, 0),
        DataType::Timestamp(_, None) => ("timestamp", 3, 0),
        DataType::Timestamp(_, Some(_)) => ("timestamp with time zone", 3, 0),
        DataType::Time32(_) | DataType::Time64(_) => ("time", 3, 0),
        DataType::Interval(_) | DataType::Duration(_) => ("interval day to second", 0, 0),
        DataType::FixedSizeBinary(16) => ("ipaddress", 0, 0),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => ("varbinary", 1_073_741_824, 0),
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => ("array", 0, 0),
        DataType::Map(..) => ("map", 0, 0),
        DataType::Struct(_) => ("row", 0, 0),
        DataType::Null => ("unknown", 0, 0),
        _ => ("varchar", 2_147_483_647, 0),
    };
    ResultColumn { name: field.name().clone(), data_type: data_type.to_owned(), precision, scale }
}

/// A type in Trino's words, with those of what is in it.
pub fn trino_type(kind: &DataType) -> String {
    let of = |field: &Field| trino_type(field.data_type());
    match kind {
        DataType::Float16 | DataType::Float32 => "real".to_owned(),
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
            format!("decimal({precision},{scale})")
        }
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            format!("array({})", of(item))
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => {
                format!("map({})", fields.iter().map(|field| of(field)).collect::<Vec<_>>().join(", "))
            }
            _ => "map".to_owned(),
        },
        DataType::Struct(fields) if is_anonymous(fields) => {
            format!("row({})", fields.iter().map(|field| of(field)).collect::<Vec<_>>().join(", "))
        }
        DataType::Struct(fields) => {
            let members = fields.iter().map(|field| format!("{} {}", field.name(), of(field)));
            format!("row({})", members.collect::<Vec<_>>().join(", "))
        }
        other => column(&Field::new("", other.clone(), true)).data_type,
    }
}

/// Whether a row's members have the names that the engine gives those without.
fn is_anonymous(fields: &Fields) -> bool {
    fields.iter().enumerate().all(|(place, field)| *field.name() == format!("c{place}"))
}

/// The value in a row; `None` for NULL.
pub fn text(array: &ArrayRef, row: usize) -> Option<String> {
    if array.is_null(row) || array.data_type() == &DataType::Null {
        return None;
    }
    Some(match array.data_type() {
        DataType::Float64 => java(array.as_primitive::<Float64Type>().value(row)),
        DataType::Float32 => {
            let value = array.as_primitive::<Float32Type>().value(row);
            // The shortest digits of the narrow type.
            java(value.to_string().parse().unwrap_or(f64::from(value)))
        }
        DataType::Timestamp(unit, zone) => {
            let (value, scale) = match unit {
                TimeUnit::Second => (array.as_primitive::<TimestampSecondType>().value(row), 1),
                TimeUnit::Millisecond => (array.as_primitive::<TimestampMillisecondType>().value(row), 1_000),
                TimeUnit::Microsecond => {
                    (array.as_primitive::<TimestampMicrosecondType>().value(row), 1_000_000)
                }
                TimeUnit::Nanosecond => {
                    (array.as_primitive::<TimestampNanosecondType>().value(row), 1_000_000_000)
                }
            };
            let ms = i128::from(value) * 1000 / scale;
            match zone.as_deref() {
                None => wall(ms),
                Some("UTC" | "+00:00" | "Z") => format!("{} UTC", wall(ms)),
                Some(zone) => {
                    let format = FormatOptions::new().with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.3f"));
                    let shown = ArrayFormatter::try_new(array, &format).map(|f| f.value(row).to_string());
                    format!("{} {zone}", shown.unwrap_or_default())
                }
            }
        }
        DataType::Interval(unit) => match unit {
            IntervalUnit::YearMonth => months(array.as_primitive::<IntervalYearMonthType>().value(row)),
            IntervalUnit::DayTime => {
                let value = array.as_primitive::<IntervalDayTimeType>().value(row);
                days(i128::from(value.days) * DAY_MS + i128::from(value.milliseconds))
            }
            IntervalUnit::MonthDayNano => {
                let value = array.as_primitive::<IntervalMonthDayNanoType>().value(row);
                let ms = i128::from(value.days) * DAY_MS + i128::from(value.nanoseconds) / 1_000_000;
                if value.months != 0 && ms == 0 { months(value.months) } else { days(ms) }
            }
        },
        DataType::Duration(unit) => {
            let value =
                cast(array, &DataType::Int64).map(|values| values.as_primitive::<Int64Type>().value(row));
            let per_second: i128 = match unit {
                TimeUnit::Second => 1,
                TimeUnit::Millisecond => 1_000,
                TimeUnit::Microsecond => 1_000_000,
                TimeUnit::Nanosecond => 1_000_000_000,
            };
            days(i128::from(value.unwrap_or_default()) * 1000 / per_second)
        }
        DataType::FixedSizeBinary(16) => crate::functions::ip::show(array.as_fixed_size_binary().value(row)),
        DataType::Binary => hex(array.as_binary::<i32>().value(row)),
        DataType::LargeBinary => hex(array.as_binary::<i64>().value(row)),
        DataType::BinaryView => hex(array.as_binary_view().value(row)),
        DataType::List(_) => list(&array.as_list::<i32>().value(row)),
        DataType::LargeList(_) => list(&array.as_list::<i64>().value(row)),
        DataType::Struct(fields) => {
            let values = array.as_struct();
            let is_anonymous = is_anonymous(fields);
            let members = fields.iter().zip(values.columns()).enumerate().map(|(place, (field, column))| {
                let name = if is_anonymous { format!("field{place}") } else { field.name().clone() };
                format!("{name}={}", text(column, row).unwrap_or("null".to_owned()))
            });
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            let pairs = (0..entries.len()).map(|at| {
                let part = |place: usize| text(entries.column(place), at).unwrap_or("null".to_owned());
                format!("{}={}", part(0), part(1))
            });
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
        _ => {
            let options = FormatOptions::new();
            ArrayFormatter::try_new(array, &options).map(|f| f.value(row).to_string()).unwrap_or_default()
        }
    })
}

const DAY_MS: i128 = 86_400_000;

/// Months as years and months: `1-2`.
fn months(months: i32) -> String {
    let sign = if months < 0 { "-" } else { "" };
    format!("{sign}{}-{}", months.unsigned_abs() / 12, months.unsigned_abs() % 12)
}

/// Milliseconds as days and time: `7 00:00:00.000`.
fn days(ms: i128) -> String {
    let (sign, ms) = (if ms < 0 { "-" } else { "" }, ms.abs());
    let (hours, minutes) = (ms / 3_600_000 % 24, ms / 60_000 % 60);
    format!("{sign}{} {hours:02}:{minutes:02}:{:02}.{:03}", ms / DAY_MS, ms / 1000 % 60, ms % 1000)
}

fn list(items: &ArrayRef) -> String {
    let items = (0..items.len()).map(|at| text(items, at).unwrap_or("null".to_owned()));
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

/// `2021-05-04 10:00:00.000`
fn wall(ms: i128) -> String {
    let Ok(at) = time::OffsetDateTime::from_unix_timestamp_nanos(ms * 1_000_000) else {
        return ms.to_string();
    };
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
        at.millisecond()
    )
}

/// A number as Java's `Double.toString` gives it. Source: Java SE API, `Double`.
fn java(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let size = value.abs();
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        return format!("{value:?}");
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let point = if digits.contains('.') { "" } else { ".0" };
    format!("{digits}{point}E{exponent}")
}

/// Adds a row to a CSV text: every value that is one in double quotes.
pub fn write_row(batch: &RecordBatch, row: usize, out: &mut String) {
    for (place, array) in batch.columns().iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        if let Some(value) = text(array, row) {
            let _ = write!(out, "\"{}\"", value.replace('"', "\"\""));
        }
    }
    out.push('\n');
}
