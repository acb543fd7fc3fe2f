//! DescribeAlarmsForMetric: the alarms on one metric, statistic and period.

use super::input::Input;
use super::{alarm, alarm_arn, queries, scope};
use crate::call::Call;
use crate::error::ApiError;
use serde_json::{Value, json};

pub fn run(call: &Call<'_>, input: Input<'_>) -> Result<Option<Value>, ApiError> {
    call.authorize("cloudwatch:DescribeAlarmsForMetric", &alarm_arn(call, "*"), &[])?;
    let id = queries::metric(&input)?;
    let stat = input.text("Statistic")?.or(input.text("ExtendedStatistic")?);
    let (period, unit) = (input.integer("Period")?, queries::unit(&input)?);
    let mut found = call.services.metrics.alarms.list(&scope(call));
    found.retain(|alarm| {
        let metric =
            alarm.queries.first().and_then(|query| query.metric.as_ref()).filter(|_| alarm.on_metric);
        metric.is_some_and(|metric| {
            metric.id == id
                && stat.is_none_or(|stat| metric.stat == stat)
                && period.is_none_or(|period| metric.period == period)
                && (unit.is_none() || metric.unit == unit)
        })
    });
    Ok(Some(json!({ "MetricAlarms": found.iter().map(alarm::show).collect::<Vec<_>>() })))
}
