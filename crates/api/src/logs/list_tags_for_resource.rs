//! ListTagsForResource: the tags of a group, by its ARN.

use super::{arn, identify, permit, tags};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;
use std::collections::BTreeMap;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let group = identify::tagged(members, &call.scope)?;
    permit::tag_resource(call, "ListTagsForResource", &group, &BTreeMap::new(), &[])?;
    let found = call.services.logs.log_group_tags(&arn::store_scope(&call.scope), &group)?;
    Ok(Some(tags::render(&found)))
}
