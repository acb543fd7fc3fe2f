//! GetWorkGroup: a workgroup with its configuration.

use super::{permit, render, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::athena::work_group;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [name] = required::texts(members, ["WorkGroup"])?;
    permit::group(call, "GetWorkGroup", name)?;
    let group = call.transact(|cx| work_group::get(cx, name))?;
    Ok(Some(json!({ "WorkGroup": render::work_group(&group) })))
}
