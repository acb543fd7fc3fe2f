//! TagLogGroup: the older form of TagResource, over the same tags.

use super::{arn, permit, required, tags};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    required::check(members, &["logGroupName", "tags"])?;
    let group = required::group_name(members)?;
    let tags = tags::required_map(members, "tags")?;
    permit::tag_log_group(call, "TagLogGroup", group, &tags, &[])?;
    call.services.logs.tag_log_group(&arn::store_scope(&call.scope), group, tags)?;
    Ok(None)
}
