//! AssociateKmsKey: the key is kept and shown; nothing is encrypted with it.

use super::{arn, identify, permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [key] = required::texts(members, ["kmsKeyId"])?;
    let group = identify::encrypted(members, &call.scope)?;
    permit::group(call, "AssociateKmsKey", &group)?;
    call.services.logs.set_kms_key(&arn::store_scope(&call.scope), &group, Some(key.to_owned()))?;
    Ok(None)
}
