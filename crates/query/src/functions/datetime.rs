//! Dates and times. Instants are milliseconds in UTC.
//!
//! Source: Trino documentation, "Date and time functions and operators".

use super::scalar::{Returns, get, instant, long, longs, map_text, scalar, texts, to, wrong};
use datafusion::arrow::array::{
    Array, ArrayRef, Date32Array, Float64Array, Int64Array, StringArray, TimestampMillisecondArray,
    cast::AsArray,
};
use datafusion::arrow::compute::{DatePart, date_part};
use datafusion::arrow::datatypes::{DataType, Float64Type, TimeUnit, TimestampMillisecondType};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;
use std::fmt::Write;
use std::sync::Arc;
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

const MS: DataType = DataType::Timestamp(TimeUnit::Millisecond, None);

/// Instants of dates, times and texts.
pub(super) fn millis(array: &ArrayRef) -> Result<TimestampMillisecondArray> {
    let array = to(array, &DataType::Timestamp(TimeUnit::Millisecond, zone(array.data_type())))?;
    Ok(array.as_primitive::<TimestampMillisecondType>().clone())
}

fn zone(kind: &DataType) -> Option<Arc<str>> {
    match kind {
        DataType::Timestamp(_, zone) => zone.clone(),
        _ => None,
    }
}

pub(super) fn at(array: &TimestampMillisecondArray, row: usize) -> Option<OffsetDateTime> {
    if array.is_null(row) {
        return None;
    }
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(array.value(row)) * 1_000_000).ok()
}

fn ms(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

fn part(args: &[ArrayRef], part: DatePart) -> Result<ArrayRef> {
    let array = match args[0].data_type() {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => to(&args[0], &MS)?,
        _ => args[0].clone(),
    };
    to(&date_part(&array, part)?, &DataType::Int64)
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Twelve hours: 12, 1 to 11.
fn twelve(hour: u8) -> u8 {
    match hour % 12 {
        0 => 12,
        hour => hour,
    }
}

/// MySQL's codes. Source: Trino documentation, "MySQL date functions".
pub(super) fn mysql(at: OffsetDateTime, format: &str) -> Result<String> {
    let mut out = String::new();
    let mut letters = format.chars();
    let (month, day) = (u8::from(at.month()), at.weekday().number_days_from_monday());
    let name =
        |names: &[&str], place: u8| names.get(usize::from(place)).copied().unwrap_or_default().to_owned();
    let half = if at.hour() < 12 { "AM" } else { "PM" };
    while let Some(letter) = letters.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        let code = letters.next().unwrap_or('%');
        let done = match code {
            'a' => write!(out, "{}", &name(&DAYS, day)[..3]),
            'b' => write!(out, "{}", &name(&MONTHS, month - 1)[..3]),
            'c' => write!(out, "{month}"),
            'd' => write!(out, "{:02}", at.day()),
            'e' => write!(out, "{}", at.day()),
            'f' => write!(out, "{:06}", at.microsecond()),
            'H' => write!(out, "{:02}", at.hour()),
            'h' | 'I' => write!(out, "{:02}", twelve(at.hour())),
            'i' => write!(out, "{:02}", at.minute()),
            'j' => write!(out, "{:03}", at.ordinal()),
            'k' => write!(out, "{}", at.hour()),
            'l' => write!(out, "{}", twelve(at.hour())),
            'M' => write!(out, "{}", name(&MONTHS, month - 1)),
            'm' => write!(out, "{month:02}"),
            'p' => write!(out, "{half}"),
            'r' => write!(out, "{:02}:{:02}:{:02} {half}", twelve(at.hour()), at.minute(), at.second()),
            'S' | 's' => write!(out, "{:02}", at.second()),
            'T' => write!(out, "{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second()),
            'v' => write!(out, "{:02}", at.iso_week()),
            'W' => write!(out, "{}", name(&DAYS, day)),
            'x' => write!(out, "{:04}", at.to_iso_week_date().0),
            'Y' => write!(out, "{:04}", at.year()),
            'y' => write!(out, "{:02}", at.year().rem_euclid(100)),
            '%' => write!(out, "%"),
            'D' | 'U' | 'u' | 'V' | 'w' | 'X' => {
                return wrong(format!("%{code} not supported in date format string"));
            }
            other => write!(out, "{other}"),
        };
        if done.is_err() {
            return wrong("a date without room");
        }
    }
    Ok(out)
}

/// What a text says, piece by piece.
#[derive(Default)]
struct Read {
    year: Option<i32>,
    month: Option<u8>,
    day: Option<u8>,
    hour: u8,
    minute: u8,
    second: u8,
    ms: u16,
    afternoon: Option<bool>,
    offset_s: i32,
}

impl Read {
    fn instant(&self) -> Option<i64> {
        let mut hour = self.hour;
        if let Some(afternoon) = self.afternoon {
            hour = hour % 12 + if afternoon { 12 } else { 0 };
        }
        let month = Month::try_from(self.month.unwrap_or(1)).ok()?;
        let date = Date::from_calendar_date(self.year.unwrap_or(1970), month, self.day.unwrap_or(1)).ok()?;
        let time = Time::from_hms_milli(hour, self.minute, self.second, self.ms).ok()?;
        let offset = UtcOffset::from_whole_seconds(self.offset_s).ok()?;
        Some(ms(PrimitiveDateTime::new(date, time).assume_offset(offset)))
    }
}

fn digits<'a>(rest: &mut &'a str, most: usize) -> Option<&'a str> {
    let count = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (found, more) = rest.split_at_checked(count).filter(|_| count > 0)?;
    *rest = more;
    Some(found)
}

