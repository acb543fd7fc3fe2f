//! GetTable: a table by its name.

use super::{permit, render, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::catalog::table;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [database, name] = required::texts(members, ["DatabaseName", "Name"])?;
    permit::table(call, "GetTable", database, name)?;
    let found = call.transact(|cx| table::get(cx, database, name))?;
    Ok(Some(json!({ "Table": render::table(call, &found) })))
}
