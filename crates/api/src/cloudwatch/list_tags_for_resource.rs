//! ListTagsForResource: the tags of an alarm.

use super::input::Input;
use super::tag_resource::tagged;
use crate::call::Call;
use crate::error::ApiError;
use serde_json::{Value, json};

pub fn run(call: &Call<'_>, input: Input<'_>) -> Result<Option<Value>, ApiError> {
    let alarm = tagged(call, &input, "ListTagsForResource")?;
    let tags: Vec<Value> =
        alarm.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    Ok(Some(json!({ "Tags": tags })))
}
