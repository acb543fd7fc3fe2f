//! CreatePartition: adds a partition to a table.

use super::{permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::catalog::{PartitionInput, partition, table};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [database, name] = required::texts(members, ["DatabaseName", "TableName"])?;
    let input: PartitionInput = required::structure(members, "PartitionInput")?;
    permit::table(call, "CreatePartition", database, name)?;
    call.transact(|cx| partition::create(cx, &table::get(cx, database, name)?, input.clone()))?;
    Ok(Some(json!({})))
}
