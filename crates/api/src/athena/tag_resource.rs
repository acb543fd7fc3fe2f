//! TagResource: sets tags of a workgroup or data catalog.

use super::{required, tags};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [arn] = required::texts(members, ["ResourceARN"])?;
    let id = tags::resource(call, arn)?;
    let tags = tags::read(members)?;
    call.authorize("athena:TagResource", arn, &[])?;
    call.transact(|cx| weir_control::tags::set(cx, &id, &tags))?;
    Ok(Some(json!({})))
}
