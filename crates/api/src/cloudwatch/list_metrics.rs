//! ListMetrics: those with points in the last two weeks.

use super::input::Input;
use super::{page, queries, scope};
use crate::call::Call;
use crate::error::ApiError;
use serde_json::{Value, json};
use weir_types::time::UnixMillis;

const PAGE: usize = 500;
const DAY_MS: i64 = 86_400_000;

pub fn run(call: &Call<'_>, input: Input<'_>) -> Result<Option<Value>, ApiError> {
    call.authorize("cloudwatch:ListMetrics", "*", &[])?;
    let (namespace, name) = (input.text("Namespace")?, input.text("MetricName")?);
    let mut wanted = Vec::new();
    for dimension in input.structs("Dimensions")? {
        wanted.push((dimension.required("Name")?, dimension.text("Value")?));
    }
    let since = match input.text("RecentlyActive")? {
        Some(_) => UnixMillis(call.now.0 - 3 * 3_600_000),
        None => UnixMillis(call.now.0 - 14 * DAY_MS),
    };
    let mut found = call.services.metrics.list(&scope(call), since);
    found.retain(|id| {
        let has = |(name, value): &(&str, Option<&str>)| {
            id.dimensions.iter().any(|(n, v)| n == name && value.is_none_or(|value| value == v))
        };
        namespace.is_none_or(|n| n == id.namespace)
            && name.is_none_or(|n| n == id.name)
            && wanted.iter().all(has)
    });
    let (found, next) = page::page(found, PAGE, input.text("NextToken")?, "metrics")?;
    let shown: Vec<Value> = found
        .iter()
        .map(|id| {
            json!({
                "Namespace": id.namespace,
                "MetricName": id.name,
                "Dimensions": queries::show_dimensions(&id.dimensions),
            })
        })
        .collect();
    let mut answer = json!({ "Metrics": shown });
    if let Some(next) = next {
        answer["NextToken"] = json!(next);
    }
    Ok(Some(answer))
}
