//! ListDeliveryStreams: names, in order, a page at a time.

use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::delivery_stream::DeliveryStream;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    call.authorize("firehose:ListDeliveryStreams", "*", &[])?;
    let limit = members.integer("Limit")?.unwrap_or(10).clamp(1, 10_000);
    let kind = members.text("DeliveryStreamType")?;
    let after = members.text("ExclusiveStartDeliveryStreamName")?;
    let all: Vec<DeliveryStream> = call.transact(|cx| cx.tx.list(cx.scope))?;
    // A name that no stream has is passed over.
    let after = after.filter(|after| all.iter().any(|stream| stream.name == **after));
    let names: Vec<String> = all
        .into_iter()
        .filter(|stream| kind.is_none_or(|kind| stream.kind == kind))
        .map(|stream| stream.name)
        .filter(|name| after.is_none_or(|after| name.as_str() > after))
        .collect();
    let limit = usize::try_from(limit).unwrap_or(10);
    let page = names.get(..limit).unwrap_or(&names);
    Ok(Some(json!({"DeliveryStreamNames": page, "HasMoreDeliveryStreams": names.len() > limit})))
}
