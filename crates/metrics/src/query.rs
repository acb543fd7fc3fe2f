//! Metric queries: of GetMetricData, and of alarms on metric math.
//!
//! Source: CloudWatch API reference, MetricDataQuery.

use crate::math::{self, MathError, Value};
use crate::point::{MetricId, Scope};
use crate::stat::Stat;
use crate::store::Metrics;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One of the queries of a request.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MetricQuery {
    pub id: String,
    /// Either this or an expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<MetricStat>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Absent means true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_data: Option<bool>,
    /// Of an expression, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<i64>,
}

/// A statistic of a metric.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MetricStat {
    pub id: MetricId,
    /// Seconds.
    pub period: i64,
    /// As requests spell it; see [`Stat::parse`].
    pub stat: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<u8>,
}

/// What one query gave.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryResult {
    pub id: String,
    pub label: String,
    /// Seconds since 1970 and value, oldest first.
    pub points: Vec<(i64, f64)>,
}

/// Why queries cannot be answered.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum QueryError {
    #[error("The query {id} has an unknown statistic: {stat}")]
    Stat { id: String, stat: String },
    #[error("Error in expression '{id}': {error}")]
    Math {
        id: String,
        #[source]
        error: MathError,
    },
    #[error("Error in expression '{0}': it refers to itself")]
    Circle(String),
}

impl Metrics {
    /// Answers the queries that return data over `[start, end)`, seconds.
    /// Periods are multiples of the longest period asked for.
    pub fn query(
        &self,
        scope: &Scope,
        queries: &[MetricQuery],
        (start, end): (i64, i64),
    ) -> Result<Vec<QueryResult>, QueryError> {
        let mut results = Vec::new();
        for query in queries.iter().filter(|query| query.return_data != Some(false)) {
            let period = period_of(queries, query, 0).max(1);
            let from = start.div_euclid(period) * period;
            let count = usize::try_from((end - from + period - 1).div_euclid(period)).unwrap_or(0);
            let windows: Vec<i64> = (0..count.min(100_800)).map(|n| from + n as i64 * period).collect();
            let value = self.values(scope, queries, query, &windows, period)?;
            let mut give = |label: String, series: Vec<Option<f64>>| {
                let points = windows.iter().zip(series).filter_map(|(at, value)| Some((*at, value?)));
                results.push(QueryResult { id: query.id.clone(), label, points: points.collect() });
            };
            let label = query.label.clone().unwrap_or_else(|| label(queries, query));
            match value {
                Value::Scalar(scalar) => give(label, vec![Some(scalar); windows.len()]),
                Value::Series(series) => give(label, series),
                Value::List(list) => {
                    for (n, series) in list.into_iter().enumerate() {
                        give(format!("{label} {}", n + 1), series);
                    }
                }
            }
        }
        Ok(results)
    }

    /// One query over windows of `period` that begin at `windows`.
    pub fn values(
        &self,
        scope: &Scope,
        queries: &[MetricQuery],
        query: &MetricQuery,
        windows: &[i64],
        period: i64,
    ) -> Result<Value, QueryError> {
        Answer { metrics: self, scope, queries, windows, period, open: Vec::new() }.value(query)
    }
}

/// Of a metric its own, of an expression the longest of what it may refer to.
fn period_of(queries: &[MetricQuery], query: &MetricQuery, depth: usize) -> i64 {
    match (&query.metric, query.period) {
        (Some(metric), _) => metric.period,
        (None, Some(period)) => period,
        (None, None) if depth > 8 => 1,
        (None, None) => {
            let others = queries.iter().filter(|other| other.id != query.id);
            others.map(|other| period_of(queries, other, depth + 8)).max().unwrap_or(60)
        }
    }
}

/// The metric's name, with the statistic if another query has another of it.
fn label(queries: &[MetricQuery], query: &MetricQuery) -> String {
    let Some(metric) = &query.metric else { return query.id.clone() };
    let mut others = queries.iter().filter_map(|other| other.metric.as_ref());
    match others.any(|other| other.id.name == metric.id.name && other.stat != metric.stat) {
        true => format!("{} {}", metric.id.name, metric.stat),
        false => metric.id.name.clone(),
    }
}

struct Answer<'a> {
    metrics: &'a Metrics,
    scope: &'a Scope,
    queries: &'a [MetricQuery],
    windows: &'a [i64],
    period: i64,
    /// Expressions under way.
    open: Vec<String>,
}

