//! ListPreparedStatements: names of the prepared statements of a workgroup.

use super::{page, permit, render, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::athena::prepared_statement;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [group] = required::texts(members, ["WorkGroup"])?;
    permit::group(call, "ListPreparedStatements", group)?;
    let found = call.transact(|cx| prepared_statement::list(cx, group))?;
    let (shown, next) = page::page(found, members, 50, |statement| statement.name())?;
    let shown = shown.iter().map(|statement| {
        json!({ "StatementName": statement.name(), "LastModifiedTime": render::seconds(statement.modified) })
    });
    Ok(Some(page::answer("PreparedStatements", shown.collect(), next)))
}
