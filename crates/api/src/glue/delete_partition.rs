//! DeletePartition: removes a partition; the data stays.

use super::{permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::catalog::{partition, table};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [database, name] = required::texts(members, ["DatabaseName", "TableName"])?;
    let values = required::values(members, "PartitionValues")?;
    permit::table(call, "DeletePartition", database, name)?;
    call.transact(|cx| partition::delete(cx, &table::get(cx, database, name)?, &values))?;
    Ok(Some(json!({})))
}
