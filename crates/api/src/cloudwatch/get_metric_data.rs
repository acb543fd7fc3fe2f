//! GetMetricData: statistics of many metrics and expressions over them.
//!
//! Periods begin at multiples of their length. Answers are one page.

use super::input::Input;
use super::{queries, scope, validation};
use crate::call::Call;
use crate::error::ApiError;
use serde_json::{Value, json};

const MAX_QUERIES: usize = 500;

pub fn run(call: &Call<'_>, input: Input<'_>) -> Result<Option<Value>, ApiError> {
    call.authorize("cloudwatch:GetMetricData", "*", &[])?;
    let instant = |name| input.instant(name)?.ok_or_else(|| input.missing(name));
    let (start, end) = (instant("StartTime")?.seconds(), instant("EndTime")?.seconds());
    if start == end {
        return Err(validation("The parameter StartTime must not equal parameter EndTime."));
    }
    if start > end {
        return Err(validation("The parameter EndTime must be greater than StartTime."));
    }
    let wanted = queries::read(&input, "MetricDataQueries")?;
    if wanted.is_empty() {
        return Err(input.missing("MetricDataQueries"));
    }
    if wanted.len() > MAX_QUERIES {
        return Err(validation(format!(
            "The collection MetricDataQueries must not have a size greater than {MAX_QUERIES}."
        )));
    }
    if input.text("NextToken")?.is_some() {
        return Err(ApiError::new("InvalidNextToken", "Request parameter NextToken is invalid"));
    }
    let ascending = input.text("ScanBy")? == Some("TimestampAscending");
    let results = call.services.metrics.query(&scope(call), &wanted, (start, end));
    let results = results.map_err(|error| validation(error.to_string()))?;
    let shown: Vec<Value> = results
        .into_iter()
        .map(|mut result| {
            if !ascending {
                result.points.reverse();
            }
            json!({
                "Id": result.id,
                "Label": result.label,
                "Timestamps": result.points.iter().map(|(at, _)| *at).collect::<Vec<_>>(),
                "Values": result.points.iter().map(|(_, value)| *value).collect::<Vec<_>>(),
                "StatusCode": "Complete",
            })
        })
        .collect();
    Ok(Some(json!({"MetricDataResults": shown, "Messages": []})))
}
