//! Spans of time, and how far a zone is from UTC. Source: Trino documentation,
//! "Date and time functions and operators".

use super::scalar::{Returns, get, scalar, texts, to, wrong};
use datafusion::arrow::array::{Array, ArrayRef, Int64Array, IntervalMonthDayNanoArray, cast::AsArray};
use datafusion::arrow::datatypes::{
    DataType, DurationMillisecondType, Float64Type, IntervalDayTimeType, IntervalMonthDayNano,
    IntervalMonthDayNanoType, IntervalUnit, TimeUnit,
};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;
use std::sync::Arc;

const DAY: i64 = 86_400_000;

/// Milliseconds of each unit.
const UNITS: [(&str, f64); 7] =
    [("ns", 1e-6), ("us", 1e-3), ("ms", 1.0), ("s", 1e3), ("m", 60e3), ("h", 3_600e3), ("d", 86_400e3)];

/// `42.8ms`
fn duration(text: &str) -> Option<IntervalMonthDayNano> {
    let text = text.trim();
    let at = text.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
    let (number, unit) = text.split_at(at);
    let (_, size) = UNITS.iter().find(|(name, _)| *name == unit.trim())?;
    let ms = (number.parse::<f64>().ok()? * size).round() as i64;
    let days = i32::try_from(ms / DAY).ok()?;
    Some(IntervalMonthDayNano::new(0, days, ms % DAY * 1_000_000))
}

fn milliseconds(array: &ArrayRef) -> Result<Int64Array> {
    Ok(match array.data_type() {
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let spans = array.as_primitive::<IntervalMonthDayNanoType>().iter();
            let ms = |span: IntervalMonthDayNano| {
                i64::from(span.days).saturating_mul(DAY).saturating_add(span.nanoseconds / 1_000_000)
            };
            spans.map(|span| span.map(ms)).collect()
        }
        DataType::Interval(IntervalUnit::DayTime) => {
            let spans = array.as_primitive::<IntervalDayTimeType>().iter();
            spans.map(|span| span.map(|s| i64::from(s.days) * DAY + i64::from(s.milliseconds))).collect()
        }
        DataType::Duration(_) => {
            let spans = to(array, &DataType::Duration(TimeUnit::Millisecond))?;
            spans.as_primitive::<DurationMillisecondType>().iter().collect()
        }
        other => {
            let shown = crate::athena::trino_type(other);
            return wrong(format!("Unexpected parameters ({shown}) for function to_milliseconds"));
        }
    })
}

/// Minutes from UTC of each instant's zone.
fn offsets(array: &ArrayRef, rows: usize) -> Result<Vec<Option<i64>>> {
    if !matches!(array.data_type(), DataType::Timestamp(_, Some(_))) {
        let shown = crate::athena::trino_type(array.data_type());
        return wrong(format!("Unexpected parameters ({shown}) for function timezone_hour"));
    }
    let options = FormatOptions::new().with_timestamp_tz_format(Some("%z"));
    let shown = ArrayFormatter::try_new(array, &options)?;
    let minutes = |row: usize| {
        // `+0530`
        let text = array.is_valid(row).then(|| shown.value(row).to_string())?;
        let number: i64 = text.trim_start_matches('+').parse().ok()?;
        Some(number / 100 * 60 + number % 100)
    };
    Ok((0..rows).map(minutes).collect())
}

pub(super) fn functions() -> Vec<ScalarUDF> {
    let bigint = Returns::Type(|| DataType::Int64);
    let span = Returns::Type(|| DataType::Interval(IntervalUnit::MonthDayNano));
    vec![
        // Instants as dates, if the other argument is one.
        scalar(
            "as_dates",
            2..=2,
            Returns::Of(|types| match types {
                [_, DataType::Date32] => DataType::Date32,
                [kind, ..] => kind.clone(),
                [] => DataType::Null,
            }),
            |args, _, wanted| to(&args[0], wanted),
        ),
        // A span so often, for `checked`.
        scalar("span_times", 2..=2, span, |args, rows, wanted| {
            let (spans, counts) = (to(&args[0], wanted)?, to(&args[1], &DataType::Float64)?);
            let spans = spans.as_primitive::<IntervalMonthDayNanoType>();
            let counts = counts.as_primitive::<Float64Type>();
            let found = (0..rows).map(|row| {
                let (span, count) = ((spans.is_valid(row)).then(|| spans.value(row))?, counts.value(row));
                let nanoseconds = (span.days as f64 * DAY as f64 * 1e6 + span.nanoseconds as f64) * count;
                let (days, rest) =
                    ((nanoseconds / (DAY as f64 * 1e6)).trunc(), nanoseconds % (DAY as f64 * 1e6));
                let months = (f64::from(span.months) * count).trunc() as i32;
                let found = IntervalMonthDayNano::new(months, days as i32, rest.round() as i64);
                counts.is_valid(row).then_some(found)
            });
            Ok(Arc::new(found.collect::<IntervalMonthDayNanoArray>()))
        }),
        scalar("parse_duration", 1..=1, span, |args, rows, _| {
            let values = texts(&args[0])?;
            let mut found = Vec::with_capacity(rows);
            for row in 0..rows {
                found.push(match get(&values, row) {
                    None => None,
                    Some(text) => match duration(text) {
                        Some(span) => Some(span),
                        None => {
                            return wrong(format!("duration is not a valid data duration string: {text}"));
                        }
                    },
                });
            }
            Ok(Arc::new(IntervalMonthDayNanoArray::from(found)))
        }),
        scalar("to_milliseconds", 1..=1, bigint, |args, _, _| Ok(Arc::new(milliseconds(&args[0])?))),
        scalar("timezone_hour", 1..=1, bigint, |args, rows, _| {
            let all = offsets(&args[0], rows)?.into_iter();
            Ok(Arc::new(all.map(|minutes| Some(minutes? / 60)).collect::<Int64Array>()))
        }),
        scalar("timezone_minute", 1..=1, bigint, |args, rows, _| {
            let all = offsets(&args[0], rows)?.into_iter();
            Ok(Arc::new(all.map(|minutes| Some(minutes? % 60)).collect::<Int64Array>()))
        }),
    ]
}
