//! GetDatabase: a database of a data catalog.

use super::{permit, render, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::catalog::database;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [catalog, name] = required::texts(members, ["CatalogName", "DatabaseName"])?;
    permit::catalog(call, "GetDatabase", catalog)?;
    permit::glue(call, "GetDatabase", name, None)?;
    let found = permit::metadata(call.transact(|cx| database::get(cx, name)))?;
    Ok(Some(json!({ "Database": render::database(&found) })))
}
