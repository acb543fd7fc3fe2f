//! DeleteTable: removes a table with its partitions; the data stays.

use super::{permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::catalog::table;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [database, name] = required::texts(members, ["DatabaseName", "Name"])?;
    permit::table(call, "DeleteTable", database, name)?;
    call.transact(|cx| table::delete(cx, database, name))?;
    Ok(Some(json!({})))
}
