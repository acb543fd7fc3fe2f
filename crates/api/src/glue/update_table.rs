//! UpdateTable: replaces what is said of a table.

use super::{permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::catalog::{TableInput, table};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [database] = required::texts(members, ["DatabaseName"])?;
    let input: TableInput = required::structure(members, "TableInput")?;
    permit::table(call, "UpdateTable", database, &input.name)?;
    call.transact(|cx| table::update(cx, database, input.clone()))?;
    Ok(Some(json!({})))
}
