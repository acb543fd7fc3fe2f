//! EnableAlarmActions: names without an alarm do not matter.

use super::delete_alarms::names;
use super::input::Input;
use super::{scope, unwritten};
use crate::call::Call;
use crate::error::ApiError;
use serde_json::Value;

pub fn run(call: &Call<'_>, input: Input<'_>) -> Result<Option<Value>, ApiError> {
    let names = names(call, &input, "EnableAlarmActions")?;
    let alarms = &call.services.metrics.alarms;
    alarms.update(&scope(call), &names, |alarm| alarm.actions_enabled = true).map_err(unwritten)?;
    Ok(None)
}
