//! UntagResource: keys that are not there do not matter.

use super::input::Input;
use super::tag_resource::tagged;
use super::{scope, unwritten};
use crate::call::Call;
use crate::error::ApiError;
use serde_json::{Value, json};

pub fn run(call: &Call<'_>, input: Input<'_>) -> Result<Option<Value>, ApiError> {
    let alarm = tagged(call, &input, "UntagResource")?;
    let keys = input.texts("TagKeys")?;
    let alarms = &call.services.metrics.alarms;
    let drop = |alarm: &mut weir_metrics::alarm::Alarm| {
        alarm.tags.retain(|key, _| !keys.contains(&key.as_str()));
    };
    alarms.update(&scope(call), &[alarm.name], drop).map_err(unwritten)?;
    Ok(Some(json!({})))
}
