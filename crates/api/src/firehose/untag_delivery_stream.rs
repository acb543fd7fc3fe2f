//! UntagDeliveryStream: removes tags.

use super::stream;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::delivery_stream;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let name = stream::name(members)?;
    let keys = members.texts("TagKeys")?.unwrap_or_default();
    stream::permit(call, "UntagDeliveryStream", name)?;
    call.transact(|cx| delivery_stream::untag(cx, name, &keys))?;
    Ok(Some(json!({})))
}
