//! StopDeliveryStreamEncryption: kept and shown.

use super::stream;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::delivery_stream;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let name = stream::name(members)?;
    stream::permit(call, "StopDeliveryStreamEncryption", name)?;
    call.transact(|cx| delivery_stream::encrypt(cx, name, Some(json!({"Status": "DISABLED"}))))?;
    Ok(Some(json!({})))
}
