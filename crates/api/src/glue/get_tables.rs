//! GetTables: the tables of a database whose names match a regular expression.

use super::{names, page, permit, render, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;
use weir_control::catalog::table;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [database] = required::texts(members, ["DatabaseName"])?;
    permit::table(call, "GetTables", database, "*")?;
    let mut found = call.transact(|cx| table::list(cx, database))?;
    if let Some(expression) = members.text("Expression")? {
        let expression = names::regex(expression)?;
        found.retain(|table| expression.is_match(table.name()));
    }
    let (shown, next) = page::page(found, members, 100, |table| table.name())?;
    Ok(Some(page::answer("TableList", shown.iter().map(|table| render::table(call, table)).collect(), next)))
}
