//! GetMetricStatistics: statistics of one metric, period by period.
//!
//! Periods begin at the start, rounded down to the minute (or to the period if
//! that is shorter). Units come apart unless one is named.

use super::input::Input;
use super::{invalid, queries, scope};
use crate::call::Call;
use crate::error::ApiError;
use serde_json::{Map, Value, json};
use weir_metrics::{Stat, UNITS};

/// Most data points of an answer.
const MAX_POINTS: i64 = 1440;

pub fn run(call: &Call<'_>, input: Input<'_>) -> Result<Option<Value>, ApiError> {
    let id = queries::metric(&input)?;
    call.authorize("cloudwatch:GetMetricStatistics", "*", &[("cloudwatch:namespace", &id.namespace)])?;
    let period = queries::period(&input)?;
    let instant = |name| input.instant(name)?.ok_or_else(|| input.missing(name));
    let (start, end) = (instant("StartTime")?.seconds(), instant("EndTime")?.seconds());
    if start >= end {
        return Err(invalid("The parameter StartTime must be less than the parameter EndTime."));
    }
    let (simple, extended) = (input.texts("Statistics")?, input.texts("ExtendedStatistics")?);
    if simple.is_empty() && extended.is_empty() {
        let text = "Must specify either Statistics or ExtendedStatistics";
        return Err(ApiError::new("InvalidParameterCombination", text));
    }
    let known = |name: &&str| ["SampleCount", "Average", "Sum", "Minimum", "Maximum"].contains(name);
    if let Some(other) = simple.iter().find(|name| !known(name)) {
        return Err(invalid(format!("The value {other} for parameter Statistics is not supported.")));
    }
    let read =
        |name: &&str| Stat::parse(name).map(|stat| ((*name).to_owned(), stat)).filter(|_| !known(name));
    let mut extended_stats = Vec::new();
    for name in &extended {
        let text = || {
            invalid(format!("The value {name} for parameter ExtendedStatistics.member.1 is not supported."))
        };
        extended_stats.push(read(name).ok_or_else(text)?);
    }
    let step = period.min(60);
    let start = start.div_euclid(step) * step;
    if (end - start) / period > MAX_POINTS {
        return Err(ApiError::new(
            "InvalidParameterCombination",
            format!(
                "You have requested up to {} datapoints, which exceeds the limit of {MAX_POINTS}. You may reduce the datapoints requested by increasing Period, or decreasing the time range.",
                (end - start) / period
            ),
        ));
    }
    let unit = queries::unit(&input)?;
    let buckets = call.services.metrics.buckets(&scope(call), &id, unit, (start, end), period);
    let mut points = Vec::new();
    for bucket in buckets {
        let mut shown = json!({
            "Timestamp": bucket.at,
            "Unit": UNITS.get(usize::from(bucket.unit)).unwrap_or(&"None"),
        });
        for name in &simple {
            if let Some(value) = Stat::parse(name).and_then(|stat| stat.of(&bucket.point)) {
                shown[*name] = json!(value);
            }
        }
        let values: Map<String, Value> = extended_stats
            .iter()
            .filter_map(|(name, stat)| Some((name.clone(), json!(stat.of(&bucket.point)?))))
            .collect();
        if !values.is_empty() {
            shown["ExtendedStatistics"] = Value::Object(values);
        }
        points.push(shown);
    }
    Ok(Some(json!({"Label": id.name, "Datapoints": points})))
}
