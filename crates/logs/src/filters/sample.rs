//! Metric values out of a batch: what metric filters are for.
//!
//! Each matching event gives its filter's value to the minute of its timestamp.
//! A value or a dimension that the message does not have, or that is no finite
//! number, gives nothing. For each minute with events of which none matched a
//! filter with a default value gives that.

use std::collections::{BTreeMap, BTreeSet};

use super::metric::MetricFilter;
use super::selection::selects;
use crate::pattern::{Pattern, Reference};
use crate::put::InputLogEvent;
use crate::record::GroupMeta;
use crate::store::Scope;

const MINUTE_MS: i64 = 60_000;

/// In order of their names.
type Dimensions = Vec<(String, String)>;

/// Values of one metric in one minute.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricSample {
    pub namespace: String,
    pub name: String,
    /// In order of their names.
    pub dimensions: Dimensions,
    pub unit: Option<String>,
    /// Where the minute begins, milliseconds since 1970.
    pub minute: i64,
    /// One per matching event.
    pub values: Vec<f64>,
    /// If there are no values in this minute at all, also not of other batches.
    pub default: Option<f64>,
}

/// A group's metric filters, ready to run.
#[derive(Debug, Default)]
pub(crate) struct Compiled {
    filters: Vec<Filter>,
}

#[derive(Debug)]
struct Filter {
    pattern: Pattern,
    value: Value,
    dimensions: Vec<(String, Reference)>,
    kept: MetricFilter,
}

#[derive(Debug)]
enum Value {
    Number(f64),
    Reference(Reference),
    /// Of an emulator, which takes any text.
    None,
}

impl Compiled {
    pub fn new(meta: &GroupMeta) -> Self {
        let is_for_it = |filter: &MetricFilter| {
            selects(filter.field_selection_criteria.as_deref(), &meta.scope).unwrap_or_default()
        };
        let filters = meta.metric_filters.iter().filter(|(_, filter)| is_for_it(filter));
        let filters = filters.filter_map(|(name, filter)| {
            let compiled = compile(filter);
            if compiled.is_none() {
                tracing::warn!(group = meta.name, filter = name, "a stored metric filter cannot be read");
            }
            compiled
        });
        Self { filters: filters.collect() }
    }

    /// A finite number as `metricValue` spells it.
    pub fn number(text: &str) -> Option<f64> {
        text.trim().parse().ok().filter(|number: &f64| number.is_finite())
    }

    pub fn samples(&self, scope: &Scope, events: &[InputLogEvent]) -> Vec<MetricSample> {
        self.filters.iter().flat_map(|filter| filter.samples(scope, events)).collect()
    }
}

fn compile(filter: &MetricFilter) -> Option<Filter> {
    let pattern = Pattern::parse(&filter.pattern).ok()?;
    let text = &filter.transformation.metric_value;
    let value = match Compiled::number(text) {
        Some(number) => Value::Number(number),
        None => Reference::parse(text, &pattern).map_or(Value::None, Value::Reference),
    };
    let dimensions = filter.transformation.dimensions.iter();
    let dimensions: Option<Vec<_>> =
        dimensions.map(|(name, text)| Some((name.clone(), Reference::parse(text, &pattern)?))).collect();
    Some(Filter { value, dimensions: dimensions?, kept: filter.clone(), pattern })
}

impl Filter {
    fn samples(&self, scope: &Scope, events: &[InputLogEvent]) -> Vec<MetricSample> {
        let transformation = &self.kept.transformation;
        let mut values: BTreeMap<(i64, Dimensions), Vec<f64>> = BTreeMap::new();
        let mut minutes = BTreeSet::new();
        for event in events {
            let minute = event.timestamp.0.div_euclid(MINUTE_MS) * MINUTE_MS;
            minutes.insert(minute);
            if !self.pattern.matches(&event.message) {
                continue;
            }
            if let Some((value, dimensions)) = self.value_of(scope, &event.message) {
                values.entry((minute, dimensions)).or_default().push(value);
            }
        }
        let sample = |minute, dimensions, values, default| MetricSample {
            namespace: transformation.metric_namespace.clone(),
            name: transformation.metric_name.clone(),
            dimensions,
            unit: transformation.unit.clone(),
            minute,
            values,
            default,
        };
        let mut samples = Vec::new();
        if let Some(default) = transformation.default_value {
            let quiet = minutes.iter().filter(|minute| !values.contains_key(&(**minute, Vec::new())));
            samples.extend(quiet.map(|minute| sample(*minute, Vec::new(), Vec::new(), Some(default))));
        }
        samples.extend(
            values.into_iter().map(|((minute, dimensions), values)| sample(minute, dimensions, values, None)),
        );
        samples
    }

    fn value_of(&self, scope: &Scope, message: &str) -> Option<(f64, Dimensions)> {
        let needs_values = !self.dimensions.is_empty() || matches!(self.value, Value::Reference(_));
        let values = needs_values.then(|| self.pattern.values(message));
        let get = |reference| values.as_ref().and_then(|values| values.get(reference));
        let value = match &self.value {
            Value::Number(number) => *number,
            Value::Reference(reference) => Compiled::number(&get(reference)?)?,
            Value::None => return None,
        };
        let mut dimensions = Vec::new();
        for (name, reference) in &self.dimensions {
            dimensions.push((name.clone(), get(reference).filter(|text| !text.is_empty())?));
        }
        for field in &self.kept.emit_system_field_dimensions {
            let value = if field == "@aws.account" { &scope.account } else { &scope.region };
            dimensions.push((field.clone(), value.clone()));
        }
        dimensions.sort();
        Some((value, dimensions))
    }
}
