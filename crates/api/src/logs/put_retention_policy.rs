//! PutRetentionPolicy: after how many days events expire.

use super::{arn, permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    required::check(members, &["logGroupName", "retentionInDays"])?;
    let group = required::group_name(members)?;
    let days = members.integer("retentionInDays")?.unwrap_or_default();
    permit::group(call, "PutRetentionPolicy", group)?;
    call.services.logs.put_retention_policy(&arn::store_scope(&call.scope), group, days)?;
    Ok(None)
}
