//! PutMetricAlarm: a threshold on a metric or on metric math.
//!
//! Actions are `http://` and `https://` URLs, `exec:/path` of a command that the
//! server's settings allow, or ARNs, which are kept and shown but lead nowhere.

use super::input::Input;
use super::{alarm_arn, invalid, queries, scope, unwritten, validation};
use crate::call::Call;
use crate::error::ApiError;
use serde_json::Value;
use weir_metrics::alarm::{Alarm, Compare, Missing};
use weir_metrics::{MetricQuery, MetricStat, Stat};

pub fn run(call: &Call<'_>, input: Input<'_>) -> Result<Option<Value>, ApiError> {
    let name = input.sized("AlarmName", 255)?.filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| input.missing("AlarmName"))?;
    let arn = alarm_arn(call, name);
    call.authorize("cloudwatch:PutMetricAlarm", &arn, &[])?;
    for name in ["ThresholdMetricId", "EvaluationCriteria", "WarmUpConfiguration"] {
        if input.has(name) {
            return Err(validation(format!("{name} is not supported here.")));
        }
    }
    let on_metric = input.has("MetricName");
    let queries = if on_metric { vec![on_one_metric(&input)?] } else { on_math(&input)? };
    let alarm = Alarm {
        scope: scope(call),
        name: name.to_owned(),
        arn,
        description: input.sized("AlarmDescription", 1024)?.map(str::to_owned),
        actions_enabled: input.boolean("ActionsEnabled")?.unwrap_or(true),
        ok_actions: actions(&input, "OKActions")?,
        alarm_actions: actions(&input, "AlarmActions")?,
        insufficient_data_actions: actions(&input, "InsufficientDataActions")?,
        queries,
        on_metric,
        evaluation_periods: positive(&input, "EvaluationPeriods")?
            .ok_or_else(|| input.missing("EvaluationPeriods"))?,
        datapoints_to_alarm: positive(&input, "DatapointsToAlarm")?,
        threshold: input.number("Threshold")?.ok_or_else(|| input.missing("Threshold"))?,
        comparison: comparison(&input)?,
        treat_missing_data: missing_data(&input)?,
        evaluate_low_sample_count_percentile: low_samples(&input)?,
        tags: input.tags()?,
        configured: call.now.0,
        state: Alarm::initial_state(call.now),
    };
    if alarm.datapoints_to_alarm.is_some_and(|points| points > alarm.evaluation_periods) {
        return Err(validation("DatapointsToAlarm must be less than or equal to EvaluationPeriods"));
    }
    let period = alarm.period();
    if alarm.evaluation_periods.saturating_mul(period) > 7 * 86_400
        || (alarm.evaluation_periods.saturating_mul(period) > 86_400 && period < 3600)
    {
        return Err(validation(
            "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400), or a week with periods of an hour or more.",
        ));
    }
    call.services.metrics.alarms.put(alarm, call.now).map_err(unwritten)?;
    Ok(None)
}

fn positive(input: &Input<'_>, name: &str) -> Result<Option<i64>, ApiError> {
    match input.integer(name)? {
        Some(number) if number < 1 => Err(validation(format!(
            "1 validation error detected: Value '{number}' at '{}' failed to satisfy constraint: Member must have value greater than or equal to 1",
            name[..1].to_ascii_lowercase() + &name[1..]
        ))),
        number => Ok(number),
    }
}

fn on_one_metric(input: &Input<'_>) -> Result<MetricQuery, ApiError> {
    if input.has("Metrics") {
        return Err(validation("Metric alarms on a metric cannot have the parameter Metrics."));
    }
    let (simple, extended) = (input.text("Statistic")?, input.text("ExtendedStatistic")?);
    let stat = match (simple, extended) {
        (Some(stat), None) => {
            if !["SampleCount", "Average", "Sum", "Minimum", "Maximum"].contains(&stat) {
                return Err(validation(format!(
                    "1 validation error detected: Value '{stat}' at 'statistic' failed to satisfy constraint: Member must satisfy enum value set: [Maximum, SampleCount, Sum, Minimum, Average]"
                )));
            }
            stat
        }
        (None, Some(stat)) => {
            if Stat::parse(stat).is_none() {
                return Err(invalid(format!(
                    "The value {stat} for parameter ExtendedStatistic is not supported."
                )));
            }
            stat
        }
        (None, None) => return Err(input.missing("Statistic")),
        (Some(_), Some(_)) => {
            let text = "The parameters Statistic and ExtendedStatistic are mutually exclusive and you have specified both.";
            return Err(ApiError::new("InvalidParameterCombination", text));
        }
    };
    let metric = MetricStat {
        id: queries::metric(input)?,
        period: queries::period(input)?,
        stat: stat.to_owned(),
        unit: queries::unit(input)?,
    };
    Ok(MetricQuery { id: "m1".to_owned(), metric: Some(metric), ..Default::default() })
}

fn on_math(input: &Input<'_>) -> Result<Vec<MetricQuery>, ApiError> {
    let queries = queries::read(input, "Metrics")?;
    if queries.is_empty() {
        return Err(input.missing("MetricName"));
    }
    if queries.iter().filter(|query| query.return_data != Some(false)).count() != 1 {
        return Err(validation("Exactly one element of the metrics list should return data."));
    }
    Ok(queries)
}

fn actions(input: &Input<'_>, name: &str) -> Result<Vec<String>, ApiError> {
    let given = input.texts(name)?;
    if given.len() > 5 {
        return Err(validation(format!(
            "1 validation error detected: Value '{given:?}' at '{}' failed to satisfy constraint: Member must have length less than or equal to 5",
            name[..1].to_ascii_lowercase() + &name[1..]
        )));
    }
    for action in &given {
        let known = ["arn:", "http://", "https://", "exec:/"].iter().any(|start| action.starts_with(start));
        if !known {
            return Err(validation(format!("Invalid arn syntax: {action}")));
        }
    }
    Ok(given.into_iter().map(str::to_owned).collect())
}

fn comparison(input: &Input<'_>) -> Result<Compare, ApiError> {
    let text = input.required("ComparisonOperator")?;
    Compare::parse(text).ok_or_else(|| {
        let all = Compare::ALL.map(Compare::as_str).join(", ");
        validation(format!("1 validation error detected: Value '{text}' at 'comparisonOperator' failed to satisfy constraint: Member must satisfy enum value set: [{all}]"))
    })
}

fn missing_data(input: &Input<'_>) -> Result<Option<String>, ApiError> {
    let Some(text) = input.text("TreatMissingData")? else { return Ok(None) };
    if Missing::parse(text).is_none() {
        return Err(validation(format!(
            "Option {text} is not supported. Supported options for parameter TreatMissingData are breaching, notBreaching, ignore and missing."
        )));
    }
    Ok(Some(text.to_owned()))
}

fn low_samples(input: &Input<'_>) -> Result<Option<String>, ApiError> {
    let Some(text) = input.text("EvaluateLowSampleCountPercentile")? else { return Ok(None) };
    if !["evaluate", "ignore"].contains(&text) {
        return Err(validation(format!(
            "Option {text} is not supported. Supported options for parameter EvaluateLowSampleCountPercentile are evaluate and ignore."
        )));
    }
    Ok(Some(text.to_owned()))
}
