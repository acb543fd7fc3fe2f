//! From data points to a state, as AWS documents it.
//!
//! An alarm looks at more periods than it evaluates. If enough of them have
//! data, the newest count and gaps do not matter; if not, the setting for
//! missing data fills up what is lacking.
//!
//! Source: CloudWatch user guide, "Configuring how CloudWatch alarms treat
//! missing data", with its two tables, which are this file's tests.

use super::StateValue;
use serde::{Deserialize, Serialize};

/// Periods looked at beyond those evaluated.
pub(super) const FURTHER_PERIODS: usize = 2;

/// `ComparisonOperator`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Compare {
    GreaterThanOrEqualToThreshold,
    GreaterThanThreshold,
    LessThanThreshold,
    LessThanOrEqualToThreshold,
}

impl Compare {
    pub const ALL: [Self; 4] = [
        Self::GreaterThanOrEqualToThreshold,
        Self::GreaterThanThreshold,
        Self::LessThanThreshold,
        Self::LessThanOrEqualToThreshold,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::GreaterThanOrEqualToThreshold => "GreaterThanOrEqualToThreshold",
            Self::GreaterThanThreshold => "GreaterThanThreshold",
            Self::LessThanThreshold => "LessThanThreshold",
            Self::LessThanOrEqualToThreshold => "LessThanOrEqualToThreshold",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|compare| compare.as_str() == text)
    }

    /// Whether greater values breach.
    pub fn upwards(self) -> bool {
        matches!(self, Self::GreaterThanOrEqualToThreshold | Self::GreaterThanThreshold)
    }

    pub fn breaches(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::GreaterThanOrEqualToThreshold => value >= threshold,
            Self::GreaterThanThreshold => value > threshold,
            Self::LessThanThreshold => value < threshold,
            Self::LessThanOrEqualToThreshold => value <= threshold,
        }
    }

    /// As reasons say it: `was [not] …`.
    pub fn words(self) -> &'static str {
        match self {
            Self::GreaterThanOrEqualToThreshold => "greater than or equal to",
            Self::GreaterThanThreshold => "greater than",
            Self::LessThanThreshold => "less than",
            Self::LessThanOrEqualToThreshold => "less than or equal to",
        }
    }
}

/// `TreatMissingData`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    Missing,
    Ignore,
    Breaching,
    NotBreaching,
}

impl Missing {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "missing" => Some(Self::Missing),
            "ignore" => Some(Self::Ignore),
            "breaching" => Some(Self::Breaching),
            "notBreaching" => Some(Self::NotBreaching),
            _ => None,
        }
    }
}

/// What an alarm asks of its data points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// `EvaluationPeriods`
    pub periods: usize,
    /// `DatapointsToAlarm`
    pub to_alarm: usize,
    pub threshold: f64,
    pub compare: Compare,
    pub missing: Missing,
}

/// What the data points say.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// `None`: the state stays as it is.
    pub state: Option<StateValue>,
    /// How many values were lacking.
    pub lacking: usize,
    /// Places of the values that counted, in what was given, newest last.
    pub counted: Vec<usize>,
    pub breaching: usize,
}

/// Judges the newest periods, oldest first: a value or nothing for each.
/// It looks at [`FURTHER_PERIODS`] more than `rule.periods`, if they are given.
pub fn evaluate(rule: &Rule, values: &[Option<f64>]) -> Verdict {
    let range = values.len().saturating_sub(rule.periods + FURTHER_PERIODS)..values.len();
    let mut counted: Vec<usize> = range.filter(|at| values[*at].is_some()).collect();
    let newest = counted.len().saturating_sub(rule.periods);
    let all = counted.split_off(newest);
    let breaches = |at: &usize| values[*at].is_some_and(|value| rule.compare.breaches(value, rule.threshold));
    let breaching = all.iter().filter(|at| breaches(at)).count();
    let lacking = rule.periods - all.len();
    let state = if lacking == 0 || breaching >= rule.to_alarm {
        Some(if breaching >= rule.to_alarm { StateValue::Alarm } else { StateValue::Ok })
    } else {
        match rule.missing {
            Missing::NotBreaching => Some(StateValue::Ok),
            Missing::Breaching if breaching + lacking >= rule.to_alarm => Some(StateValue::Alarm),
            Missing::Breaching => Some(StateValue::Ok),
            _ if breaching < all.len() => Some(StateValue::Ok),
            Missing::Ignore => None,
            Missing::Missing if all.is_empty() => Some(StateValue::InsufficientData),
            // Only breaching values and gaps: an alarm once the oldest is old enough.
            Missing::Missing => {
                let age = all.first().map_or(0, |oldest| values.len() - oldest);
                (age >= rule.to_alarm).then_some(StateValue::Alarm)
            }
        }
    };
    Verdict { state, lacking, counted: all, breaching }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `0` is fine, `X` breaches, `-` is missing; the newest is last.
    fn states(points: &str, to_alarm: usize) -> String {
        let values: Vec<Option<f64>> = points
            .split(' ')
            .map(|point| match point {
                "X" => Some(1.0),
                "0" => Some(0.0),
                _ => None,
            })
            .collect();
        let all = [Missing::Missing, Missing::Ignore, Missing::Breaching, Missing::NotBreaching];
        let states = all.map(|missing| {
            let compare = Compare::GreaterThanThreshold;
            let rule = Rule { periods: 3, to_alarm, threshold: 0.5, compare, missing };
            evaluate(&rule, &values).state.map_or("keep", StateValue::as_str)
        });
        states.join(" ")
    }

    #[test]
    fn the_tables_of_the_user_guide() {
        for (points, to_alarm, expected) in [
            ("0 - X - X", 3, "OK OK OK OK"),
            ("0 - - - -", 3, "OK OK OK OK"),
            ("- - - - -", 3, "INSUFFICIENT_DATA keep ALARM OK"),
            ("0 X X - X", 3, "ALARM ALARM ALARM ALARM"),
            ("- - X - -", 3, "ALARM keep ALARM OK"),
            ("0 - X - X", 2, "ALARM ALARM ALARM ALARM"),
            ("0 0 X 0 X", 2, "ALARM ALARM ALARM ALARM"),
            ("0 - X - -", 2, "OK OK ALARM OK"),
            ("- - - - 0", 2, "OK OK ALARM OK"),
            ("- - - X -", 2, "ALARM keep ALARM OK"),
        ] {
            assert_eq!(states(points, to_alarm), expected, "{points} {to_alarm}");
        }
    }

    #[test]
    fn further_cases() {
        for (points, to_alarm, expected) in [
            ("- - - - X", 3, "keep keep ALARM OK"),
            ("X X X 0 0 0", 3, "OK OK OK OK"),
            ("X", 1, "ALARM ALARM ALARM ALARM"),
            ("", 1, "INSUFFICIENT_DATA keep ALARM OK"),
        ] {
            assert_eq!(states(points, to_alarm), expected, "{points} {to_alarm}");
        }
    }

    #[test]
    fn comparisons() {
        for (compare, expected) in [
            (Compare::GreaterThanOrEqualToThreshold, [false, true, true]),
            (Compare::GreaterThanThreshold, [false, false, true]),
            (Compare::LessThanThreshold, [true, false, false]),
            (Compare::LessThanOrEqualToThreshold, [true, true, false]),
        ] {
            assert_eq!([9.0, 10.0, 11.0].map(|value| compare.breaches(value, 10.0)), expected);
            assert_eq!(Compare::parse(compare.as_str()), Some(compare));
        }
    }
}