fn named(rest: &mut &str, names: &[&str]) -> Option<u8> {
    for (place, name) in names.iter().enumerate() {
        for shown in [*name, &name[..3]] {
            if rest.get(..shown.len()).is_some_and(|start| start.eq_ignore_ascii_case(shown)) {
                *rest = &rest[shown.len()..];
                return u8::try_from(place + 1).ok();
            }
        }
    }
    None
}

fn half(rest: &mut &str) -> Option<bool> {
    let found = rest.get(..2)?.to_ascii_uppercase();
    *rest = &rest[2..];
    ["AM", "PM"].iter().position(|half| *half == found).map(|place| place == 1)
}

fn by_mysql(text: &str, format: &str) -> Option<i64> {
    let (mut rest, mut read) = (text, Read::default());
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            rest = rest.strip_prefix(letter)?;
            continue;
        }
        match letters.next()? {
            'Y' => read.year = digits(&mut rest, 4)?.parse().ok(),
            'y' => {
                let year: i32 = digits(&mut rest, 2)?.parse().ok()?;
                read.year = Some(if year < 70 { 2000 + year } else { 1900 + year });
            }
            'm' | 'c' => read.month = digits(&mut rest, 2)?.parse().ok(),
            'd' | 'e' => read.day = digits(&mut rest, 2)?.parse().ok(),
            'H' | 'k' | 'h' | 'I' | 'l' => read.hour = digits(&mut rest, 2)?.parse().ok()?,
            'i' => read.minute = digits(&mut rest, 2)?.parse().ok()?,
            's' | 'S' => read.second = digits(&mut rest, 2)?.parse().ok()?,
            'f' => {
                let fraction = digits(&mut rest, 9)?;
                read.ms = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
            }
            'T' => {
                read.hour = digits(&mut rest, 2)?.parse().ok()?;
                rest = rest.strip_prefix(':')?;
                read.minute = digits(&mut rest, 2)?.parse().ok()?;
                rest = rest.strip_prefix(':')?;
                read.second = digits(&mut rest, 2)?.parse().ok()?;
            }
            'p' => read.afternoon = Some(half(&mut rest)?),
            'M' | 'b' => read.month = Some(named(&mut rest, &MONTHS)?),
            'W' | 'a' => {
                named(&mut rest, &DAYS)?;
            }
            '%' => rest = rest.strip_prefix('%')?,
            _ => return None,
        }
    }
    if rest.is_empty() { read.instant() } else { None }
}

