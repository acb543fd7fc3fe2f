//! PutLogGroupDeletionProtection: whether DeleteLogGroup is refused.

use super::{arn, identify, permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    required::check(members, &["logGroupIdentifier", "deletionProtectionEnabled"])?;
    let [identifier] = required::texts(members, ["logGroupIdentifier"])?;
    let group = identify::identified(identifier, &call.scope)?;
    let on = required::boolean(members, "deletionProtectionEnabled")?;
    permit::group(call, "PutLogGroupDeletionProtection", &group)?;
    call.services.logs.set_deletion_protection(&arn::store_scope(&call.scope), &group, on)?;
    Ok(None)
}
