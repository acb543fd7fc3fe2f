//! UntagResource: removes tags of a group. Keys that are not there do not matter.

use super::{arn, identify, permit, required, tags};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;
use std::collections::BTreeMap;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    required::check(members, &["resourceArn", "tagKeys"])?;
    let group = identify::tagged(members, &call.scope)?;
    let keys = tags::required_keys(members, "tagKeys", 0)?;
    permit::tag_resource(call, "UntagResource", &group, &BTreeMap::new(), &keys)?;
    call.services.logs.untag_log_group(&arn::store_scope(&call.scope), &group, keys)?;
    Ok(None)
}
