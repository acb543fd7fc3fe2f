//! DetachInterface: undoes AttachInterface.

use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;
use weir_control::attachment;
use weir_types::id::EniId;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let text = members.text("Interface")?.ok_or_else(|| ApiError::missing_parameter("Interface"))?;
    let id: EniId = text.parse().map_err(|e| ApiError::new("InvalidParameterValue", format!("{e}")))?;
    call.authorize("weir:DetachInterface", &call.arn("ec2", format!("network-interface/{id}")), &[])?;
    if !call.transact(|cx| attachment::delete(cx, &id))? {
        let message = format!("The network interface '{id}' is not attached");
        return Err(ApiError::new("InvalidAttachment.NotFound", message));
    }
    Ok(None)
}