/// Runs of one letter, and quoted texts, of a date format of Java or Joda: letter and run, or `'` and text.
pub fn pieces(format: &str) -> Vec<(char, String)> {
    let mut found: Vec<(char, String)> = Vec::new();
    let mut letters = format.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '\'' {
            let mut text = String::new();
            if letters.peek() == Some(&'\'') {
                letters.next();
                text.push('\'');
            } else {
                while let Some(next) = letters.next().filter(|next| *next != '\'') {
                    text.push(next);
                }
            }
            found.push(('\'', text));
        } else if letter.is_ascii_alphabetic() {
            match found.last_mut() {
                Some((kind, run)) if *kind == letter => run.push(letter),
                _ => found.push((letter, letter.to_string())),
            }
        } else {
            found.push(('\'', letter.to_string()));
        }
    }
    found
}

fn by_joda(text: &str, format: &str) -> Option<i64> {
    let (mut rest, mut read) = (text, Read::default());
    for (kind, run) in pieces(format) {
        match kind {
            '\'' => rest = rest.strip_prefix(run.as_str())?,
            'y' | 'Y' | 'x' => read.year = digits(&mut rest, 4)?.parse().ok(),
            'M' if run.len() > 2 => read.month = Some(named(&mut rest, &MONTHS)?),
            'M' => read.month = digits(&mut rest, 2)?.parse().ok(),
            'd' => read.day = digits(&mut rest, 2)?.parse().ok(),
            'H' | 'h' | 'K' | 'k' => read.hour = digits(&mut rest, 2)?.parse().ok()?,
            'm' => read.minute = digits(&mut rest, 2)?.parse().ok()?,
            's' => read.second = digits(&mut rest, 2)?.parse().ok()?,
            'S' => {
                let fraction = digits(&mut rest, 9)?;
                read.ms = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
            }
            'a' => read.afternoon = Some(half(&mut rest)?),
            'E' => {
                named(&mut rest, &DAYS)?;
            }
            'Z' | 'z' => read.offset_s = offset(&mut rest)?,
            _ => return None,
        }
    }
    if rest.is_empty() { read.instant() } else { None }
}

/// `Z`, `UTC`, `+01:00`, `-0800`: seconds.
fn offset(rest: &mut &str) -> Option<i32> {
    for utc in ["UTC", "GMT", "Z"] {
        if let Some(more) = rest.strip_prefix(utc) {
            *rest = more;
            return Some(0);
        }
    }
    let sign = match rest.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    *rest = &rest[1..];
    let hours: i32 = digits(rest, 2)?.parse().ok()?;
    *rest = rest.strip_prefix(':').unwrap_or(rest);
    let minutes: i32 = digits(rest, 2).unwrap_or("0").parse().ok()?;
    Some(sign * (hours * 3600 + minutes * 60))
}

fn joda(at: OffsetDateTime, format: &str) -> Result<String> {
    let mut out = String::new();
    for (kind, run) in pieces(format) {
        let width = run.len();
        let number = match kind {
            '\'' => {
                out.push_str(&run);
                continue;
            }
            'y' | 'Y' | 'x' if width == 2 => i64::from(at.year().rem_euclid(100)),
            'y' | 'Y' | 'x' => i64::from(at.year()),
            'M' if width > 2 => {
                let name = MONTHS[usize::from(u8::from(at.month()) - 1)];
                out.push_str(if width > 3 { name } else { &name[..3] });
                continue;
            }
            'E' => {
                let name = DAYS[usize::from(at.weekday().number_days_from_monday())];
                out.push_str(if width > 3 { name } else { &name[..3] });
                continue;
            }
            'M' => i64::from(u8::from(at.month())),
            'd' => i64::from(at.day()),
            'D' => i64::from(at.ordinal()),
            'e' => i64::from(at.weekday().number_from_monday()),
            'H' => i64::from(at.hour()),
            'h' => i64::from(twelve(at.hour())),
            'm' => i64::from(at.minute()),
            's' => i64::from(at.second()),
            'S' => i64::from(at.millisecond()),
            'a' => {
                out.push_str(if at.hour() < 12 { "AM" } else { "PM" });
                continue;
            }
            'Z' | 'z' => {
                out.push_str("UTC");
                continue;
            }
            other => return wrong(format!("Illegal pattern component: {other}")),
        };
        let _ = write!(out, "{number:0width$}");
    }
    Ok(out)
}

