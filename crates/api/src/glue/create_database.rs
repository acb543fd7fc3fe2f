//! CreateDatabase: makes a database.

use super::{permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::catalog::{DatabaseInput, database};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let input: DatabaseInput = required::structure(members, "DatabaseInput")?;
    permit::database(call, "CreateDatabase", &input.name)?;
    call.transact(|cx| database::create(cx, input.clone()))?;
    Ok(Some(json!({})))
}
