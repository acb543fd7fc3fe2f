//! One cell of one column to bytes, without an allocation.

use super::{Extras, UnknownType};
use crate::field::Field;
use crate::names;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::DataType;
use std::fmt;

/// A column with its type looked up once.
pub(super) enum Column<'a> {
    Int32(&'a Int32Array),
    Int64(&'a Int64Array),
    /// `is_plain` if no value needs a second look by the format's rule.
    Text {
        values: &'a StringArray,
        is_plain: bool,
    },
    /// A column that the batch does not have.
    Missing,
}

pub(super) enum Cell<'a> {
    Null,
    Number(i64),
    Text { text: &'a str, is_plain: bool },
}

impl<'a> Column<'a> {
    /// `is_plain` says whether a byte may stand in a text as it is.
    pub(super) fn new(
        name: &str,
        array: &'a ArrayRef,
        is_plain: impl Fn(u8) -> bool,
    ) -> Result<Self, UnknownType> {
        Ok(match array.data_type() {
            DataType::Int32 => Self::Int32(array.as_primitive::<Int32Type>()),
            DataType::Int64 => Self::Int64(array.as_primitive::<Int64Type>()),
            DataType::Utf8 => {
                let values = array.as_string::<i32>();
                // One look at all values together is cheaper than one at each.
                let all_plain = values.value_data().iter().all(|&byte| is_plain(byte));
                Self::Text { values, is_plain: all_plain }
            }
            DataType::Null => Self::Missing,
            found => return Err(UnknownType { column: name.to_owned(), found: found.clone() }),
        })
    }

    #[inline]
    pub(super) fn cell(&self, row: usize) -> Cell<'a> {
        match self {
            Self::Int32(array) if array.is_valid(row) => Cell::Number(array.value(row).into()),
            Self::Int64(array) if array.is_valid(row) => Cell::Number(array.value(row)),
            Self::Text { values, is_plain } if values.is_valid(row) => {
                Cell::Text { text: values.value(row), is_plain: *is_plain }
            }
            _ => Cell::Null,
        }
    }
}

/// What stands beside a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extra {
    ProtocolName,
    Utc,
    TcpFlagsNames,
}

impl Extra {
    /// The extra for the column called `name`, and what it is called.
    pub(super) fn beside(name: &str, extras: Extras) -> Option<(Self, &'static str)> {
        let field = Field::by_name_or_column(name)?;
        let (is_wanted, extra) = match field {
            Field::Protocol => (extras.protocol_name, (Self::ProtocolName, "protocol_name")),
            Field::Start => (extras.start_utc, (Self::Utc, "start_utc")),
            Field::End => (extras.end_utc, (Self::Utc, "end_utc")),
            Field::TcpFlags => (extras.tcp_flags_names, (Self::TcpFlagsNames, "tcp_flags_names")),
            _ => return None,
        };
        is_wanted.then_some(extra)
    }

    /// What it says beside `cell`. `day` is reused from row to row.
    #[inline]
    pub(super) fn text<'d>(self, cell: &Cell<'_>, day: &'d mut UtcText) -> Option<&'d str> {
        let &Cell::Number(number) = cell else { return None };
        match self {
            Self::ProtocolName => u8::try_from(number).ok().and_then(names::protocol),
            Self::TcpFlagsNames => u8::try_from(number).ok().map(names::tcp_flags),
            Self::Utc => day.text(number),
        }
    }
}

/// Writes times; the date of the last one is kept, because the next one most
/// often has it too.
#[derive(Default)]
pub(super) struct UtcText {
    day: Option<i64>,
    date_len: usize,
    text: String,
}

impl UtcText {
    const DAY_S: i64 = 86_400;

    /// `YYYY-MM-DD hh:mm:ss`, or `None` for a year of more than four digits.
    fn text(&mut self, unix_s: i64) -> Option<&str> {
        let day = unix_s.div_euclid(Self::DAY_S);
        if self.day != Some(day) {
            let (year, month, date) = civil(day).filter(|&(year, ..)| (0..=9999).contains(&year))?;
            self.text.clear();
            // Writing to a String cannot fail.
            let _ = fmt::write(&mut self.text, format_args!("{year:04}-{month:02}-{date:02} "));
            self.date_len = self.text.len();
            self.day = Some(day);
        }
        self.text.truncate(self.date_len);
        let second = unix_s.rem_euclid(Self::DAY_S);
        for (number, separator) in [(second / 3600, ":"), (second / 60 % 60, ":"), (second % 60, "")] {
            self.text.push_str(TWO_DIGITS.get(usize::try_from(number).unwrap_or(0))?);
            self.text.push_str(separator);
        }
        Some(&self.text)
    }
}

static TWO_DIGITS: [&str; 60] = [
    "00", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13", "14", "15", "16",
    "17", "18", "19", "20", "21", "22", "23", "24", "25", "26", "27", "28", "29", "30", "31", "32", "33",
    "34", "35", "36", "37", "38", "39", "40", "41", "42", "43", "44", "45", "46", "47", "48", "49", "50",
    "51", "52", "53", "54", "55", "56", "57", "58", "59",
];

/// The date of a day since 1970-01-01 in the Gregorian calendar.
///
/// Source: Howard Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`.
fn civil(day: i64) -> Option<(i64, i64, i64)> {
    let shifted = day.checked_add(719_468)?;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let date = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    Some((year_of_era + era * 400 + i64::from(month <= 2), month, date))
}

/// Appends a number in digits.
#[inline]
pub(super) fn push_number(number: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Columns for JSON and CSV: each with its extra.
pub(super) struct Plan<'a> {
    pub(super) columns: Vec<Planned<'a>>,
}

pub(super) struct Planned<'a> {
    pub(super) name: &'a str,
    pub(super) column: Column<'a>,
    pub(super) extra: Option<(Extra, &'static str)>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(
        batch: &'a RecordBatch,
        extras: Extras,
        is_plain: impl Fn(u8) -> bool + Copy,
    ) -> Result<Self, UnknownType> {
        let planned = batch.schema_ref().fields().iter().zip(batch.columns()).map(|(column, array)| {
            let name = column.name().as_str();
            let extra = Extra::beside(name, extras);
            Ok(Planned { name, column: Column::new(name, array, is_plain)?, extra })
        });
        Ok(Self { columns: planned.collect::<Result<_, _>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_utc() {
        let mut utc = UtcText::default();
        for (unix_s, expected) in [
            (0, Some("1970-01-01 00:00:00")),
            (1_418_530_070, Some("2014-12-14 04:07:50")),
            (1_418_530_071, Some("2014-12-14 04:07:51")),
            (951_782_399, Some("2000-02-28 23:59:59")),
            (951_782_400, Some("2000-02-29 00:00:00")),
            (4_107_542_400, Some("2100-03-01 00:00:00")),
            (-1, Some("1969-12-31 23:59:59")),
            (253_402_300_799, Some("9999-12-31 23:59:59")),
            (253_402_300_800, None),
            (i64::MAX, None),
            (i64::MIN, None),
            (0, Some("1970-01-01 00:00:00")),
        ] {
            assert_eq!(utc.text(unix_s), expected, "{unix_s}");
        }
    }
}
