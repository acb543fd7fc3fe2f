//! PutMetricData: values, statistic sets, or values with counts.
//!
//! Points of the last two weeks and up to two hours ahead are taken.

use super::input::Input;
use super::{invalid, queries, scope, unwritten};
use crate::call::Call;
use crate::error::ApiError;
use serde_json::Value;
use weir_metrics::{Datum, MetricId, NONE, Point};
use weir_types::time::UnixMillis;

/// Most data of one request, and most values of one datum.
const MAX_DATA: usize = 1000;
const MAX_VALUES: usize = 150;
const TWO_WEEKS_MS: i64 = 14 * 86_400_000;
const TWO_HOURS_MS: i64 = 2 * 3_600_000;

pub fn run(call: &Call<'_>, input: Input<'_>) -> Result<Option<Value>, ApiError> {
    let namespace = input.required("Namespace")?;
    if namespace.starts_with(':') || namespace.chars().count() > 255 {
        return Err(invalid(format!("The value {namespace} for parameter Namespace is invalid.")));
    }
    call.authorize("cloudwatch:PutMetricData", "*", &[("cloudwatch:namespace", namespace)])?;
    if namespace.starts_with("AWS/") && !call.services.settings.emulator {
        return Err(invalid("The value AWS/ for parameter Namespace is invalid."));
    }
    let mut data = Vec::new();
    let mut given = input.structs("MetricData")?;
    for entity in input.structs("EntityMetricData")? {
        given.extend(entity.structs("MetricData")?);
    }
    if given.is_empty() {
        return Err(input.missing("MetricData"));
    }
    if given.len() > MAX_DATA {
        return Err(invalid(format!(
            "The collection MetricData must not have a size greater than {MAX_DATA}."
        )));
    }
    for datum in given {
        data.push(read(&datum, namespace, call.now)?);
    }
    call.services.metrics.put(&scope(call), &data, true).map_err(unwritten)?;
    Ok(None)
}

fn read(input: &Input<'_>, namespace: &str, now: UnixMillis) -> Result<Datum, ApiError> {
    let name = input.required("MetricName")?;
    let at = input.instant("Timestamp")?.unwrap_or(now);
    if !(now.0 - TWO_WEEKS_MS..=now.0 + TWO_HOURS_MS).contains(&at.0) {
        let text = "must specify a time no more than two weeks in the past and no more than two hours in the future.";
        return Err(invalid(format!("The parameter {} {text}", input.path("Timestamp"))));
    }
    let fine = match input.integer("StorageResolution")? {
        Some(1) => true,
        None => false,
        Some(other) if other > 1 => false,
        Some(other) => {
            let path = input.path("StorageResolution");
            return Err(invalid(format!("The value {other} for parameter {path} is invalid.")));
        }
    };
    let dimensions = queries::dimensions(input)?;
    let unit = queries::unit(input)?.unwrap_or(NONE);
    Ok(Datum { id: MetricId::new(namespace, name, dimensions), unit, at, fine, point: point(input)? })
}

fn point(input: &Input<'_>) -> Result<Point, ApiError> {
    let given: Vec<&str> =
        ["Value", "Values", "StatisticValues"].into_iter().filter(|name| input.has(name)).collect();
    if let [first, second, ..] = given.as_slice() {
        let (first, second_path) = (input.path(first), input.path(second));
        let text = format!(
            "The parameters {first} and {second_path} are mutually exclusive and you have specified both."
        );
        let code = if *second == "Values" { "InvalidParameterValue" } else { "InvalidParameterCombination" };
        return Err(ApiError::new(code, text));
    }
    if let Some(value) = input.number("Value")? {
        return Ok(Point::of(value, 1.0));
    }
    if let Some(set) = input.structure("StatisticValues")? {
        let number = |name| set.number(name)?.ok_or_else(|| set.missing(name));
        let (count, sum) = (number("SampleCount")?, number("Sum")?);
        return Ok(Point::of_set(count, sum, number("Minimum")?, number("Maximum")?));
    }
    let (values, counts) = (input.numbers("Values")?, input.numbers("Counts")?);
    if values.is_empty() {
        let text = format!(
            "At least one of the parameters {}, {} or {} must be specified.",
            input.path("Value"),
            input.path("Values"),
            input.path("StatisticValues")
        );
        return Err(ApiError::new("MissingParameter", text));
    }
    if !counts.is_empty() && counts.len() != values.len() {
        let (values, counts) = (input.path("Values"), input.path("Counts"));
        return Err(invalid(format!("The parameters {values} and {counts} must be of the same size.")));
    }
    if values.len() > MAX_VALUES {
        let path = input.path("Values");
        return Err(invalid(format!(
            "The collection {path} must not have a size greater than {MAX_VALUES}."
        )));
    }
    let mut point = Point::default();
    for (i, value) in values.iter().enumerate() {
        point.add(&Point::of(*value, counts.get(i).copied().unwrap_or(1.0)));
    }
    Ok(point)
}
