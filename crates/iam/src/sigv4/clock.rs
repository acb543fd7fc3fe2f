//! Dates of signatures: `20150830T123600Z`, or an HTTP `Date` header.

use time::format_description::well_known::Rfc2822;
use time::{Date, Month, OffsetDateTime, Time};
use weir_types::time::UnixMillis;

/// ISO 8601 basic format in UTC, as `X-Amz-Date` has it. Years outside 0 to 9999
/// are shown as the epoch.
pub fn basic(at: UnixMillis) -> String {
    let date = OffsetDateTime::from_unix_timestamp(at.seconds())
        .ok()
        .filter(|date| (0..=9999).contains(&date.year()))
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        date.hour(),
        date.minute(),
        date.second()
    )
}

/// Reads exactly the form of [`basic`].
pub fn parse_basic(text: &str) -> Option<UnixMillis> {
    let bytes = text.as_bytes();
    if bytes.len() != 16 || bytes[8] != b'T' || bytes[15] != b'Z' {
        return None;
    }
    let number = |from: usize, to: usize| {
        bytes[from..to]
            .iter()
            .try_fold(0_u16, |n, b| b.is_ascii_digit().then(|| n * 10 + u16::from(b - b'0')))
    };
    let small = |from: usize| number(from, from + 2).and_then(|n| u8::try_from(n).ok());
    let month = Month::try_from(small(4)?).ok()?;
    let date = Date::from_calendar_date(i32::from(number(0, 4)?), month, small(6)?).ok()?;
    let time = Time::from_hms(small(9)?, small(11)?, small(13)?).ok()?;
    Some(UnixMillis::from_seconds(date.with_time(time).assume_utc().unix_timestamp()))
}

/// Reads a `Date` header: the basic format or `Sun, 30 Aug 2015 12:36:00 GMT`.
pub fn parse_header(text: &str) -> Option<UnixMillis> {
    parse_basic(text).or_else(|| {
        let date = OffsetDateTime::parse(text, &Rfc2822).ok()?;
        Some(UnixMillis::from_seconds(date.unix_timestamp()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn basic_dates_round_trip(seconds in 0i64..253_402_300_800) {
            let at = UnixMillis::from_seconds(seconds);
            prop_assert_eq!(parse_basic(&basic(at)), Some(at));
        }
    }

    #[test]
    fn dates() {
        let at = Some(UnixMillis::from_seconds(1_440_938_160));
        assert_eq!(parse_header("20150830T123600Z"), at);
        assert_eq!(parse_header("Sun, 30 Aug 2015 12:36:00 GMT"), at);
        for bad in [
            "",
            "20150830",
            "20150830T123600",
            "20150830t123600z",
            "20151330T123600Z",
            "2015083éT12360Z",
            "+0150830T123600Z",
        ] {
            assert_eq!(parse_basic(bad), None, "{bad}");
        }
    }
}
