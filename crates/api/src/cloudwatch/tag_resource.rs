//! TagResource: tags of an alarm.

use super::input::Input;
use super::{alarm_arn, invalid, scope, unwritten};
use crate::call::Call;
use crate::error::ApiError;
use serde_json::{Value, json};
use weir_metrics::alarm::Alarm;

pub fn run(call: &Call<'_>, input: Input<'_>) -> Result<Option<Value>, ApiError> {
    let alarm = tagged(call, &input, "TagResource")?;
    let tags = input.tags()?;
    if alarm.tags.keys().chain(tags.keys()).collect::<std::collections::BTreeSet<_>>().len() > 50 {
        return Err(invalid("An alarm can have at most 50 tags."));
    }
    let alarms = &call.services.metrics.alarms;
    alarms.update(&scope(call), &[alarm.name], |alarm| alarm.tags.extend(tags.clone())).map_err(unwritten)?;
    Ok(Some(json!({})))
}

/// The alarm that `ResourceARN` names, if the caller may do `action` on it.
///
/// Errors: `ResourceNotFoundException`.
pub fn tagged(call: &Call<'_>, input: &Input<'_>, action: &str) -> Result<Alarm, ApiError> {
    let arn = input.required("ResourceARN")?;
    call.authorize(&format!("cloudwatch:{action}"), arn, &[])?;
    let name = arn.split(":alarm:").nth(1).unwrap_or_default();
    let found = call.services.metrics.alarms.get(&scope(call), name);
    found.filter(|_| alarm_arn(call, name) == arn).ok_or_else(|| {
        ApiError::new("ResourceNotFoundException", format!("Resource {arn} does not exist")).with_status(404)
    })
}
