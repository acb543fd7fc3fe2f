//! Metric filters: put, describe, delete, test.
//!
//! Source: CloudWatch Logs API reference, PutMetricFilter and its neighbours.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::page::{filter_name, list_length, paged, parse, pattern_length, room_for_regexes};
use super::sample::Compiled;
use super::selection::selects;
use crate::describe::page_size;
use crate::error::LogsError;
use crate::limits::{Constraints, at_most, one_of};
use crate::pattern::{Pattern, Reference};
use crate::store::{Scope, Store};
use weir_types::metric::UNITS;
use weir_types::time::UnixMillis;

/// Most metric filters of one log group.
const MAX_FILTERS: usize = 100;
/// Most dimensions of one filter.
const MAX_DIMENSIONS: usize = 3;

/// What a matching event becomes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MetricTransformation {
    pub metric_name: String,
    pub metric_namespace: String,
    /// A number, or a reference such as `$bytes` or `$.latency`.
    pub metric_value: String,
    /// For minutes with events of which none matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_value: Option<f64>,
    /// Name to reference; at most 3, and not together with `default_value`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dimensions: BTreeMap<String, String>,
    /// One of [`UNITS`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// A metric filter as it is kept.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MetricFilter {
    pub pattern: String,
    pub transformation: MetricTransformation,
    /// Milliseconds since 1970.
    pub created: i64,
    #[serde(default)]
    pub apply_on_transformed_logs: bool,
    /// `@aws.account` and `@aws.region`, as further dimensions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emit_system_field_dimensions: Vec<String>,
    /// For which accounts and regions it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field_selection_criteria: Option<String>,
}

/// A filter with its name and its group's.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedFilter<F> {
    pub group: String,
    pub name: String,
    pub filter: F,
}

/// What PutMetricFilter takes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PutMetricFilter {
    pub group: String,
    pub name: String,
    /// Without its transformation.
    pub filter: MetricFilter,
    /// Exactly one.
    pub transformations: Vec<MetricTransformation>,
    /// A metric value may be any text, which then gives no value.
    pub lax: bool,
}

/// What DescribeMetricFilters takes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DescribeMetricFilters {
    /// All groups if absent.
    pub group: Option<String>,
    pub name_prefix: Option<String>,
    /// Together with the namespace, or neither.
    pub metric_name: Option<String>,
    pub metric_namespace: Option<String>,
    /// 1 to 50, default 50.
    pub limit: Option<i64>,
    pub next_token: Option<String>,
}

/// A page in order of filter names, then of group names.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricFilters {
    pub metric_filters: Vec<NamedFilter<MetricFilter>>,
    pub next_token: Option<String>,
}

/// A message that matches, as TestMetricFilter shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricFilterMatch {
    /// From 0.
    pub event_number: usize,
    pub event_message: String,
    pub extracted_values: BTreeMap<String, String>,
}

impl Store {
    /// PutMetricFilter: makes or replaces a filter.
    pub fn put_metric_filter(
        &self,
        scope: &Scope,
        request: PutMetricFilter,
        now: UnixMillis,
    ) -> Result<(), LogsError> {
        let PutMetricFilter { group, name, mut filter, transformations, lax } = request;
        let mut constraints = Constraints::new();
        constraints.group_name(&group, "logGroupName");
        filter_name(&mut constraints, &name, "filterName");
        pattern_length(&mut constraints, &filter.pattern);
        let shown = shown(&transformations);
        list_length(&mut constraints, transformations.len(), &shown, "metricTransformations", (1, 1));
        for (i, transformation) in transformations.iter().enumerate() {
            check(&mut constraints, transformation, i + 1);
        }
        constraints.finish()?;
        selects(filter.field_selection_criteria.as_deref(), scope)?;
        let pattern = parse(&filter.pattern, "metric filter")?;
        filter.transformation = transformations.into_iter().next().unwrap_or_default();
        check_values(&filter, &pattern, lax)?;
        filter.created = now.0;
        self.update_group(scope, &group, move |meta| {
            let old = meta.metric_filters.get(&name);
            if old.is_none() && meta.metric_filters.len() >= MAX_FILTERS {
                return Err(LogsError::LimitExceeded("Resource limit exceeded."));
            }
            room_for_regexes(meta, &pattern, "", &name)?;
            if let Some(old) = old {
                filter.created = old.created;
            }
            meta.metric_filters.insert(name, filter);
            Ok(())
        })
    }

