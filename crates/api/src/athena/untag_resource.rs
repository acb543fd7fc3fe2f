//! UntagResource: removes tags of a workgroup or data catalog.

use super::{required, tags};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [arn] = required::texts(members, ["ResourceARN"])?;
    let id = tags::resource(call, arn)?;
    let keys = members.texts("TagKeys")?.unwrap_or_default();
    let keys: Vec<(String, Option<String>)> = keys.into_iter().map(|key| (key.to_owned(), None)).collect();
    call.authorize("athena:UntagResource", arn, &[])?;
    call.transact(|cx| weir_control::tags::remove(cx, &id, &keys))?;
    Ok(Some(json!({})))
}
