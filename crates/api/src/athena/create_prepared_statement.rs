//! CreatePreparedStatement: keeps a query with parameters in a workgroup.

use super::{permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::athena::prepared_statement;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [name, group, query] = required::texts(members, ["StatementName", "WorkGroup", "QueryStatement"])?;
    permit::group(call, "CreatePreparedStatement", group)?;
    let description = members.text("Description")?;
    call.transact(|cx| prepared_statement::put(cx, group, name, query, description, false))?;
    Ok(Some(json!({})))
}
