//! ListTagsForDeliveryStream: tags in the order in which they were set.

use super::{stream, tags};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let stream = stream::permitted(call, "ListTagsForDeliveryStream", stream::name(members)?)?;
    let limit = usize::try_from(members.integer("Limit")?.unwrap_or(50).clamp(1, 50)).unwrap_or(50);
    let after = members.text("ExclusiveStartTagKey")?;
    // A key that the stream does not have is passed over.
    let start = stream.tags.iter().position(|(key, _)| Some(key.as_str()) == after).map_or(0, |at| at + 1);
    let rest = stream.tags.get(start..).unwrap_or_default();
    let page: Vec<Value> = rest.iter().take(limit).map(tags::shown).collect();
    Ok(Some(json!({"Tags": page, "HasMoreTags": rest.len() > limit})))
}
