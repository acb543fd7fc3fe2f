//! CloudWatch: metrics and metric alarms, over the metric store.
//!
//! For: three wire formats in and out, and who may do what. Each action has a
//! file of its own: parse, authorize, apply, render.
//!
//! Not for: statistics, metric math and the evaluation of alarms (`weir_metrics`).
//!
//! Wire: SDKs of 2025 and later send Smithy RPC v2 in CBOR, others JSON 1.0 with
//! the target prefix `GraniteServiceVersion20100801`, or the query protocol with
//! XML answers (2010-08-01). An action sees one form: JSON values, in which
//! instants are seconds since 1970 (see [`input`] and [`wire`]).
//!
//! Source: CloudWatch API reference; smithy.io, "Smithy RPC v2 CBOR protocol".

mod alarm;
mod cbor;
mod delete_alarms;
mod describe_alarm_history;
mod describe_alarms;
mod describe_alarms_for_metric;
mod disable_alarm_actions;
mod enable_alarm_actions;
mod get_metric_data;
mod get_metric_statistics;
mod input;
mod list_metrics;
mod list_tags_for_resource;
pub mod listener;
mod page;
pub mod prometheus;
mod put_metric_alarm;
mod put_metric_data;
mod queries;
mod set_alarm_state;
mod tag_resource;
mod untag_resource;
pub mod wire;

#[cfg(test)]
mod tests;

use crate::call::Call;
use crate::error::ApiError;
use input::Input;
use serde_json::Value;

/// The prefix of `X-Amz-Target`, and the service in the paths of RPC v2.
pub const TARGET: &str = "GraniteServiceVersion20100801";
/// `Version` of the query protocol.
pub const VERSION: &str = "2010-08-01";
/// Of XML answers.
pub const NAMESPACE: &str = "http://monitoring.amazonaws.com/doc/2010-08-01/";

/// An action.
pub struct Action {
    pub name: &'static str,
    /// Parse, authorize, apply, render: the answer, `None` for no output.
    pub run: fn(&Call<'_>, Input<'_>) -> Result<Option<Value>, ApiError>,
}

/// Every action, by name.
pub const ACTIONS: &[Action] = &[
    Action { name: "DeleteAlarms", run: delete_alarms::run },
    Action { name: "DescribeAlarmHistory", run: describe_alarm_history::run },
    Action { name: "DescribeAlarms", run: describe_alarms::run },
    Action { name: "DescribeAlarmsForMetric", run: describe_alarms_for_metric::run },
    Action { name: "DisableAlarmActions", run: disable_alarm_actions::run },
    Action { name: "EnableAlarmActions", run: enable_alarm_actions::run },
    Action { name: "GetMetricData", run: get_metric_data::run },
    Action { name: "GetMetricStatistics", run: get_metric_statistics::run },
    Action { name: "ListMetrics", run: list_metrics::run },
    Action { name: "ListTagsForResource", run: list_tags_for_resource::run },
    Action { name: "PutMetricAlarm", run: put_metric_alarm::run },
    Action { name: "PutMetricData", run: put_metric_data::run },
    Action { name: "SetAlarmState", run: set_alarm_state::run },
    Action { name: "TagResource", run: tag_resource::run },
    Action { name: "UntagResource", run: untag_resource::run },
];

/// The caller's account and region, as the metric store has them.
fn scope(call: &Call<'_>) -> weir_metrics::Scope {
    weir_metrics::Scope { account: call.scope.account.clone(), region: call.scope.region.clone() }
}

/// The ARN of an alarm.
fn alarm_arn(call: &Call<'_>, name: &str) -> String {
    call.arn("cloudwatch", format!("alarm:{name}"))
}

/// `InvalidParameterValue`.
fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterValue", message)
}

/// `ValidationError`.
fn validation(message: impl Into<String>) -> ApiError {
    ApiError::new("ValidationError", message)
}

/// The metric store's file cannot be written.
fn unwritten(error: std::io::Error) -> ApiError {
    let mut told = ApiError::internal(error);
    told.code = "InternalServiceError".into();
    told
}
