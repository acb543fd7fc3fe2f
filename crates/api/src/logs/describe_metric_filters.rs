//! DescribeMetricFilters: of a group, or of all, by name or by metric.

use super::{arn, permit};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_logs::{DescribeMetricFilters, MetricFilter, NamedFilter};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let owned = |name| members.text(name).map(|text| text.map(str::to_owned));
    let request = DescribeMetricFilters {
        group: owned("logGroupName")?,
        name_prefix: owned("filterNamePrefix")?,
        metric_name: owned("metricName")?,
        metric_namespace: owned("metricNamespace")?,
        limit: members.integer("limit")?,
        next_token: owned("nextToken")?,
    };
    match &request.group {
        Some(group) => permit::group(call, "DescribeMetricFilters", group)?,
        None => permit::all_groups(call, "DescribeMetricFilters")?,
    }
    let found = match call.services.logs.describe_metric_filters(&arn::store_scope(&call.scope), &request) {
        // As of suites made for emulators: no group, no filters.
        Err(weir_logs::LogsError::ResourceNotFound(_)) if call.services.settings.emulator => {
            return Ok(Some(json!({ "metricFilters": [] })));
        }
        found => found?,
    };
    let filters: Vec<Value> = found.metric_filters.iter().map(render).collect();
    let mut answer = json!({ "metricFilters": filters });
    if let Some(token) = found.next_token {
        answer["nextToken"] = json!(token);
    }
    Ok(Some(answer))
}

fn render(named: &NamedFilter<MetricFilter>) -> Value {
    let filter = &named.filter;
    let given = &filter.transformation;
    let mut transformation = json!({
        "metricName": given.metric_name,
        "metricNamespace": given.metric_namespace,
        "metricValue": given.metric_value,
    });
    if let Some(default) = given.default_value {
        transformation["defaultValue"] = json!(default);
    }
    if !given.dimensions.is_empty() {
        transformation["dimensions"] = json!(given.dimensions);
    }
    if let Some(unit) = &given.unit {
        transformation["unit"] = json!(unit);
    }
    let mut shown = json!({
        "filterName": named.name,
        "filterPattern": filter.pattern,
        "metricTransformations": [transformation],
        "creationTime": filter.created,
        "logGroupName": named.group,
        "applyOnTransformedLogs": filter.apply_on_transformed_logs,
    });
    if !filter.emit_system_field_dimensions.is_empty() {
        shown["emitSystemFieldDimensions"] = json!(filter.emit_system_field_dimensions);
    }
    if let Some(criteria) = &filter.field_selection_criteria {
        shown["fieldSelectionCriteria"] = json!(criteria);
    }
    shown
}
