//! DeleteDatabase: removes a database with its tables.

use super::{permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::catalog::database;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [name] = required::texts(members, ["Name"])?;
    permit::database(call, "DeleteDatabase", name)?;
    call.transact(|cx| database::delete(cx, name))?;
    Ok(Some(json!({})))
}
