//! UpdatePartition: replaces what is said of a partition, also its values.

use super::{permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::catalog::{PartitionInput, partition, table};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [database, name] = required::texts(members, ["DatabaseName", "TableName"])?;
    let values = required::values(members, "PartitionValueList")?;
    let input: PartitionInput = required::structure(members, "PartitionInput")?;
    permit::table(call, "UpdatePartition", database, name)?;
    call.transact(|cx| partition::update(cx, &table::get(cx, database, name)?, &values, input.clone()))?;
    Ok(Some(json!({})))
}
