//! Metrics' names, and what is known of one metric in one minute.

use serde::{Deserialize, Serialize};
use weir_types::metric::UNITS;

/// Whose metrics: names are unique within an account and a region.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Scope {
    /// Twelve digits.
    pub account: String,
    pub region: String,
}

/// A metric: equal names with other dimensions are other metrics.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct MetricId {
    pub namespace: String,
    pub name: String,
    /// Name and value, sorted.
    pub dimensions: Vec<(String, String)>,
}

impl MetricId {
    pub fn new(namespace: &str, name: &str, mut dimensions: Vec<(String, String)>) -> Self {
        dimensions.sort();
        Self { namespace: namespace.to_owned(), name: name.to_owned(), dimensions }
    }
}

/// The unit `None`.
pub const NONE: u8 = 26;

/// The number of a unit.
pub fn unit_number(unit: &str) -> Option<u8> {
    UNITS.iter().position(|known| *known == unit).and_then(|at| u8::try_from(at).ok())
}

/// Distinct values that a point keeps exactly; if there are more they are
/// rounded to two digits (90 values a power of ten), so that percentiles stay
/// within 5 %.
const EXACT_VALUES: usize = 150;

/// The values of one metric and unit in one minute (or second).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Point {
    #[serde(rename = "c")]
    pub count: f64,
    #[serde(rename = "s")]
    pub sum: f64,
    #[serde(rename = "l")]
    pub min: f64,
    #[serde(rename = "h")]
    pub max: f64,
    /// Value and how often, sorted; fewer than `count` if statistic sets were put.
    #[serde(rename = "v", default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<(f64, f64)>,
    /// Of a metric filter: the value if there is no other.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub default: Option<f64>,
}

impl Point {
    /// `value`, `count` times.
    pub fn of(value: f64, count: f64) -> Self {
        Self {
            count,
            sum: value * count,
            min: value,
            max: value,
            values: vec![(value, count)],
            default: None,
        }
    }

    /// A statistic set, of whose values nothing more is known.
    pub fn of_set(count: f64, sum: f64, min: f64, max: f64) -> Self {
        let values = if min == max && count > 0.0 { vec![(min, count)] } else { Vec::new() };
        Self { count, sum, min, max, values, default: None }
    }

    /// What holds if there are no values.
    pub fn of_default(value: f64) -> Self {
        Self { default: Some(value), ..Self::default() }
    }

    pub fn add(&mut self, other: &Self) {
        self.default = self.default.or(other.default);
        if other.count <= 0.0 {
            return;
        }
        if self.count <= 0.0 {
            let default = self.default;
            *self = Self { default, ..other.clone() };
            return;
        }
        self.count += other.count;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.values.extend(&other.values);
        sum_up(&mut self.values);
        if self.values.len() > EXACT_VALUES {
            self.values.iter_mut().for_each(|(value, _)| *value = two_digits(*value));
            sum_up(&mut self.values);
        }
    }

    /// The point as it counts: a default takes the place of missing values.
    pub fn resolved(&self) -> Option<Self> {
        if self.count > 0.0 {
            return Some(Self { default: None, ..self.clone() });
        }
        self.default.map(|value| Self::of(value, 1.0))
    }
}

fn sum_up(values: &mut Vec<(f64, f64)>) {
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    values.dedup_by(|later, kept| {
        let same = later.0 == kept.0;
        if same {
            kept.1 += later.1;
        }
        same
    });
}

fn two_digits(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let unit = 10f64.powf(value.abs().log10().floor() - 1.0);
    (value / unit).round() * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_add_up() {
        let mut point = Point::of_default(0.0);
        assert_eq!(point.resolved().unwrap().sum, 0.0);
        point.add(&Point::of(3.0, 2.0));
        point.add(&Point::of(1.0, 1.0));
        point.add(&Point::of_default(9.0));
        let point = point.resolved().unwrap();
        assert_eq!((point.count, point.sum, point.min, point.max), (3.0, 7.0, 1.0, 3.0));
        assert_eq!(point.values, [(1.0, 1.0), (3.0, 2.0)]);
    }

    #[test]
    fn many_values_are_rounded_but_counted() {
        let mut point = Point::default();
        for n in 0..1000 {
            point.add(&Point::of(f64::from(n), 1.0));
        }
        assert!(point.values.len() < 200, "{}", point.values.len());
        assert_eq!(point.values.iter().map(|(_, count)| count).sum::<f64>(), 1000.0);
        assert_eq!((point.count, point.max), (1000.0, 999.0));
    }
}
