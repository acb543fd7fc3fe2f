//! ListTagsForResource: the tags of a workgroup or data catalog.

use super::{required, tags};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [arn] = required::texts(members, ["ResourceARN"])?;
    let id = tags::resource(call, arn)?;
    call.authorize("athena:ListTagsForResource", arn, &[])?;
    let tags = call.transact(|cx| weir_control::tags::of(cx, &id))?;
    let tags: Vec<Value> = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    Ok(Some(json!({ "Tags": tags })))
}
