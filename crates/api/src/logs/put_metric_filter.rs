//! PutMetricFilter: makes matching events a metric.
//!
//! In an emulator the group need not be there before, and a metric value may be
//! any text.

use super::error::invalid;
use super::{arn, permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;
use weir_logs::{CreateLogGroup, MetricFilter, MetricTransformation, PutMetricFilter};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let mut request = parse(members)?;
    permit::group(call, "PutMetricFilter", &request.group)?;
    let (scope, logs) = (arn::store_scope(&call.scope), &call.services.logs);
    request.lax = call.services.settings.emulator;
    if request.lax && logs.log_group(&scope, &request.group).is_err() {
        let group = CreateLogGroup { name: request.group.clone(), ..Default::default() };
        logs.create_log_group(&scope, group, call.now)?;
    }
    logs.put_metric_filter(&scope, request, call.now)?;
    Ok(None)
}

fn parse(members: Members<'_>) -> Result<PutMetricFilter, ApiError> {
    required::check(members, &["logGroupName", "filterName", "filterPattern", "metricTransformations"])?;
    let [group, name, pattern] = required::texts(members, ["logGroupName", "filterName", "filterPattern"])?;
    let system = members.texts("emitSystemFieldDimensions")?.unwrap_or_default();
    Ok(PutMetricFilter {
        group: group.to_owned(),
        name: name.to_owned(),
        filter: MetricFilter {
            pattern: pattern.to_owned(),
            apply_on_transformed_logs: members.boolean("applyOnTransformedLogs")?.unwrap_or_default(),
            emit_system_field_dimensions: system.into_iter().map(str::to_owned).collect(),
            field_selection_criteria: members.text("fieldSelectionCriteria")?.map(str::to_owned),
            ..Default::default()
        },
        transformations: transformations(members)?,
        lax: false,
    })
}

fn transformations(members: Members<'_>) -> Result<Vec<MetricTransformation>, ApiError> {
    let mut all = Vec::new();
    for (i, given) in required::objects(members, "metricTransformations")?.into_iter().enumerate() {
        let mut constraints = weir_logs::limits::Constraints::new();
        for name in ["metricName", "metricNamespace", "metricValue"] {
            if given.text(name)?.is_none() {
                constraints.missing(&format!("metricTransformations.{}.member.{name}", i + 1));
            }
        }
        constraints.finish()?;
        let text = |name| given.text(name).map(|text| text.unwrap_or_default().to_owned());
        let mut dimensions = std::collections::BTreeMap::new();
        for (name, value) in given.object("dimensions")?.into_iter().flat_map(Members::entries) {
            let value = value.as_str().ok_or_else(|| invalid("Dimension values must be strings."))?;
            dimensions.insert(name.to_owned(), value.to_owned());
        }
        all.push(MetricTransformation {
            metric_name: text("metricName")?,
            metric_namespace: text("metricNamespace")?,
            metric_value: text("metricValue")?,
            default_value: required::number(given, "defaultValue")?,
            dimensions,
            unit: given.text("unit")?.map(str::to_owned),
        });
    }
    Ok(all)
}
