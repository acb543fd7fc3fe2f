//! GetQueryExecution: state, statistics and place of the result of an execution.

use super::{permit, render, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::athena::execution;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [id] = required::texts(members, ["QueryExecutionId"])?;
    let execution = call.transact(|cx| execution::get(cx, id))?;
    permit::group(call, "GetQueryExecution", &execution.work_group)?;
    Ok(Some(json!({ "QueryExecution": render::execution(&execution) })))
}
