//! DescribeExportTasks: one, or all with a status, newest first.

use super::{arn, permit};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_logs::ExportTask;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    permit::all_groups(call, "DescribeExportTasks")?;
    let found = call.services.logs.describe_export_tasks(
        &arn::store_scope(&call.scope),
        members.text("taskId")?,
        members.text("statusCode")?,
        members.integer("limit")?,
        members.text("nextToken")?,
    )?;
    let shown: Vec<Value> = found.export_tasks.iter().map(render).collect();
    let mut answer = json!({ "exportTasks": shown });
    if let Some(token) = found.next_token {
        answer["nextToken"] = json!(token);
    }
    Ok(Some(answer))
}

fn render(task: &ExportTask) -> Value {
    let mut shown = json!({
        "taskId": task.id,
        "logGroupName": task.group,
        "from": task.from,
        "to": task.to,
        "destination": task.destination,
        "destinationPrefix": task.destination_prefix,
        "status": { "code": task.status.name(), "message": task.message },
        "executionInfo": { "creationTime": task.created },
    });
    if let Some(name) = &task.name {
        shown["taskName"] = json!(name);
    }
    if let Some(completed) = task.completed {
        shown["executionInfo"]["completionTime"] = json!(completed);
    }
    shown
}
