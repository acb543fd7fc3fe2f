//! DeleteIndexPolicy: that of a group.

use super::{arn, identify, permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [identifier] = required::texts(members, ["logGroupIdentifier"])?;
    let group = identify::identified(identifier, &call.scope)?;
    permit::group(call, "DeleteIndexPolicy", &group)?;
    call.services.logs.delete_index_policy(&arn::store_scope(&call.scope), &group)?;
    Ok(Some(json!({})))
}
