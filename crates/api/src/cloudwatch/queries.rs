//! Dimensions, units and `MetricDataQuery`: read and shown.

use super::input::Input;
use super::{invalid, validation};
use crate::error::ApiError;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use weir_metrics::{MetricId, MetricQuery, MetricStat, Stat, UNITS, unit_number};

/// Most dimensions of a metric.
const MAX_DIMENSIONS: usize = 30;

pub fn dimensions(input: &Input<'_>) -> Result<Vec<(String, String)>, ApiError> {
    let given = input.structs("Dimensions")?;
    if given.len() > MAX_DIMENSIONS {
        let name = input.path("Dimensions");
        return Err(invalid(format!(
            "The collection {name} must not have a size greater than {MAX_DIMENSIONS}."
        )));
    }
    let mut found = Vec::new();
    for dimension in given {
        let (name, value) = (dimension.required("Name")?, dimension.required("Value")?);
        found.push((name.to_owned(), value.to_owned()));
    }
    Ok(found)
}

pub fn show_dimensions(dimensions: &[(String, String)]) -> Value {
    dimensions.iter().map(|(name, value)| json!({"Name": name, "Value": value})).collect()
}

/// `Unit`, as its number.
pub fn unit(input: &Input<'_>) -> Result<Option<u8>, ApiError> {
    let Some(text) = input.text("Unit")? else { return Ok(None) };
    let known = unit_number(text).ok_or_else(|| {
        validation(format!(
            "1 validation error detected: Value '{text}' at 'unit' failed to satisfy constraint: Member must satisfy enum value set: [{}]",
            UNITS.join(", ")
        ))
    });
    known.map(Some)
}

/// `Period`: 1, 5, 10, 20, 30 or a multiple of 60 seconds.
pub fn period(input: &Input<'_>) -> Result<i64, ApiError> {
    let period = input.integer("Period")?.ok_or_else(|| input.missing("Period"))?;
    if [1, 5, 10, 20, 30].contains(&period) || (period > 0 && period % 60 == 0) {
        return Ok(period);
    }
    let text =
        format!("The parameter {} must be 1, 5, 10, 20, 30 or a multiple of 60.", input.path("Period"));
    Err(invalid(text))
}

/// Namespace, name and dimensions.
pub fn metric(input: &Input<'_>) -> Result<MetricId, ApiError> {
    let (namespace, name) = (input.required("Namespace")?, input.required("MetricName")?);
    Ok(MetricId::new(namespace, name, dimensions(input)?))
}

/// Queries of `member`, with ids that are unique and begin with a small letter.
pub fn read(input: &Input<'_>, member: &str) -> Result<Vec<MetricQuery>, ApiError> {
    let mut queries = Vec::new();
    let mut ids = BTreeSet::new();
    for given in input.structs(member)? {
        let id = given.required("Id")?;
        let shaped = id.starts_with(|c: char| c.is_ascii_lowercase())
            && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !shaped {
            return Err(validation(format!(
                "The value {id} for parameter {} is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.",
                given.path("Id")
            )));
        }
        if !ids.insert(id.to_owned()) {
            return Err(validation(format!("The values for parameter Id in {member} are not unique.")));
        }
        let metric = given.structure("MetricStat")?.map(|stat| metric_stat(&stat)).transpose()?;
        let expression = given.text("Expression")?.map(str::to_owned);
        if metric.is_none() && expression.is_none() {
            return Err(validation(format!("The parameter {} is required.\n", given.path("MetricStat"))));
        }
        if metric.is_some() && expression.is_some() {
            let (metric, expression) = (given.path("MetricStat"), given.path("Expression"));
            return Err(validation(format!(
                "The parameters {metric} and {expression} are mutually exclusive and you have specified both."
            )));
        }
        if let Some(text) = &expression {
            if text.starts_with("SELECT") || text.starts_with("SEARCH") {
                return Err(validation("SELECT and SEARCH expressions are not supported here."));
            }
            let parsed = weir_metrics::math::parse(text);
            parsed.map_err(|error| validation(format!("Error in expression '{id}': {error}")))?;
        }
        queries.push(MetricQuery {
            id: id.to_owned(),
            metric,
            expression,
            label: given.text("Label")?.map(str::to_owned),
            return_data: given.boolean("ReturnData")?,
            period: given.integer("Period")?,
        });
    }
    Ok(queries)
}

fn metric_stat(input: &Input<'_>) -> Result<MetricStat, ApiError> {
    let of = input.structure("Metric")?.ok_or_else(|| input.missing("Metric"))?;
    let stat = input.required("Stat")?;
    if Stat::parse(stat).is_none() {
        return Err(validation(format!(
            "The value {stat} for parameter {} is not supported.",
            input.path("Stat")
        )));
    }
    Ok(MetricStat { id: metric(&of)?, period: period(input)?, stat: stat.to_owned(), unit: unit(input)? })
}

/// As DescribeAlarms shows a query.
pub fn show(query: &MetricQuery) -> Value {
    let mut shown = json!({"Id": query.id});
    if let Some(metric) = &query.metric {
        let mut stat = json!({
            "Metric": {
                "Namespace": metric.id.namespace,
                "MetricName": metric.id.name,
                "Dimensions": show_dimensions(&metric.id.dimensions),
            },
            "Period": metric.period,
            "Stat": metric.stat,
        });
        if let Some(unit) = metric.unit.and_then(|unit| UNITS.get(usize::from(unit))) {
            stat["Unit"] = json!(unit);
        }
        shown["MetricStat"] = stat;
    }
    for (name, text) in [("Expression", &query.expression), ("Label", &query.label)] {
        if let Some(text) = text {
            shown[name] = json!(text);
        }
    }
    shown["ReturnData"] = json!(query.return_data.unwrap_or(true));
    if let Some(period) = query.period {
        shown["Period"] = json!(period);
    }
    shown
}
