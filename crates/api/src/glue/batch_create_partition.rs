//! BatchCreatePartition: adds up to 100 partitions; says which could not be.

use super::{permit, render, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::catalog::{PartitionInput, partition, table};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [database, name] = required::texts(members, ["DatabaseName", "TableName"])?;
    permit::table(call, "BatchCreatePartition", database, name)?;
    let table = call.transact(|cx| table::get(cx, database, name))?;
    let mut errors = Vec::new();
    for item in required::list(members, "PartitionInputList", 100)? {
        let input: PartitionInput = required::read(item, "PartitionInputList")?;
        if let Err(error) = call.transact(|cx| partition::create(cx, &table, input.clone())) {
            errors.push(json!({ "PartitionValues": input.values, "ErrorDetail": render::detail(error)? }));
        }
    }
    Ok(Some(json!({ "Errors": errors })))
}
