//! Alarms: a threshold on a metric or an expression, the state that follows
//! from the newest data points, and what is to be done when it changes.
//!
//! Source: CloudWatch user guide, "Using Amazon CloudWatch alarms" and
//! "Configuring how CloudWatch alarms treat missing data".

mod book;
mod evaluate;
mod watch;

pub use book::{Alarms, History, HistoryKind, PendingAction};
pub use evaluate::{Compare, Missing, Rule, Verdict, evaluate};

use crate::point::Scope;
use crate::query::MetricQuery;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use weir_types::time::UnixMillis;

/// `StateValue`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StateValue {
    #[serde(rename = "OK")]
    Ok,
    #[serde(rename = "ALARM")]
    Alarm,
    #[serde(rename = "INSUFFICIENT_DATA")]
    InsufficientData,
}

impl StateValue {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Ok, Self::Alarm, Self::InsufficientData].into_iter().find(|state| state.as_str() == text)
    }
}

/// An alarm's state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub value: StateValue,
    pub reason: String,
    /// JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// When the state or its reason was last set, milliseconds since 1970.
    pub updated: i64,
    /// When the value last changed, milliseconds since 1970.
    pub transitioned: i64,
}

/// A metric alarm. Values that the service only shows again are texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    pub scope: Scope,
    pub name: String,
    pub arn: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub actions_enabled: bool,
    #[serde(default)]
    pub ok_actions: Vec<String>,
    #[serde(default)]
    pub alarm_actions: Vec<String>,
    #[serde(default)]
    pub insufficient_data_actions: Vec<String>,
    /// One query with id `m1` for an alarm on a metric; otherwise those of the
    /// request, one of which returns data.
    pub queries: Vec<MetricQuery>,
    /// Whether the request named a metric, not queries.
    pub on_metric: bool,
    pub evaluation_periods: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datapoints_to_alarm: Option<i64>,
    pub threshold: f64,
    pub comparison: Compare,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub treat_missing_data: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluate_low_sample_count_percentile: Option<String>,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Milliseconds since 1970.
    pub configured: i64,
    pub state: State,
}

impl Alarm {
    /// The query whose values are compared.
    pub fn watched(&self) -> Option<&MetricQuery> {
        self.queries.iter().find(|query| query.return_data != Some(false))
    }

    /// Seconds.
    pub fn period(&self) -> i64 {
        let of = |query: &MetricQuery| query.metric.as_ref().map(|m| m.period).or(query.period);
        let watched = self.watched().and_then(of);
        watched.or_else(|| self.queries.iter().filter_map(of).max()).unwrap_or(60).max(1)
    }

    pub fn rule(&self) -> Rule {
        let periods = usize::try_from(self.evaluation_periods).unwrap_or(1).max(1);
        let to_alarm = self.datapoints_to_alarm.and_then(|n| usize::try_from(n).ok()).unwrap_or(periods);
        Rule {
            periods,
            to_alarm: to_alarm.clamp(1, periods),
            threshold: self.threshold,
            compare: self.comparison,
            missing: Missing::parse(self.treat_missing_data.as_deref().unwrap_or("missing"))
                .unwrap_or(Missing::Missing),
        }
    }

    /// What is to be done on going to a state.
    pub fn actions(&self, state: StateValue) -> &[String] {
        match state {
            StateValue::Ok => &self.ok_actions,
            StateValue::Alarm => &self.alarm_actions,
            StateValue::InsufficientData => &self.insufficient_data_actions,
        }
    }

    /// The state of an alarm that was just made.
    pub fn initial_state(now: UnixMillis) -> State {
        State {
            value: StateValue::InsufficientData,
            reason: "Unchecked: Initial alarm creation".into(),
            data: None,
            updated: now.0,
            transitioned: now.0,
        }
    }
}
