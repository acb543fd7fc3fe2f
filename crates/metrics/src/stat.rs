//! Statistics of a point: the five classic ones, percentiles and trimmed ones.
//!
//! Source: CloudWatch user guide, "CloudWatch statistics definitions".

use crate::point::Point;

/// A statistic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stat {
    SampleCount,
    Sum,
    Average,
    Minimum,
    Maximum,
    /// `p95.5`
    Percentile(f64),
    /// `tm95`: the mean of what lies at or below the percentile.
    TrimmedMean(f64),
    /// `wm95`: the mean with what lies above set to the percentile.
    WinsorizedMean(f64),
    /// `tc95`: how many lie at or below.
    TrimmedCount(f64),
    /// `ts95`: their sum.
    TrimmedSum(f64),
    /// `IQM`: the mean between the 25th and the 75th percentile.
    InterquartileMean,
}

impl Stat {
    /// Reads a statistic as requests spell it.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "SampleCount" => Self::SampleCount,
            "Sum" => Self::Sum,
            "Average" => Self::Average,
            "Minimum" => Self::Minimum,
            "Maximum" => Self::Maximum,
            "IQM" => Self::InterquartileMean,
            _ => {
                let digits = text.find(|c: char| c.is_ascii_digit())?;
                let (kind, number) = text.split_at(digits);
                if !number.chars().all(|c| c.is_ascii_digit() || c == '.') {
                    return None;
                }
                let percent: f64 = number.parse().ok().filter(|n| (0.0..=100.0).contains(n))?;
                match kind {
                    "p" => Self::Percentile(percent),
                    "tm" => Self::TrimmedMean(percent),
                    "wm" => Self::WinsorizedMean(percent),
                    "tc" => Self::TrimmedCount(percent),
                    "ts" => Self::TrimmedSum(percent),
                    _ => return None,
                }
            }
        })
    }

    /// Whether more values can only raise it, if values are not negative.
    pub fn only_grows(self) -> bool {
        matches!(self, Self::SampleCount | Self::Sum | Self::Maximum)
    }

    /// The statistic of a point with values. `None`: the values are not known,
    /// only their statistic set.
    pub fn of(self, point: &Point) -> Option<f64> {
        if point.count <= 0.0 {
            return None;
        }
        Some(match self {
            Self::SampleCount => point.count,
            Self::Sum => point.sum,
            Self::Average => point.sum / point.count,
            Self::Minimum => point.min,
            Self::Maximum => point.max,
            Self::Percentile(p) => percentile(point, p)?,
            Self::TrimmedMean(p) => mean(&below(point, p)?)?,
            Self::TrimmedCount(p) => below(point, p)?.iter().map(|(_, count)| count).sum(),
            Self::TrimmedSum(p) => below(point, p)?.iter().map(|(value, count)| value * count).sum(),
            Self::WinsorizedMean(p) => {
                let edge = percentile(point, p)?;
                mean(&point.values.iter().map(|(v, count)| (v.min(edge), *count)).collect::<Vec<_>>())?
            }
            Self::InterquartileMean => {
                let (low, high) = (percentile(point, 25.0)?, percentile(point, 75.0)?);
                let within = |(value, _): &&(f64, f64)| (low..=high).contains(value);
                mean(&point.values.iter().filter(within).copied().collect::<Vec<_>>())?
            }
        })
    }
}

/// Nearest rank.
fn percentile(point: &Point, percent: f64) -> Option<f64> {
    let known: f64 = point.values.iter().map(|(_, count)| count).sum();
    if known + 1e-9 < point.count {
        return None;
    }
    let rank = (known * percent / 100.0).max(f64::MIN_POSITIVE);
    let mut seen = 0.0;
    let mut reached = point.values.iter().filter(|(_, count)| {
        seen += count;
        seen + 1e-9 >= rank
    });
    reached.next().or(point.values.last()).map(|(value, _)| *value)
}

fn below(point: &Point, percent: f64) -> Option<Vec<(f64, f64)>> {
    let edge = percentile(point, percent)?;
    Some(point.values.iter().filter(|(value, _)| *value <= edge).copied().collect())
}

fn mean(values: &[(f64, f64)]) -> Option<f64> {
    let count: f64 = values.iter().map(|(_, count)| count).sum();
    (count > 0.0).then(|| values.iter().map(|(value, count)| value * count).sum::<f64>() / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_of_one_to_a_hundred() {
        let mut point = Point::default();
        for n in 1..=100 {
            point.add(&Point::of(f64::from(n), 1.0));
        }
        for (text, expected) in [
            ("SampleCount", 100.0),
            ("Sum", 5050.0),
            ("Average", 50.5),
            ("Minimum", 1.0),
            ("Maximum", 100.0),
            ("p0", 1.0),
            ("p50", 50.0),
            ("p99.5", 100.0),
            ("p100", 100.0),
            ("tm10", 5.5),
            ("tc90", 90.0),
            ("ts10", 55.0),
            ("wm50", (1275.0 + 50.0 * 50.0) / 100.0),
            ("IQM", 50.0),
        ] {
            assert_eq!(Stat::parse(text).unwrap().of(&point), Some(expected), "{text}");
        }
        for text in ["p", "p101", "p-1", "x5", "sum", "p1e1", ""] {
            assert_eq!(Stat::parse(text), None, "{text}");
        }
    }

    #[test]
    fn percentiles_need_values() {
        let set = Point::of_set(2.0, 3.0, 1.0, 2.0);
        assert_eq!(Stat::Percentile(50.0).of(&set), None);
        assert_eq!(Stat::Average.of(&set), Some(1.5));
        assert_eq!(Stat::Percentile(50.0).of(&Point::of_set(2.0, 4.0, 2.0, 2.0)), Some(2.0));
    }
}