/// The length of a unit in milliseconds, or in months.
enum Unit {
    Ms(i64),
    Months(i64),
}

fn unit(name: &str) -> Result<Unit> {
    Ok(match name.to_lowercase().as_str() {
        "millisecond" => Unit::Ms(1),
        "second" => Unit::Ms(1000),
        "minute" => Unit::Ms(60_000),
        "hour" => Unit::Ms(3_600_000),
        "day" => Unit::Ms(86_400_000),
        "week" => Unit::Ms(604_800_000),
        "month" => Unit::Months(1),
        "quarter" => Unit::Months(3),
        "year" => Unit::Months(12),
        other => return wrong(format!("'{other}' is not a valid TIMESTAMP field")),
    })
}

fn add_months(at: OffsetDateTime, count: i64) -> Option<OffsetDateTime> {
    let month = i64::from(at.year()) * 12 + i64::from(u8::from(at.month())) - 1 + count;
    let year = i32::try_from(month.div_euclid(12)).ok()?;
    let month = Month::try_from(u8::try_from(month.rem_euclid(12) + 1).ok()?).ok()?;
    let date = Date::from_calendar_date(year, month, at.day().min(month.length(year))).ok()?;
    Some(at.replace_date(date))
}

/// Whole months from one to the other.
fn months_between(from: OffsetDateTime, to: OffsetDateTime) -> i64 {
    let count = |at: OffsetDateTime| i64::from(at.year()) * 12 + i64::from(u8::from(at.month()));
    let months = count(to) - count(from);
    match add_months(from, months) {
        Some(there) if months > 0 && there > to => months - 1,
        Some(there) if months < 0 && there < to => months + 1,
        _ => months,
    }
}

/// Instants as the wanted type of timestamp or date.
fn as_type(found: Vec<Option<i64>>, wanted: &DataType) -> Result<ArrayRef> {
    let array: ArrayRef = Arc::new(TimestampMillisecondArray::from(found));
    match wanted {
        DataType::Timestamp(TimeUnit::Millisecond, Some(zone)) => {
            let array = array.as_primitive::<TimestampMillisecondType>().clone();
            Ok(Arc::new(array.with_timezone(zone.clone())))
        }
        other => to(&array, other),
    }
}

/// The type of a date or time that is moved.
fn moved(types: &[DataType]) -> DataType {
    match types.last() {
        Some(DataType::Date32) => DataType::Date32,
        Some(DataType::Timestamp(_, Some(zone))) => {
            DataType::Timestamp(TimeUnit::Millisecond, Some(zone.clone()))
        }
        _ => MS,
    }
}

