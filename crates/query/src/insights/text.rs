//! Texts: instants, sort keys, addresses, JSON.

use serde_json::Value as Json;
use std::net::IpAddr;
use weir_logs::insights::discover::json_text;
use weir_logs::insights::{Earlier, Step, number};

const DAY_MS: i64 = 86_400_000;

/// `2026-11-22 03:41:20.123`, UTC.
pub fn time_text(at: i64) -> String {
    let (days, of_day) = (at.div_euclid(DAY_MS), at.rem_euclid(DAY_MS));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1000 % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{:03}", of_day % 1000)
}

/// Year, month and day of the proleptic Gregorian calendar, from days since
/// 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day = days.rem_euclid(146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * shifted + 2) / 5 + 1;
    let (month, carry) = if shifted < 10 { (shifted + 3, 0) } else { (shifted - 9, 1) };
    (era * 400 + year + carry, month, of_month)
}

/// What [`time_text`] writes, with `T` or a space, with or without fraction and `Z`.
pub fn parse_time(text: &str) -> Option<i64> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00:00"));
    let part = |text: Option<&str>, digits: usize| -> Option<i64> {
        let text = text.filter(|text| text.len() == digits && text.bytes().all(|b| b.is_ascii_digit()))?;
        text.parse().ok()
    };
    let mut date = date.split('-');
    let (year, month, day) = (part(date.next(), 4)?, part(date.next(), 2)?, part(date.next(), 2)?);
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut clock = clock.split(':');
    let (hour, minute) = (part(clock.next(), 2)?, part(clock.next(), 2)?);
    let second = match clock.next() {
        None => 0,
        second => part(second, 2)?,
    };
    let known = (1..=12).contains(&month) && hour < 24 && minute < 60 && second < 60;
    if date.next().is_some() || clock.next().is_some() || !known {
        return None;
    }
    if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let millis: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let from_march = (month + 9) % 12;
    let year_of_march = if month < 3 { year - 1 } else { year };
    let (era, of_era) = (year_of_march.div_euclid(400), year_of_march.rem_euclid(400));
    let days =
        (153 * from_march + 2) / 5 + of_era * 365 + of_era / 4 - of_era / 100 + era * 146_097 + (day - 1)
            - 719_468;
    if civil(days) != (year, month, day) {
        return None;
    }
    Some(days * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000 + millis)
}

/// The time that `diff` compares with, both ends included as in the time given.
pub fn earlier((start, end): (i64, i64), earlier: Earlier) -> (i64, i64) {
    let length = end.saturating_sub(start);
    let start = match earlier {
        Earlier::Period => start.saturating_sub(length).saturating_sub(1),
        Earlier::Day => start.saturating_sub(DAY_MS),
        Earlier::Week => start.saturating_sub(7 * DAY_MS),
        Earlier::Month => month_before(start),
    };
    (start, start.saturating_add(length))
}

/// The same time of the same day of the month before, or of its last day.
fn month_before(at: i64) -> i64 {
    let (days, of_day) = (at.div_euclid(DAY_MS), at.rem_euclid(DAY_MS));
    let (year, month, day) = civil(days);
    let (year, month) = if month == 1 { (year - 1, 12) } else { (year, month - 1) };
    let at_day = |day: i64| parse_time(&format!("{year:04}-{month:02}-{day:02}"));
    let start = (28..=day.max(28)).rev().find_map(|last| at_day(day.min(last)));
    start.map_or_else(|| at.saturating_sub(30 * DAY_MS), |start| start + of_day)
}

/// Bytes in whose order texts are sorted: numbers after all others, by value;
/// digits within a text by length, then by value.
pub fn sort_key(text: &str, key: &mut Vec<u8>) {
    key.clear();
    if let Some(n) = number(text) {
        key.push(2);
        // Ordered as the numbers are; -0 is 0.
        let bits = (n + 0.0).to_bits();
        let bits = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
        key.extend(bits.to_be_bytes());
        return;
    }
    key.push(1);
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (run, after) = rest.split_at(digits);
        if !run.is_empty() {
            key.push(b'0');
            key.extend(u32::try_from(run.len()).unwrap_or(u32::MAX).to_be_bytes());
            key.extend(run.as_bytes());
        }
        let letters = after.bytes().take_while(|b| !b.is_ascii_digit()).count();
        let (run, after) = after.split_at(letters);
        key.extend(run.as_bytes());
        rest = after;
    }
}

