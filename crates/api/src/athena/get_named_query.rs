//! GetNamedQuery: a named query by its id.

use super::{permit, render, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::athena::named_query;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [id] = required::texts(members, ["NamedQueryId"])?;
    let query = call.transact(|cx| named_query::get(cx, id))?;
    permit::group(call, "GetNamedQuery", &query.work_group)?;
    Ok(Some(json!({ "NamedQuery": render::named_query(&query) })))
}
