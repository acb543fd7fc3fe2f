//! ListQueryExecutions: ids of the executions of a workgroup in the last 45 days, the newest first.

use super::{page, permit};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;
use weir_control::athena::{execution, work_group};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let asked = members.text("WorkGroup")?;
    let group = asked.unwrap_or(work_group::PRIMARY);
    permit::group(call, "ListQueryExecutions", group)?;
    let found = call.transact(|cx| execution::list(cx, group))?;
    let (shown, next) = page::page(found, members, 50, |execution| &execution.id)?;
    let ids = shown.into_iter().map(|execution| Value::String(execution.id)).collect();
    Ok(Some(page::answer("QueryExecutionIds", ids, next)))
}
