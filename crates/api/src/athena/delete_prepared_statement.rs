//! DeletePreparedStatement: removes a prepared statement.

use super::{permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::athena::prepared_statement;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [name, group] = required::texts(members, ["StatementName", "WorkGroup"])?;
    permit::group(call, "DeletePreparedStatement", group)?;
    call.transact(|cx| prepared_statement::delete(cx, group, name))?;
    Ok(Some(json!({})))
}
