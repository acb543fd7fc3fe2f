//! DeleteLogGroup: a group goes, with all its streams and events.

use super::{arn, permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let group = required::group_name(members)?;
    permit::group(call, "DeleteLogGroup", group)?;
    call.services.logs.delete_log_group(&arn::store_scope(&call.scope), group)?;
    Ok(None)
}
