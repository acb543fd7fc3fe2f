//! GetPreparedStatement: a prepared statement by its name.

use super::{permit, render, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::athena::prepared_statement;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [name, group] = required::texts(members, ["StatementName", "WorkGroup"])?;
    permit::group(call, "GetPreparedStatement", group)?;
    let statement = call.transact(|cx| prepared_statement::get(cx, group, name))?;
    Ok(Some(json!({ "PreparedStatement": render::prepared_statement(&statement) })))
}
