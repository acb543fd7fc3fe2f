//! SetAlarmState: for tests of actions; it lasts until the next evaluation.

use super::describe_alarms::read_state;
use super::input::Input;
use super::{alarm_arn, scope, unwritten};
use crate::call::Call;
use crate::error::ApiError;
use serde_json::Value;

pub fn run(call: &Call<'_>, input: Input<'_>) -> Result<Option<Value>, ApiError> {
    let name = input.required("AlarmName")?;
    call.authorize("cloudwatch:SetAlarmState", &alarm_arn(call, name), &[])?;
    let state = read_state(input.required("StateValue")?)?;
    let reason = input.sized("StateReason", 1023)?.ok_or_else(|| input.missing("StateReason"))?;
    let data = input.sized("StateReasonData", 4000)?;
    if let Some(text) = data
        && serde_json::from_str::<Value>(text).is_err()
    {
        return Err(ApiError::new("InvalidFormat", "StateReasonData was not valid JSON"));
    }
    let set = (state, reason.to_owned(), data.map(str::to_owned));
    let found = call.services.metrics.alarms.set_state(&scope(call), name, set, call.now);
    match found.map_err(unwritten)? {
        true => Ok(None),
        false => {
            Err(ApiError::new("ResourceNotFound", format!("Alarm {name} does not exist")).with_status(404))
        }
    }
}
