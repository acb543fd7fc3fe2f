//! StopQueryExecution: stops an execution; one that has ended stays as it is.

use super::{permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::athena::execution;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [id] = required::texts(members, ["QueryExecutionId"])?;
    let execution = call.transact(|cx| execution::get(cx, id))?;
    permit::group(call, "StopQueryExecution", &execution.work_group)?;
    if call.transact(|cx| execution::stop(cx, id))?
        && let Some(engine) = call.services.queries.get()
    {
        engine.cancel(id);
    }
    Ok(Some(json!({})))
}
