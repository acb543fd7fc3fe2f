//! GetTableVersions: the version of a table that is there.

use super::{permit, render, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::catalog::table;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [database, name] = required::texts(members, ["DatabaseName", "TableName"])?;
    permit::table(call, "GetTableVersions", database, name)?;
    let found = call.transact(|cx| table::get(cx, database, name))?;
    let version = json!({ "Table": render::table(call, &found), "VersionId": found.version.to_string() });
    Ok(Some(json!({ "TableVersions": [version] })))
}
