//! DeleteDeliveryStream: the stream, and the records that it still has.

use super::stream;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::delivery_stream;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let name = stream::name(members)?;
    stream::permit(call, "DeleteDeliveryStream", name)?;
    let gone = call.transact(|cx| delivery_stream::delete(cx, name))?;
    if let Some(intake) = call.services.intake.get() {
        intake.forget(&gone.key);
    }
    Ok(Some(json!({})))
}
