//! Evaluating the alarms: when, over which windows, and what is said about it.
//!
//! Every alarm is evaluated at each full minute, over windows that end there.
//! If greater values breach and the statistic can only grow, the running minute
//! counts too, as soon as new values come: an alarm need not wait for its end.

use super::evaluate::{FURTHER_PERIODS, Rule, Verdict, evaluate};
use super::{Alarm, StateValue};
use crate::math::Value;
use crate::query::MetricQuery;
use crate::stat::Stat;
use crate::store::Metrics;
use serde_json::json;
use std::io;
use time::OffsetDateTime;
use weir_types::time::UnixMillis;

const MINUTE_S: i64 = 60;

impl Metrics {
    /// Evaluates the alarms whose metrics got values since the last call, and
    /// all of them if a minute began since `last`. Call it every second or so.
    pub fn evaluate_alarms(&self, last: UnixMillis, now: UnixMillis) -> io::Result<()> {
        let touched = self.take_touched();
        let minute = |at: UnixMillis| at.seconds().div_euclid(MINUTE_S);
        let a_minute_began = minute(last) != minute(now);
        for alarm in self.alarms.all() {
            let metrics = alarm.queries.iter().filter_map(|query| query.metric.as_ref());
            let has_news =
                metrics.into_iter().any(|m| touched.contains(&(alarm.scope.clone(), m.id.clone())));
            let is_new = alarm.configured > last.0;
            if a_minute_began || has_news || is_new {
                self.evaluate_alarm(&alarm, now)?;
            }
        }
        Ok(())
    }

    fn evaluate_alarm(&self, alarm: &Alarm, now: UnixMillis) -> io::Result<()> {
        let rule = alarm.rule();
        let end = now.seconds().div_euclid(MINUTE_S) * MINUTE_S;
        let mut judged = self.judge(alarm, &rule, end);
        if alarm.comparison.upwards() && only_grows(alarm) {
            let early = self.judge(alarm, &rule, end + MINUTE_S);
            let runs = early.values.last().is_some_and(Option::is_some);
            if runs && early.verdict.state == Some(StateValue::Alarm) {
                judged = early;
            }
        }
        let Some(state) = judged.verdict.state else { return Ok(()) };
        if state == alarm.state.value && alarm.state.updated >= alarm.configured && alarm.state.data.is_some()
        {
            return Ok(());
        }
        let (reason, data) = judged.reason(alarm, &rule, state, now);
        self.alarms.set_state(&alarm.scope, &alarm.name, (state, reason, Some(data)), now)?;
        Ok(())
    }

    fn judge(&self, alarm: &Alarm, rule: &Rule, end: i64) -> Judged {
        let period = alarm.period();
        let count = i64::try_from(rule.periods + FURTHER_PERIODS).unwrap_or(i64::MAX);
        let windows: Vec<i64> = (1..=count).rev().map(|n| end - n * period).collect();
        let values = match alarm.watched() {
            Some(query) => self.watched(alarm, query, &windows, period),
            None => vec![None; windows.len()],
        };
        Judged { verdict: evaluate(rule, &values), values, windows }
    }

    fn watched(&self, alarm: &Alarm, query: &MetricQuery, windows: &[i64], period: i64) -> Vec<Option<f64>> {
        match self.values(&alarm.scope, &alarm.queries, query, windows, period) {
            Ok(Value::Series(series)) => series,
            Ok(Value::Scalar(value)) => vec![Some(value); windows.len()],
            Ok(Value::List(_)) => vec![None; windows.len()],
            Err(error) => {
                tracing::warn!(alarm = alarm.name, %error, "an alarm cannot be evaluated");
                vec![None; windows.len()]
            }
        }
    }
}

fn only_grows(alarm: &Alarm) -> bool {
    let stat = alarm.watched().and_then(|query| query.metric.as_ref()).and_then(|m| Stat::parse(&m.stat));
    stat.is_some_and(Stat::only_grows)
}

struct Judged {
    verdict: Verdict,
    values: Vec<Option<f64>>,
    windows: Vec<i64>,
}