    /// DescribeMetricFilters. No match is an empty page.
    pub fn describe_metric_filters(
        &self,
        scope: &Scope,
        request: &DescribeMetricFilters,
    ) -> Result<MetricFilters, LogsError> {
        let mut constraints = Constraints::new();
        let size = page_size(request.limit, &mut constraints);
        if let Some(group) = &request.group {
            constraints.group_name(group, "logGroupName");
        }
        if let Some(prefix) = &request.name_prefix {
            filter_name(&mut constraints, prefix, "filterNamePrefix");
        }
        for (text, member) in
            [(&request.metric_name, "metricName"), (&request.metric_namespace, "metricNamespace")]
        {
            if let Some(text) = text {
                constraints.length(text, member, 0, 255);
            }
        }
        constraints.finish()?;
        if request.metric_name.is_some() != request.metric_namespace.is_some() {
            let text = "metricName and metricNamespace must be specified together.";
            return Err(LogsError::InvalidParameter(text.into()));
        }
        let prefix = request.name_prefix.as_deref().unwrap_or_default();
        let wanted = |filter: &MetricFilter| {
            let same = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|w| w == is);
            same(&request.metric_name, &filter.transformation.metric_name)
                && same(&request.metric_namespace, &filter.transformation.metric_namespace)
        };
        let state = self.state();
        let groups: Vec<u64> = match &request.group {
            Some(name) => vec![state.group(scope, name)?.meta.id],
            None => state.names.get(scope).into_iter().flat_map(|names| names.values().copied()).collect(),
        };
        let mut found = Vec::new();
        for group in groups.iter().filter_map(|id| state.groups.get(id)) {
            let filters = group.meta.metric_filters.iter();
            let filters = filters.filter(|(name, filter)| name.starts_with(prefix) && wanted(filter));
            found.extend(filters.map(|(name, filter)| NamedFilter {
                group: group.meta.name.clone(),
                name: name.clone(),
                filter: filter.clone(),
            }));
        }
        let token = request.next_token.as_deref();
        let key = |f: &NamedFilter<MetricFilter>| format!("{}\n{}", f.name, f.group);
        let (metric_filters, next_token) = paged(found, size, token, "metric filters", key)?;
        Ok(MetricFilters { metric_filters, next_token })
    }

    /// DeleteMetricFilter. `ResourceNotFound` if there is none of this name.
    pub fn delete_metric_filter(&self, scope: &Scope, group: &str, name: &str) -> Result<(), LogsError> {
        let mut constraints = Constraints::new();
        constraints.group_name(group, "logGroupName");
        filter_name(&mut constraints, name, "filterName");
        constraints.finish()?;
        let name = name.to_owned();
        self.update_group(scope, group, move |meta| match meta.metric_filters.remove(&name) {
            Some(_) => Ok(()),
            None => Err(LogsError::ResourceNotFound("The specified metric filter does not exist.")),
        })
    }
}

/// TestMetricFilter: the messages that match, 1 to 50 are given.
pub fn test_metric_filter(pattern: &str, messages: &[&str]) -> Result<Vec<MetricFilterMatch>, LogsError> {
    let mut constraints = Constraints::new();
    pattern_length(&mut constraints, pattern);
    let shown = format!("[{}]", messages.join(", "));
    list_length(&mut constraints, messages.len(), &shown, "logEventMessages", (1, 50));
    for (i, message) in messages.iter().enumerate() {
        let member = format!("logEventMessages.{}.member", i + 1);
        constraints.length(message, &member, 1, usize::MAX);
    }
    constraints.finish()?;
    let pattern = parse(pattern, "metric filter")?;
    let matches = messages.iter().enumerate().filter_map(|(event_number, message)| {
        let extracted_values = pattern.extract(message)?.into_iter().collect();
        Some(MetricFilterMatch { event_number, event_message: (*message).to_owned(), extracted_values })
    });
    Ok(matches.collect())
}

