//! BatchGetPreparedStatement: prepared statements of a workgroup by their names.

use super::{permit, render, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::athena::prepared_statement;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [group] = required::texts(members, ["WorkGroup"])?;
    let names = required::ids(members, "PreparedStatementNames")?;
    permit::group(call, "BatchGetPreparedStatement", group)?;
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for name in names {
        match call.transact(|cx| prepared_statement::get(cx, group, name)) {
            Ok(statement) => found.push(render::prepared_statement(&statement)),
            Err(error) => missing.push(json!({
                "StatementName": name, "ErrorCode": "STATEMENT_NOT_FOUND", "ErrorMessage": error.message,
            })),
        }
    }
    Ok(Some(json!({ "PreparedStatements": found, "UnprocessedPreparedStatementNames": missing })))
}
