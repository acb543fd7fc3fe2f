//! StopQuery: ends a query that is scheduled or running.

use super::error::invalid;
use super::get_query_results;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let query = get_query_results::find(call, members, "StopQuery")?;
    query
        .stop()
        .map_err(|status| invalid(format!("The query is not running: its status is {}.", status.as_str())))?;
    Ok(Some(json!({ "success": true })))
}