/// As AWS shows the list in a refusal.
fn shown(transformations: &[MetricTransformation]) -> String {
    let all = transformations.iter().map(|t| {
        let default = t.default_value.map_or("null".to_owned(), |value| format!("{value:?}"));
        let unit = t.unit.as_deref().unwrap_or("null");
        format!(
            "MetricTransformation(metricName={}, metricNamespace={}, metricValue={}, defaultValue={default}, unit={unit}, dimensions={})",
            t.metric_name,
            t.metric_namespace,
            t.metric_value,
            if t.dimensions.is_empty() { "null".to_owned() } else { format!("{:?}", t.dimensions) },
        )
    });
    format!("[{}]", all.collect::<Vec<_>>().join(", "))
}

fn check(constraints: &mut Constraints, transformation: &MetricTransformation, number: usize) {
    let path = |member: &str| format!("metricTransformations.{number}.member.{member}");
    let rule = |re: &str| format!("Member must satisfy regular expression pattern: {re}");
    for (text, member, forbidden, re) in [
        (&transformation.metric_name, "metricName", ":*$", "[^:*$]*"),
        // A colon is taken: user guide, "Namespaces".
        (&transformation.metric_namespace, "metricNamespace", "*$", "[^:*$]*"),
    ] {
        constraints.length(text, &path(member), 0, 255);
        constraints.that(!text.contains(|c| forbidden.contains(c)), text, &path(member), rule(re));
    }
    constraints.length(&transformation.metric_value, &path("metricValue"), 0, 100);
    if let Some(unit) = &transformation.unit {
        constraints.that(UNITS.contains(&unit.as_str()), unit, &path("unit"), one_of(UNITS));
    }
    let count = transformation.dimensions.len();
    let dimensions = format!("[{count} dimensions]");
    let rule = at_most("length", MAX_DIMENSIONS);
    constraints.that(count <= MAX_DIMENSIONS, dimensions, &path("dimensions"), rule);
    for (name, value) in &transformation.dimensions {
        constraints.length(name, &path("dimensions"), 1, 255);
        constraints.length(value, &path("dimensions"), 1, 255);
    }
}

fn check_values(filter: &MetricFilter, pattern: &Pattern, lax: bool) -> Result<(), LogsError> {
    let refused = |text: String| Err(LogsError::InvalidParameter(text));
    let transformation = &filter.transformation;
    for (text, what) in
        [(&transformation.metric_name, "metric name"), (&transformation.metric_namespace, "metric namespace")]
    {
        if text.is_empty() {
            return refused(format!("Invalid metric transformation: {what} must not be empty"));
        }
    }
    if transformation.metric_namespace.starts_with("AWS/") {
        return refused("Invalid metric transformation: reserved namespace".to_owned());
    }
    let has_dimensions =
        !transformation.dimensions.is_empty() || !filter.emit_system_field_dimensions.is_empty();
    if has_dimensions && transformation.default_value.is_some() {
        let text =
            "Invalid metric transformation: dimensions and default value are mutually exclusive properties";
        return refused(text.to_owned());
    }
    if !transformation.dimensions.is_empty() && !pattern.has_values() {
        return refused("The specified filter pattern does not support dimensions".to_owned());
    }
    for field in &filter.emit_system_field_dimensions {
        if !["@aws.account", "@aws.region"].contains(&field.as_str()) {
            return refused(format!("Invalid system field '{field}'"));
        }
    }
    for value in transformation.dimensions.values() {
        if Reference::parse(value, pattern).is_none() {
            return refused(format!("Invalid metric transformation: invalid dimension value '{value}'"));
        }
    }
    let value = &transformation.metric_value;
    if !lax && Compiled::number(value).is_none() && Reference::parse(value, pattern).is_none() {
        return refused(format!("Invalid metric transformation: invalid metric value '{value}'"));
    }
    Ok(())
}
