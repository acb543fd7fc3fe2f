//! DeleteAlarms: names without an alarm do not matter.

use super::input::Input;
use super::{alarm_arn, scope, unwritten};
use crate::call::Call;
use crate::error::ApiError;
use serde_json::Value;

pub fn run(call: &Call<'_>, input: Input<'_>) -> Result<Option<Value>, ApiError> {
    let names = names(call, &input, "DeleteAlarms")?;
    call.services.metrics.alarms.delete(&scope(call), &names, call.now).map_err(unwritten)?;
    Ok(None)
}

/// `AlarmNames`, for each of which the caller may do `action`.
pub fn names(call: &Call<'_>, input: &Input<'_>, action: &str) -> Result<Vec<String>, ApiError> {
    let names = input.texts("AlarmNames")?;
    if names.is_empty() {
        return Err(input.missing("AlarmNames"));
    }
    for name in &names {
        call.authorize(&format!("cloudwatch:{action}"), &alarm_arn(call, name), &[])?;
    }
    Ok(names.into_iter().map(str::to_owned).collect())
}