impl Judged {
    /// `StateReason` and `StateReasonData`.
    fn reason(&self, alarm: &Alarm, rule: &Rule, state: StateValue, now: UnixMillis) -> (String, String) {
        let Verdict { counted, breaching, lacking, .. } = &self.verdict;
        let value = |at: &usize| self.values.get(*at).copied().flatten().unwrap_or_default();
        let begins = |at: &usize| self.windows.get(*at).copied().unwrap_or_default();
        let newest_first = || counted.iter().rev();
        let text = if counted.is_empty() {
            let points = if *lacking == 1 { "datapoint was" } else { "datapoints were" };
            match state {
                StateValue::InsufficientData => format!("Insufficient Data: {lacking} {points} unknown."),
                _ => {
                    let treated = if state == StateValue::Alarm { "Breaching" } else { "NonBreaching" };
                    format!(
                        "Threshold Crossed: no datapoints were received for {lacking} periods and {lacking} missing datapoints were treated as [{treated}]."
                    )
                }
            }
        } else {
            let is_alarm = state == StateValue::Alarm;
            let matching = |at: &&usize| rule.compare.breaches(value(at), rule.threshold) == is_alarm;
            let shown: Vec<String> = newest_first()
                .filter(matching)
                .map(|at| format!("{:?} ({})", value(at), short(begins(at))))
                .collect();
            let count = if is_alarm { *breaching } else { counted.len() - breaching };
            let not = if is_alarm { "" } else { "not " };
            let were = if shown.len() == 1 { "was" } else { "were" };
            let (change, need) = if is_alarm {
                ("OK -> ALARM", rule.to_alarm)
            } else {
                ("ALARM -> OK", rule.periods + 1 - rule.to_alarm)
            };
            let points = if need == 1 { "datapoint" } else { "datapoints" };
            format!(
                "Threshold Crossed: {count} out of the last {} datapoints [{}] {were} {not}{} the threshold ({:?}) (minimum {need} {points} for {change} transition).",
                counted.len(),
                shown.join(", "),
                rule.compare.words(),
                rule.threshold,
            )
        };
        let evaluated: Vec<_> = newest_first()
            .map(|at| json!({"timestamp": stamp(begins(at) * 1000), "value": value(at)}))
            .collect();
        let mut data = json!({
            "version": "1.0",
            "queryDate": stamp(now.0),
            "period": alarm.period(),
            "recentDatapoints": counted.iter().map(value).collect::<Vec<_>>(),
            "threshold": rule.threshold,
            "evaluatedDatapoints": evaluated,
        });
        if let Some(first) = counted.first() {
            data["startDate"] = json!(stamp(begins(first) * 1000));
        }
        if let Some(metric) = alarm.watched().and_then(|query| query.metric.as_ref()) {
            data["statistic"] = json!(metric.stat);
        }
        let reason: String = text.chars().take(1023).collect();
        (reason, data.to_string())
    }
}

/// `22/11/26 01:02:00`
fn short(seconds: i64) -> String {
    let t = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (day, month, year) = (t.day(), u8::from(t.month()), t.year() % 100);
    format!("{day:02}/{month:02}/{year:02} {:02}:{:02}:{:02}", t.hour(), t.minute(), t.second())
}

