//! GetDatabase: a database by its name.

use super::{permit, render, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::catalog::database;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [name] = required::texts(members, ["Name"])?;
    permit::database(call, "GetDatabase", name)?;
    let found = call.transact(|cx| database::get(cx, name))?;
    Ok(Some(json!({ "Database": render::database(call, &found) })))
}