/// A block of addresses, such as `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subnet {
    address: IpAddr,
    prefix: u32,
}

impl Subnet {
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.trim().split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.parse().ok().filter(|prefix| *prefix <= most)?;
        Some(Self { address, prefix })
    }

    pub fn contains(self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                let differ = a.to_bits() ^ b.to_bits();
                differ.checked_shr(32 - self.prefix).unwrap_or(0) == 0
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => {
                let differ = a.to_bits() ^ b.to_bits();
                differ.checked_shr(128 - self.prefix).unwrap_or(0) == 0
            }
            _ => false,
        }
    }

    pub fn is_ipv4(self) -> bool {
        self.address.is_ipv4()
    }
}

/// An element of a JSON text.
pub fn json_at(text: &str, steps: &[Step]) -> Option<String> {
    let document: Json = serde_json::from_str(text).ok()?;
    let mut at = &document;
    for step in steps {
        at = match (step, at) {
            (Step::Key(key), Json::Array(list)) => list.get(key.parse::<usize>().ok()?)?,
            (Step::Key(key), other) => other.get(key)?,
            (Step::Index(index), other) => other.get(index)?,
        };
    }
    json_text(at).map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants() {
        for (at, text) in [
            (0, "1970-01-01 00:00:00.000"),
            (1_795_318_880_123, "2026-11-22 03:41:20.123"),
            (-1, "1969-12-31 23:59:59.999"),
            (951_782_400_000, "2000-02-29 00:00:00.000"),
        ] {
            assert_eq!(time_text(at), text);
            assert_eq!(parse_time(text), Some(at), "{text}");
        }
        assert_eq!(parse_time("2026-11-22T03:41:20Z"), Some(1_795_318_880_000));
        assert_eq!(parse_time("2026-11-22"), Some(1_795_305_600_000));
        for text in
            ["", "2026-02-30", "2026-13-01", "10.0.0.1", "2026-11-22 25:00:00", "2026-11-22 03:41:20.x"]
        {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    #[test]
    fn earlier_times() {
        let at = |text: &str| parse_time(text).unwrap();
        let own = (at("2026-03-31 12:00:00"), at("2026-03-31 13:00:00") - 1);
        for (how, start) in [
            (Earlier::Period, "2026-03-31 11:00:00"),
            (Earlier::Day, "2026-03-30 12:00:00"),
            (Earlier::Week, "2026-03-24 12:00:00"),
            (Earlier::Month, "2026-02-28 12:00:00"),
        ] {
            assert_eq!(earlier(own, how), (at(start), at(start) + 3_599_999), "{start}");
        }
    }

    #[test]
    fn natural_order() {
        let sorted = [
            "", " ", "-", "a", "a2", "a10", "a10b2", "a10b10", "ab", "b", "-3", "0", "2", "10", "10.5", "1e3",
        ];
        let mut shuffled = sorted;
        shuffled.reverse();
        shuffled.sort_by_cached_key(|text| {
            let mut key = Vec::new();
            sort_key(text, &mut key);
            key
        });
        assert_eq!(shuffled, sorted);
    }

    #[test]
    fn subnets() {
        for (subnet, address, wanted) in [
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.77/24", "192.0.2.1", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("0.0.0.0/0", "1.2.3.4", true),
            ("10.0.0.1/32", "10.0.0.1", true),
            ("10.0.0.1/32", "10.0.0.0", false),
            ("::/0", "::1", true),
            ("::/0", "1.2.3.4", false),
            ("2001:db8::/32", "2001:db8:1::", true),
        ] {
            assert_eq!(Subnet::parse(subnet).unwrap().contains(address.parse().unwrap()), wanted, "{subnet}");
        }
        for text in ["", "10.0.0.0", "10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/-1"] {
            assert_eq!(Subnet::parse(text), None, "{text}");
        }
    }
}
