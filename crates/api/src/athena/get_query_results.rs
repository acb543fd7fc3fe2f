//! GetQueryResults: rows of a result, read from its file in S3: the caller must be allowed to read it.

use super::{csv, engine, permit, render, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::athena::{State, execution};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [id] = required::texts(members, ["QueryExecutionId"])?;
    let execution = call.transact(|cx| execution::get(cx, id))?;
    permit::group(call, "GetQueryResults", &execution.work_group)?;
    let state =
        |message: String| ApiError::new("InvalidRequestException:INVALID_QUERY_EXECUTION_STATE", message);
    match execution.state {
        State::Queued | State::Running => {
            let now = execution.state.as_str();
            return Err(state(format!("Query has not yet finished. Current state: {now}")));
        }
        State::Failed | State::Cancelled => {
            let end = execution.state.as_str();
            return Err(state(format!("Query did not finish successfully. Final query state: {end}")));
        }
        State::Succeeded => {}
    }
    let max = members.integer("MaxResults")?.unwrap_or(ROWS);
    if !(1..=ROWS).contains(&max) {
        return Err(required::invalid(format!("MaxResults must be between 1 and {ROWS}")));
    }
    let from = match members.text("NextToken")? {
        None => 0,
        Some(token) => {
            token.parse().map_err(|_| required::invalid("The NextToken is not one of this query"))?
        }
    };
    let columns: Vec<Value> = execution.columns.iter().map(render::column_info).collect();
    let mut next = None;
    let mut rows = Vec::new();
    if execution.has_header() || execution.output_location.ends_with(".txt") {
        let file = engine::open_result(call, &execution)?;
        let page = csv::read(file, from, max as usize, execution.has_header());
        let (read, rest) = page.map_err(ApiError::internal)?;
        next = rest;
        rows = read;
    }
    let rows: Vec<Value> = rows
        .into_iter()
        .map(|row| {
            let data = row.into_iter().map(|value| value.map_or(json!({}), |v| json!({ "VarCharValue": v })));
            json!({ "Data": data.collect::<Vec<_>>() })
        })
        .collect();
    let mut answer = json!({
        "ResultSet": { "Rows": rows, "ResultSetMetadata": { "ColumnInfo": columns } },
    });
    if let Some(count) = execution.update_count {
        answer["UpdateCount"] = json!(count);
    }
    if let Some(next) = next {
        answer["NextToken"] = json!(next.to_string());
    }
    Ok(Some(answer))
}

/// Rows in one answer, the line of names among them.
const ROWS: i64 = 1000;
