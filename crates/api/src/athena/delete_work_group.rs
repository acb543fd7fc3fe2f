//! DeleteWorkGroup: removes a workgroup; with `RecursiveDeleteOption` also what is in it.

use super::{permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::athena::work_group;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [name] = required::texts(members, ["WorkGroup"])?;
    permit::group(call, "DeleteWorkGroup", name)?;
    let recursive = members.boolean("RecursiveDeleteOption")?.unwrap_or(false);
    call.transact(|cx| work_group::delete(cx, name, recursive || call.services.settings.emulator))?;
    Ok(Some(json!({})))
}
