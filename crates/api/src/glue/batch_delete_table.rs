//! BatchDeleteTable: removes up to 100 tables; says which were not there.

use super::{permit, render, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::catalog::table;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [database] = required::texts(members, ["DatabaseName"])?;
    let mut errors = Vec::new();
    for name in required::list(members, "TablesToDelete", 100)? {
        let name = name.as_str().unwrap_or_default();
        permit::table(call, "BatchDeleteTable", database, name)?;
        if let Err(error) = call.transact(|cx| table::delete(cx, database, name)) {
            errors.push(json!({ "TableName": name, "ErrorDetail": render::detail(error)? }));
        }
    }
    Ok(Some(json!({ "Errors": errors })))
}
