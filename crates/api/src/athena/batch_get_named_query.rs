//! BatchGetNamedQuery: up to 50 named queries by their ids.

use super::{permit, render, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::athena::named_query;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let ids = required::ids(members, "NamedQueryIds")?;
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for id in ids {
        match call.transact(|cx| named_query::get(cx, id)) {
            Ok(query) => {
                permit::group(call, "BatchGetNamedQuery", &query.work_group)?;
                found.push(render::named_query(&query));
            }
            Err(error) => missing.push(json!({
                "NamedQueryId": id, "ErrorCode": "INTERNAL_FAILURE", "ErrorMessage": error.message,
            })),
        }
    }
    Ok(Some(json!({ "NamedQueries": found, "UnprocessedNamedQueryIds": missing })))
}
