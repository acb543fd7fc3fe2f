//! DeleteDataCatalog: removes a registered data catalog.

use super::{permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::athena::data_catalog;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [name] = required::texts(members, ["Name"])?;
    permit::catalog(call, "DeleteDataCatalog", name)?;
    call.transact(|cx| data_catalog::delete(cx, name))?;
    Ok(Some(json!({})))
}
