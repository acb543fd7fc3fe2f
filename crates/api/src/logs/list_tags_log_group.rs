//! ListTagsLogGroup: the older form of ListTagsForResource.

use super::{arn, permit, required, tags};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let group = required::group_name(members)?;
    permit::group(call, "ListTagsLogGroup", group)?;
    let found = call.services.logs.log_group_tags(&arn::store_scope(&call.scope), group)?;
    Ok(Some(tags::render(&found)))
}
