//! PutIndexPolicy: which fields of a group are to be indexed. The policy is
//! kept and shown.

use super::index_policy::render;
use super::{arn, identify, permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [identifier, document] = required::texts(members, ["logGroupIdentifier", "policyDocument"])?;
    let group = identify::identified(identifier, &call.scope)?;
    permit::group(call, "PutIndexPolicy", &group)?;
    let scope = arn::store_scope(&call.scope);
    let policy = call.services.logs.put_index_policy(&scope, &group, document, call.now)?;
    Ok(Some(json!({ "indexPolicy": render(call, &policy) })))
}
