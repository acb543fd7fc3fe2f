//! Times in conditions: `2024-05-01`, `2024-05-01T12:30`, `2024-05-01 12:30:15Z`, always UTC.

/// The first and the last second that the text means; `None`: it is no time.
pub(super) fn span(text: &str) -> Option<(i64, i64)> {
    let (date, clock) = match text.split_once(['T', 't', ' ']) {
        Some((date, clock)) => (date, Some(clock.strip_suffix(['Z', 'z']).unwrap_or(clock))),
        None => (text, None),
    };
    let [year, month, day] = numbers(date, '-', &[4, 2, 2])?[..] else { return None };
    let midnight = days(year, month, day)? * 86_400;
    let Some(clock) = clock else { return Some((midnight, midnight + 86_399)) };
    let parts = numbers(clock, ':', &[2, 2, 2]).or_else(|| numbers(clock, ':', &[2, 2]))?;
    let (hour, minute, second) = match parts[..] {
        [hour, minute, second] => (hour, minute, Some(second)),
        [hour, minute] => (hour, minute, None),
        _ => return None,
    };
    if hour > 23 || minute > 59 || second.is_some_and(|second| second > 59) {
        return None;
    }
    let first = midnight + hour * 3600 + minute * 60 + second.unwrap_or(0);
    Some((first, if second.is_some() { first } else { first + 59 }))
}

/// Numbers of so many digits each.
fn numbers(text: &str, divider: char, digits: &[usize]) -> Option<Vec<i64>> {
    let parts: Vec<&str> = text.split(divider).collect();
    let fits = |(part, digits): (&&str, &usize)| {
        part.len() == *digits && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    if parts.len() != digits.len() || !parts.iter().zip(digits).all(fits) {
        return None;
    }
    parts.iter().map(|part| part.parse().ok()).collect()
}

/// Days since 1970-01-01 of a day that there is.
///
/// Source: Howard Hinnant, "chrono-compatible low-level date algorithms", `days_from_civil`.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=last).contains(&day) {
        return None;
    }
    // Years begin in March: the leap day is their last.
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    Some(era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_spans() {
        for (text, expected) in [
            ("1970-01-01", Some((0, 86_399))),
            ("1970-01-01T00:00:00Z", Some((0, 0))),
            ("2024-02-29", Some((1_709_164_800, 1_709_251_199))),
            ("2024-05-01T12:30", Some((1_714_566_600, 1_714_566_659))),
            ("2024-05-01 12:30:15", Some((1_714_566_615, 1_714_566_615))),
            ("2024-05-01t12:30:15z", Some((1_714_566_615, 1_714_566_615))),
            ("2000-12-31T23:59:59", Some((978_307_199, 978_307_199))),
            ("1969-12-31T23:59:59", Some((-1, -1))),
            ("2023-02-29", None),
            ("2024-04-31", None),
            ("2024-13-01", None),
            ("2024-05-00", None),
            ("2024-5-1", None),
            ("2024-05-01T24:00", None),
            ("2024-05-01T12", None),
            ("2024-05-01T12:30:60", None),
            ("2024-05-01T12:30:15+02:00", None),
            ("12:30", None),
            ("", None),
        ] {
            assert_eq!(span(text), expected, "{text}");
        }
    }
}
