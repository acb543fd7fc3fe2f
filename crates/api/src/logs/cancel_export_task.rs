//! CancelExportTask: stops a task that is not done. What it has written stays.

use super::{arn, permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [id] = required::texts(members, ["taskId"])?;
    permit::all_groups(call, "CancelExportTask")?;
    call.services.logs.cancel_export_task(&arn::store_scope(&call.scope), id)?;
    Ok(None)
}
