//! TagDeliveryStream: sets tags, or replaces those with the same keys.

use super::{stream, tags};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::delivery_stream;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let name = stream::name(members)?;
    let tags = tags::given(members)?;
    let arn = call.arn("firehose", format!("deliverystream/{name}"));
    tags::permit(call, "TagDeliveryStream", &arn, &tags)?;
    call.transact(|cx| delivery_stream::tag(cx, name, &tags))?;
    Ok(Some(json!({})))
}
