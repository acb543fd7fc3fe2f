//! UntagLogGroup: the older form of UntagResource, over the same tags.

use super::{arn, permit, required, tags};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;
use std::collections::BTreeMap;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    required::check(members, &["logGroupName", "tags"])?;
    let group = required::group_name(members)?;
    let keys = tags::required_keys(members, "tags", 1)?;
    permit::tag_log_group(call, "UntagLogGroup", group, &BTreeMap::new(), &keys)?;
    call.services.logs.untag_log_group(&arn::store_scope(&call.scope), group, keys)?;
    Ok(None)
}
