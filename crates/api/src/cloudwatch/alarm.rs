//! An alarm as the Describe actions show it.

use super::queries;
use serde_json::{Value, json};
use weir_metrics::alarm::Alarm;
use weir_metrics::{Stat, UNITS};

pub fn show(alarm: &Alarm) -> Value {
    let mut shown = json!({
        "AlarmName": alarm.name,
        "AlarmArn": alarm.arn,
        "AlarmConfigurationUpdatedTimestamp": alarm.configured as f64 / 1000.0,
        "ActionsEnabled": alarm.actions_enabled,
        "OKActions": alarm.ok_actions,
        "AlarmActions": alarm.alarm_actions,
        "InsufficientDataActions": alarm.insufficient_data_actions,
        "StateValue": alarm.state.value.as_str(),
        "StateReason": alarm.state.reason,
        "StateUpdatedTimestamp": alarm.state.updated as f64 / 1000.0,
        "StateTransitionedTimestamp": alarm.state.transitioned as f64 / 1000.0,
        "EvaluationPeriods": alarm.evaluation_periods,
        "Threshold": alarm.threshold,
        "ComparisonOperator": alarm.comparison.as_str(),
    });
    for (name, text) in [
        ("AlarmDescription", &alarm.description),
        ("StateReasonData", &alarm.state.data),
        ("TreatMissingData", &alarm.treat_missing_data),
        ("EvaluateLowSampleCountPercentile", &alarm.evaluate_low_sample_count_percentile),
    ] {
        if let Some(text) = text {
            shown[name] = json!(text);
        }
    }
    if let Some(points) = alarm.datapoints_to_alarm {
        shown["DatapointsToAlarm"] = json!(points);
    }
    match alarm.queries.first().and_then(|query| query.metric.as_ref()) {
        Some(metric) if alarm.on_metric => {
            shown["MetricName"] = json!(metric.id.name);
            shown["Namespace"] = json!(metric.id.namespace);
            shown["Dimensions"] = queries::show_dimensions(&metric.id.dimensions);
            shown["Period"] = json!(metric.period);
            let classic = matches!(
                Stat::parse(&metric.stat),
                Some(Stat::SampleCount | Stat::Sum | Stat::Average | Stat::Minimum | Stat::Maximum)
            );
            shown[if classic { "Statistic" } else { "ExtendedStatistic" }] = json!(metric.stat);
            if let Some(unit) = metric.unit.and_then(|unit| UNITS.get(usize::from(unit))) {
                shown["Unit"] = json!(unit);
            }
        }
        _ => shown["Metrics"] = alarm.queries.iter().map(queries::show).collect(),
    }
    shown
}
