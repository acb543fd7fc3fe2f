//! TagResource: adds tags to a group, and replaces values of keys that are there.

use super::{arn, identify, permit, required, tags};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    required::check(members, &["resourceArn", "tags"])?;
    let group = identify::tagged(members, &call.scope)?;
    let tags = tags::required_map(members, "tags")?;
    permit::tag_resource(call, "TagResource", &group, &tags, &[])?;
    call.services.logs.tag_log_group(&arn::store_scope(&call.scope), &group, tags)?;
    Ok(None)
}