pub(super) fn functions() -> Vec<ScalarUDF> {
    let (text, bigint) = (Returns::Type(|| DataType::Utf8), Returns::Type(|| DataType::Int64));
    let mut all = vec![
        scalar("from_unixtime", 1..=2, Returns::InZoneOf(1), |args, rows, wanted| {
            let seconds = to(&args[0], &DataType::Float64)?;
            let seconds = seconds.as_primitive::<Float64Type>();
            let ms = |row| seconds.is_valid(row).then(|| (seconds.value(row) * 1000.0).round() as i64);
            as_type((0..rows).map(ms).collect(), wanted)
        }),
        scalar("to_unixtime", 1..=1, Returns::Type(|| DataType::Float64), |args, rows, _| {
            let instants = millis(&args[0])?;
            let seconds = |row| instants.is_valid(row).then(|| instants.value(row) as f64 / 1000.0);
            Ok(Arc::new((0..rows).map(seconds).collect::<Float64Array>()))
        }),
        scalar("date", 1..=1, Returns::Type(|| DataType::Date32), |args, _, _| {
            to(&args[0], &DataType::Date32)
        }),
        scalar("from_iso8601_date", 1..=1, Returns::Type(|| DataType::Date32), |args, _, _| {
            to(&args[0], &DataType::Date32)
        }),
        scalar("from_iso8601_timestamp", 1..=1, Returns::Type(instant), |args, _, wanted| {
            // A text without a zone is in UTC.
            to(&args[0], wanted)
        }),
        scalar("to_iso8601", 1..=1, text, |args, rows, _| {
            if matches!(args[0].data_type(), DataType::Date32 | DataType::Date64) {
                return to(&args[0], &DataType::Utf8);
            }
            let is_zoned = zone(args[0].data_type()).is_some();
            let instants = millis(&args[0])?;
            let shown = (0..rows).map(|row| {
                let end = if is_zoned { "Z" } else { "" };
                at(&instants, row)
                    .and_then(|at| joda(at, "yyyy-MM-dd'T'HH:mm:ss.SSS").ok())
                    .map(|text| text + end)
            });
            Ok(Arc::new(shown.collect::<StringArray>()))
        }),
        scalar("date_format", 2..=2, text, |args, rows, _| {
            let (instants, formats) = (millis(&args[0])?, texts(&args[1])?);
            let shown = (0..rows).map(|row| match (at(&instants, row), get(&formats, row)) {
                (Some(at), Some(format)) => mysql(at, format).map(Some),
                _ => Ok(None),
            });
            Ok(Arc::new(shown.collect::<Result<StringArray>>()?))
        }),
        scalar("format_datetime", 2..=2, text, |args, rows, _| {
            let (instants, formats) = (millis(&args[0])?, texts(&args[1])?);
            let shown = (0..rows).map(|row| match (at(&instants, row), get(&formats, row)) {
                (Some(at), Some(format)) => joda(at, format).map(Some),
                _ => Ok(None),
            });
            Ok(Arc::new(shown.collect::<Result<StringArray>>()?))
        }),
        scalar("date_parse", 2..=2, Returns::Type(|| MS), |args, rows, wanted| {
            parsed(args, rows, wanted, by_mysql)
        }),
        scalar("parse_datetime", 2..=2, Returns::Type(instant), |args, rows, wanted| {
            parsed(args, rows, wanted, by_joda)
        }),
        scalar("date_add", 3..=3, Returns::Of(moved), |args, rows, wanted| {
            let (units, counts, instants) = (texts(&args[0])?, longs(&args[1])?, millis(&args[2])?);
            let mut found = Vec::with_capacity(rows);
            for row in 0..rows {
                let (Some(name), Some(count), Some(at)) =
                    (get(&units, row), long(&counts, row), at(&instants, row))
                else {
                    found.push(None);
                    continue;
                };
                let there = match unit(name)? {
                    Unit::Ms(length) => count.checked_mul(length).and_then(|by| ms(at).checked_add(by)),
                    Unit::Months(length) => {
                        count.checked_mul(length).and_then(|by| add_months(at, by)).map(ms)
                    }
                };
                match there {
                    Some(there) => found.push(Some(there)),
                    None => return wrong("the date is out of range"),
                }
            }
            as_type(found, wanted)
        }),
        scalar("date_diff", 3..=3, bigint, |args, rows, _| {
            let (units, from, until) = (texts(&args[0])?, millis(&args[1])?, millis(&args[2])?);
            let mut found = Vec::with_capacity(rows);
            for row in 0..rows {
                let (Some(name), Some(from), Some(until)) =
                    (get(&units, row), at(&from, row), at(&until, row))
                else {
                    found.push(None);
                    continue;
                };
                found.push(Some(match unit(name)? {
                    Unit::Ms(length) => (ms(until) - ms(from)) / length,
                    Unit::Months(length) => months_between(from, until) / length,
                }));
            }
            Ok(Arc::new(Int64Array::from(found)))
        }),
        scalar("at_timezone", 2..=2, Returns::InZoneOf(1), |args, rows, wanted| {
            let instants = millis(&args[0])?;
            as_type(
                (0..rows).map(|row| instants.is_valid(row).then(|| instants.value(row))).collect(),
                wanted,
            )
        }),
        // A time on the wall of a zone as an instant.
        scalar("with_timezone", 2..=2, Returns::InZoneOf(1), |args, _, wanted| {
            to(&to(&args[0], &MS)?, wanted)
        }),
        scalar("current_timezone", 0..=0, text, |_, _, _| Ok(Arc::new(StringArray::from(vec!["UTC"])))),
        scalar("from_unixtime_nanos", 1..=1, Returns::Type(instant), |args, rows, wanted| {
            let nanos = longs(&args[0])?;
            as_type(
                (0..rows).map(|row| long(&nanos, row).map(|nanos| nanos.div_euclid(1_000_000))).collect(),
                wanted,
            )
        }),
        scalar("last_day_of_month", 1..=1, Returns::Type(|| DataType::Date32), |args, rows, _| {
            let instants = millis(&args[0])?;
            let last = |row| {
                let day = at(&instants, row)?.date();
                let last = day.replace_day(day.month().length(day.year())).ok()?;
                Some(last.to_julian_day() - Date::from_ordinal_date(1970, 1).ok()?.to_julian_day())
            };
            Ok(Arc::new((0..rows).map(last).collect::<Date32Array>()))
        }),
        scalar("human_readable_seconds", 1..=1, text, |args, rows, _| {
            map_text(args, rows, |v| {
                let mut rest = v[0].parse::<f64>().unwrap_or(0.0).abs().floor() as i64;
                let mut parts = Vec::new();
                for (name, length) in
                    [("week", 604_800), ("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1)]
                {
                    let count = rest / length;
                    rest %= length;
                    if count > 0 {
                        parts.push(format!("{count} {name}{}", if count == 1 { "" } else { "s" }));
                    }
                }
                Ok(Some(if parts.is_empty() { "0 seconds".to_owned() } else { parts.join(", ") }))
            })
        }),
    ];
    let parts: [(&'static str, super::scalar::Body); 12] = [
        ("year", |args, _, _| part(args, DatePart::Year)),
        ("quarter", |args, _, _| part(args, DatePart::Quarter)),
        ("month", |args, _, _| part(args, DatePart::Month)),
        ("week", |args, _, _| part(args, DatePart::Week)),
        ("day", |args, _, _| part(args, DatePart::Day)),
        ("day_of_year", |args, _, _| part(args, DatePart::DayOfYear)),
        ("hour", |args, _, _| part(args, DatePart::Hour)),
        ("minute", |args, _, _| part(args, DatePart::Minute)),
        ("second", |args, _, _| part(args, DatePart::Second)),
        ("millisecond", |args, rows, _| {
            let instants = millis(&args[0])?;
            let ms = |row| at(&instants, row).map(|at| i64::from(at.millisecond()));
            Ok(Arc::new((0..rows).map(ms).collect::<Int64Array>()))
        }),
        ("year_of_week", |args, rows, _| {
            let instants = millis(&args[0])?;
            let year = |row| at(&instants, row).map(|at| i64::from(at.to_iso_week_date().0));
            Ok(Arc::new((0..rows).map(year).collect::<Int64Array>()))
        }),
        ("day_of_week", |args, rows, _| {
            let from_zero = part(args, DatePart::DayOfWeekMonday0)?;
            let days = longs(&from_zero)?;
            Ok(Arc::new((0..rows).map(|row| long(&days, row).map(|day| day + 1)).collect::<Int64Array>()))
        }),
    ];
    all.extend(parts.map(|(name, body)| scalar(name, 1..=1, Returns::Type(|| DataType::Int64), body)));
    all
}

fn parsed(
    args: &[ArrayRef],
    rows: usize,
    wanted: &DataType,
    read: fn(&str, &str) -> Option<i64>,
) -> Result<ArrayRef> {
    let (values, formats) = (texts(&args[0])?, texts(&args[1])?);
    let mut found = Vec::with_capacity(rows);
    for row in 0..rows {
        found.push(match (get(&values, row), get(&formats, row)) {
            (Some(value), Some(format)) => match read(value, format) {
                Some(ms) => Some(ms),
                None => return wrong(format!("Invalid format: \"{value}\" is malformed for \"{format}\"")),
            },
            _ => None,
        });
    }
    as_type(found, wanted)
}
