//! DisassociateKmsKey: the group has no key any more. Not an error if there is no key.

use super::{arn, identify, permit};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let group = identify::encrypted(members, &call.scope)?;
    permit::group(call, "DisassociateKmsKey", &group)?;
    call.services.logs.set_kms_key(&arn::store_scope(&call.scope), &group, None)?;
    Ok(None)
}
