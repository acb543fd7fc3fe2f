//! BatchGetQueryExecution: up to 50 query executions by their ids.

use super::{permit, render, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::athena::execution;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let ids = required::ids(members, "QueryExecutionIds")?;
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for id in ids {
        match call.transact(|cx| execution::get(cx, id)) {
            Ok(execution) => {
                permit::group(call, "BatchGetQueryExecution", &execution.work_group)?;
                found.push(render::execution(&execution));
            }
            Err(error) => missing.push(json!({
                "QueryExecutionId": id, "ErrorCode": "QUERY_EXECUTION_NOT_FOUND", "ErrorMessage": error.message,
            })),
        }
    }
    Ok(Some(json!({ "QueryExecutions": found, "UnprocessedQueryExecutionIds": missing })))
}