/// `2026-11-22T01:02:03.000+0000`
fn stamp(millis: i64) -> String {
    let t = OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (year, month, day) = (t.year(), u8::from(t.month()), t.day());
    let (hour, minute, second, milli) = (t.hour(), t.minute(), t.second(), t.millisecond());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}+0000")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::{Compare, HistoryKind};
    use crate::point::{MetricId, NONE, Point, Scope};
    use crate::query::MetricStat;
    use crate::store::Datum;
    use std::collections::BTreeMap;
    use std::path::Path;

    /// 2026-11-01T12:00:00Z
    const NOW: i64 = 1_793_534_400_000;

    fn scope() -> Scope {
        Scope { account: "123456789012".into(), region: "us-east-1".into() }
    }

    fn at(seconds: i64) -> UnixMillis {
        UnixMillis(NOW + seconds * 1000)
    }

    /// More than 10 in an hour: the classic exercise.
    fn alarm() -> Alarm {
        let metric = MetricStat {
            id: MetricId::new("n", "m", Vec::new()),
            period: 3600,
            stat: "Sum".into(),
            unit: None,
        };
        Alarm {
            scope: scope(),
            name: "ssh".into(),
            arn: "arn:aws:cloudwatch:us-east-1:123456789012:alarm:ssh".into(),
            description: None,
            actions_enabled: true,
            ok_actions: Vec::new(),
            alarm_actions: vec!["http://127.0.0.1/hook".into()],
            insufficient_data_actions: Vec::new(),
            queries: vec![MetricQuery { id: "m1".into(), metric: Some(metric), ..Default::default() }],
            on_metric: true,
            evaluation_periods: 1,
            datapoints_to_alarm: None,
            threshold: 10.0,
            comparison: Compare::GreaterThanThreshold,
            treat_missing_data: None,
            evaluate_low_sample_count_percentile: None,
            tags: BTreeMap::new(),
            configured: NOW,
            state: Alarm::initial_state(at(0)),
        }
    }

    fn put(metrics: &Metrics, seconds: i64, value: f64) {
        let id = MetricId::new("n", "m", Vec::new());
        let datum = Datum { id, unit: NONE, at: at(seconds), fine: false, point: Point::of(value, 1.0) };
        metrics.put(&scope(), &[datum], true).unwrap();
    }

    fn state(metrics: &Metrics) -> (&'static str, String) {
        let state = metrics.alarms.get(&scope(), "ssh").unwrap().state;
        (state.value.as_str(), state.reason)
    }

    #[test]
    fn more_than_ten_in_an_hour() {
        let metrics = Metrics::in_memory();
        metrics.alarms.put(alarm(), at(0)).unwrap();
        metrics.evaluate_alarms(at(-1), at(0)).unwrap();
        assert_eq!(state(&metrics).0, "INSUFFICIENT_DATA");
        put(&metrics, 1, 10.0);
        metrics.evaluate_alarms(at(1), at(2)).unwrap();
        assert_eq!(state(&metrics).0, "INSUFFICIENT_DATA", "the minute is not over and nothing breaches");
        metrics.evaluate_alarms(at(59), at(60)).unwrap();
        assert_eq!(state(&metrics), ("OK", "Threshold Crossed: 1 out of the last 1 datapoints [10.0 (01/11/26 11:01:00)] was not greater than the threshold (10.0) (minimum 1 datapoint for ALARM -> OK transition).".to_owned()));
        put(&metrics, 61, 1.0);
        metrics.evaluate_alarms(at(61), at(62)).unwrap();
        assert_eq!(state(&metrics), ("ALARM", "Threshold Crossed: 1 out of the last 1 datapoints [11.0 (01/11/26 11:02:00)] was greater than the threshold (10.0) (minimum 1 datapoint for OK -> ALARM transition).".to_owned()));
        let pending = metrics.alarms.pending();
        assert_eq!((pending.len(), pending[0].action.as_str()), (1, "http://127.0.0.1/hook"));
        metrics.alarms.acted(&pending[0], Ok(()), at(63)).unwrap();
        assert_eq!(metrics.alarms.pending(), []);
        // The hour goes by: the values leave the window.
        metrics.evaluate_alarms(at(3600), at(3660)).unwrap();
        assert_eq!(state(&metrics).0, "OK");
        let summaries: Vec<(HistoryKind, String)> =
            metrics.alarms.history(&scope()).into_iter().map(|h| (h.kind, h.summary)).collect();
        assert_eq!(summaries[0].1, "Alarm updated from ALARM to OK");
        assert_eq!(summaries[1].1, "Successfully executed action http://127.0.0.1/hook");
        assert_eq!(summaries[2], (HistoryKind::StateUpdate, "Alarm updated from OK to ALARM".to_owned()));
        assert_eq!(summaries.last().unwrap().1, "Alarm \"ssh\" created");
    }

    #[test]
    fn a_state_that_was_set_lasts_until_the_next_minute() {
        let metrics = Metrics::in_memory();
        metrics
            .alarms
            .put(Alarm { treat_missing_data: Some("notBreaching".into()), ..alarm() }, at(0))
            .unwrap();
        metrics.evaluate_alarms(at(-1), at(0)).unwrap();
        assert_eq!(state(&metrics).0, "OK");
        let set = (StateValue::Alarm, "test".to_owned(), None);
        assert!(metrics.alarms.set_state(&scope(), "ssh", set.clone(), at(1)).unwrap());
        metrics.evaluate_alarms(at(1), at(2)).unwrap();
        assert_eq!(state(&metrics), ("ALARM", "test".to_owned()));
        assert_eq!(metrics.alarms.pending().len(), 1);
        metrics.evaluate_alarms(at(59), at(60)).unwrap();
        assert_eq!(state(&metrics).0, "OK");
        assert!(!metrics.alarms.set_state(&scope(), "none", set, at(1)).unwrap());
    }

    #[test]
    fn alarms_and_what_they_ask_for_survive_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let open = |dir: &Path| Metrics::open(dir, at(0)).unwrap();
        let metrics = open(dir.path());
        metrics.alarms.put(alarm(), at(0)).unwrap();
        put(&metrics, 0, 11.0);
        metrics.evaluate_alarms(at(0), at(1)).unwrap();
        drop(metrics);
        let metrics = open(dir.path());
        assert_eq!(state(&metrics).0, "ALARM");
        assert_eq!(metrics.alarms.pending().len(), 1);
        metrics.alarms.delete(&scope(), &["ssh".to_owned(), "none".to_owned()], at(2)).unwrap();
        assert_eq!((metrics.alarms.all(), metrics.alarms.pending()), (vec![], vec![]));
    }
}
