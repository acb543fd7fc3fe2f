//! Lengths of time: `5m`, `1 hour`.

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

/// A number of units, at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Period {
    pub count: u64,
    pub unit: Unit,
}

const DAY_MS: i64 = 86_400_000;

/// Names, and the largest number that counts. Source: user guide, "Datetime
/// functions".
const UNITS: [(&[&str], Unit, u64); 9] = [
    (&["ms", "msec", "millisecond"], Unit::Millisecond, 1000),
    (&["s", "sec", "second"], Unit::Second, 60),
    (&["m", "min", "minute"], Unit::Minute, 60),
    (&["h", "hr", "hour"], Unit::Hour, 24),
    (&["d", "day"], Unit::Day, 36_500),
    (&["w", "week"], Unit::Week, 5_200),
    (&["mo", "mon", "month"], Unit::Month, 1_200),
    (&["q", "qtr", "quarter"], Unit::Quarter, 400),
    (&["y", "yr", "year"], Unit::Year, 100),
];

impl Period {
    /// A larger number than the unit's largest acts as that: `300s` is `60s`.
    pub fn new(count: u64, unit: &str) -> Option<Self> {
        let unit = unit.to_ascii_lowercase();
        let singular = unit.strip_suffix('s').filter(|one| one.len() > 1);
        let is_named = |names: &[&str]| names.iter().any(|name| *name == unit || Some(*name) == singular);
        let (_, unit, largest) = UNITS.into_iter().find(|(names, ..)| is_named(names))?;
        (count > 0).then_some(Self { count: count.min(largest), unit })
    }

    /// The beginning of the period that the instant is in, milliseconds since
    /// 1970. Periods are counted from 1970-01-01T00:00Z.
    pub fn floor(self, at: i64) -> i64 {
        match self.length() {
            Length::Millis(length) => at.div_euclid(length).saturating_mul(length),
            Length::Months(count) => month_start(month_of(at).div_euclid(count) * count),
        }
    }

    /// The end of that period, or the instant itself if a period begins with it.
    pub fn ceil(self, at: i64) -> i64 {
        let start = self.floor(at);
        if start == at { at } else { self.next(start) }
    }

    fn next(self, start: i64) -> i64 {
        match self.length() {
            Length::Millis(length) => start.saturating_add(length),
            Length::Months(count) => month_start(month_of(start) + count),
        }
    }

    fn length(self) -> Length {
        let count = i64::try_from(self.count).unwrap_or(1);
        let millis = match self.unit {
            Unit::Millisecond => 1,
            Unit::Second => 1000,
            Unit::Minute => 60_000,
            Unit::Hour => 3_600_000,
            Unit::Day => DAY_MS,
            Unit::Week => 7 * DAY_MS,
            Unit::Month => return Length::Months(count),
            Unit::Quarter => return Length::Months(3 * count),
            Unit::Year => return Length::Months(12 * count),
        };
        Length::Millis(millis * count)
    }
}

enum Length {
    Millis(i64),
    Months(i64),
}

/// Months since January 1970.
fn month_of(at: i64) -> i64 {
    // Civil from days, in the proleptic Gregorian calendar.
    let days = at.div_euclid(DAY_MS) + 719_468;
    let era = days.div_euclid(146_097);
    let day = days.rem_euclid(146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let (month, carry) = if shifted < 10 { (shifted + 2, 0) } else { (shifted - 10, 1) };
    (era * 400 + year + carry - 1970) * 12 + month
}

/// The first instant of a month.
fn month_start(month: i64) -> i64 {
    let (year, of_year) = (1970 + month.div_euclid(12), month.rem_euclid(12));
    // Days from civil, of the first of the month.
    let shifted_year = if of_year < 2 { year - 1 } else { year };
    let era = shifted_year.div_euclid(400);
    let of_era = shifted_year.rem_euclid(400);
    let from_march = (of_year + 10) % 12;
    let day = (153 * from_march + 2) / 5 + of_era * 365 + of_era / 4 - of_era / 100;
    (era * 146_097 + day - 719_468).saturating_mul(DAY_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_caps() {
        for (count, name, wanted) in [
            (5, "m", Some((5, Unit::Minute))),
            (300, "s", Some((60, Unit::Second))),
            (2, "Hours", Some((2, Unit::Hour))),
            (30, "h", Some((24, Unit::Hour))),
            (1, "ms", Some((1, Unit::Millisecond))),
            (1, "mo", Some((1, Unit::Month))),
            (1, "mos", Some((1, Unit::Month))),
            (1, "qtrs", Some((1, Unit::Quarter))),
            (1, "hs", None),
            (0, "m", None),
            (1, "fortnight", None),
        ] {
            let period = Period::new(count, name).map(|p| (p.count, p.unit));
            assert_eq!(period, wanted, "{count}{name}");
        }
    }

    #[test]
    fn beginnings_and_ends() {
        // 2026-11-22T03:41:20.123Z, a Sunday.
        let at = 1_795_318_880_123;
        let floor = |count, unit| Period::new(count, unit).unwrap().floor(at);
        assert_eq!(floor(1, "s"), 1_795_318_880_000);
        assert_eq!(floor(5, "m"), 1_795_318_800_000);
        assert_eq!(floor(1, "d"), 1_795_305_600_000);
        // Weeks are counted from 1970-01-01, a Thursday.
        assert_eq!(floor(1, "w"), 1_795_046_400_000);
        assert_eq!(floor(1, "mo"), 1_793_491_200_000);
        assert_eq!(floor(1, "q"), 1_790_812_800_000);
        assert_eq!(floor(1, "y"), 1_767_225_600_000);
        let ceil = |count, unit| Period::new(count, unit).unwrap().ceil(at);
        assert_eq!(ceil(1, "d"), 1_795_392_000_000);
        assert_eq!(ceil(5, "m"), 1_795_319_100_000);
        assert_eq!(ceil(1, "w"), 1_795_046_400_000 + 7 * DAY_MS);
        assert_eq!(ceil(1, "mo"), 1_796_083_200_000);
        assert_eq!(ceil(1, "y"), 1_798_761_600_000);
        assert_eq!(Period::new(1, "y").unwrap().ceil(1_767_225_600_000), 1_767_225_600_000);
        assert_eq!(Period::new(1, "mo").unwrap().floor(-1), -31 * DAY_MS);
    }
}