impl Answer<'_> {
    fn value(&mut self, query: &MetricQuery) -> Result<Value, QueryError> {
        if let Some(metric) = &query.metric {
            return self.series(&query.id, metric).map(Value::Series);
        }
        if self.open.contains(&query.id) {
            return Err(QueryError::Circle(query.id.clone()));
        }
        let wrong = |error| QueryError::Math { id: query.id.clone(), error };
        let text = query.expression.as_deref().unwrap_or_default();
        let expression = math::parse(text).map_err(wrong)?;
        self.open.push(query.id.clone());
        let mut known = BTreeMap::new();
        for name in math::names(&expression) {
            if let Some(other) = self.queries.iter().find(|other| other.id == name) {
                known.insert(name, self.value(other)?);
            }
        }
        let mut metrics = Vec::new();
        if math::uses_metrics(&expression) {
            for other in self.queries.iter().filter(|other| other.metric.is_some()) {
                if let Value::Series(series) = self.value(other)? {
                    metrics.push((other.id.clone(), series));
                }
            }
        }
        self.open.pop();
        let given =
            math::Given { names: &known, metrics: &metrics, windows: self.windows, period: self.period };
        math::evaluate(&expression, &given).map_err(wrong)
    }

    fn series(&self, id: &str, metric: &MetricStat) -> Result<Vec<Option<f64>>, QueryError> {
        let stat = Stat::parse(&metric.stat)
            .ok_or_else(|| QueryError::Stat { id: id.to_owned(), stat: metric.stat.clone() })?;
        let (Some(first), Some(last)) = (self.windows.first(), self.windows.last()) else {
            return Ok(Vec::new());
        };
        let span = (*first, last + self.period);
        let mut by_window = BTreeMap::new();
        for bucket in self.metrics.buckets(self.scope, &metric.id, metric.unit, span, self.period) {
            by_window.entry(bucket.at).or_insert_with(crate::Point::default).add(&bucket.point);
        }
        Ok(self.windows.iter().map(|at| stat.of(by_window.get(at)?)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point::{NONE, Point};
    use crate::store::Datum;
    use weir_types::time::UnixMillis;

    #[test]
    fn expressions_over_metrics() {
        let scope = Scope { account: "1".into(), region: "r".into() };
        let metrics = Metrics::in_memory();
        let put = |name: &str, minute: i64, value: f64| {
            let id = MetricId::new("n", name, Vec::new());
            let at = UnixMillis(minute * 60_000);
            let point = Point::of(value, 1.0);
            metrics.put(&scope, &[Datum { id, unit: NONE, at, fine: false, point }], false).unwrap();
        };
        put("errors", 1, 2.0);
        put("errors", 3, 3.0);
        put("calls", 1, 4.0);
        put("calls", 2, 5.0);
        put("calls", 3, 6.0);
        let metric = |id: &str, name: &str| MetricQuery {
            id: id.into(),
            metric: Some(MetricStat {
                id: MetricId::new("n", name, Vec::new()),
                period: 60,
                stat: "Sum".into(),
                unit: None,
            }),
            return_data: Some(false),
            ..Default::default()
        };
        for (expression, expected) in [
            ("e / c * 100", vec![(60, 50.0), (180, 50.0)]),
            ("FILL(e, 0) + c", vec![(60, 6.0), (120, 5.0), (180, 9.0)]),
            ("SUM([e, c])", vec![(60, 6.0), (120, 5.0), (180, 9.0)]),
            ("SUM(METRICS())", vec![(60, 6.0), (120, 5.0), (180, 9.0)]),
            ("IF(c > 4, c, -1)", vec![(60, -1.0), (120, 5.0), (180, 6.0)]),
            ("MAX(c)", vec![(0, 6.0), (60, 6.0), (120, 6.0), (180, 6.0)]),
            ("DIFF(c)", vec![(120, 1.0), (180, 1.0)]),
            ("c / PERIOD(c) * 60", vec![(60, 4.0), (120, 5.0), (180, 6.0)]),
        ] {
            let mut queries = vec![metric("e", "errors"), metric("c", "calls")];
            queries.push(MetricQuery {
                id: "x".into(),
                expression: Some(expression.into()),
                ..Default::default()
            });
            let results = metrics.query(&scope, &queries, (0, 240)).unwrap();
            assert_eq!(results.len(), 1);
            assert_eq!(results[0].points, expected, "{expression}");
        }
        let circle = |id: &str, text: &str| MetricQuery {
            id: id.into(),
            expression: Some(text.into()),
            ..Default::default()
        };
        let error =
            metrics.query(&scope, &[circle("a", "b + 1"), circle("b", "a + 1")], (0, 240)).unwrap_err();
        assert_eq!(error, QueryError::Circle("a".into()));
    }
}
