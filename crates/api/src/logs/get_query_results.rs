//! GetQueryResults: rows and state of a query.

use super::error::invalid;
use super::required;
use crate::call::Call;
use crate::error::ApiError;
use crate::insights::Query;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use weir_logs::insights::Rows;
use weir_logs::limits::Constraints;

/// A query that is nearly done is waited for, which spares the next request.
const PATIENCE: Duration = Duration::from_millis(200);
/// The most rows of one answer.
const MOST_ITEMS: usize = 10_000;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let query = find(call, members, "GetQueryResults")?;
    let items = members.integer("maxItems")?;
    Constraints::new().range(items, "maxItems", 0, MOST_ITEMS as i64).finish()?;
    let bad_token = || invalid("The specified nextToken is invalid.");
    let from = match members.text("nextToken")? {
        None => 0,
        Some(token) => token.parse::<usize>().map_err(|_| bad_token())?,
    };
    let (status, rows) = query.wait(PATIENCE);
    if from > rows.rows.len() {
        return Err(bad_token());
    }
    let items = items.and_then(|items| usize::try_from(items).ok()).filter(|items| *items > 0);
    let end = rows.rows.len().min(from + items.unwrap_or(MOST_ITEMS));
    let mut answer = json!({
        "queryLanguage": "CWLI",
        "results": render(&rows, from, end),
        "statistics": {
            "recordsMatched": query.progress.matched() as f64,
            "recordsScanned": query.progress.records() as f64,
            "estimatedRecordsSkipped": 0.0,
            "bytesScanned": query.progress.bytes() as f64,
            "estimatedBytesSkipped": 0.0,
            "logGroupsScanned": query.groups.len() as f64,
        },
        "status": status.as_str(),
    });
    if end < rows.rows.len() {
        answer["nextToken"] = json!(end.to_string());
    }
    Ok(Some(answer))
}

/// The query that `queryId` means, which the caller may see.
pub fn find(call: &Call<'_>, members: Members<'_>, action: &str) -> Result<Arc<Query>, ApiError> {
    let [id] = required::texts(members, ["queryId"])?;
    Constraints::new().length(id, "queryId", 1, 256).finish()?;
    call.authorize(&format!("logs:{action}"), "*", &[])?;
    call.services
        .insights
        .get(&call.scope, id)
        .ok_or_else(|| ApiError::new("ResourceNotFoundException", "The specified query does not exist."))
}

/// A row has the fields that it has a value for.
fn render(rows: &Rows, from: usize, end: usize) -> Value {
    let row = |row: &Vec<Option<String>>| {
        let cells = rows.columns.iter().zip(row);
        cells.filter_map(|(field, value)| Some(json!({ "field": field, "value": value.as_ref()? }))).collect()
    };
    rows.rows.get(from..end).unwrap_or_default().iter().map(row).collect::<Vec<Value>>().into()
}
