//! BatchDeletePartition: removes up to 25 partitions; says which were not there.

use super::{permit, render, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::catalog::{partition, table};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [database, name] = required::texts(members, ["DatabaseName", "TableName"])?;
    permit::table(call, "BatchDeletePartition", database, name)?;
    let table = call.transact(|cx| table::get(cx, database, name))?;
    let mut errors = Vec::new();
    for item in required::list(members, "PartitionsToDelete", 25)? {
        let values = required::item_values(item)?;
        if let Err(error) = call.transact(|cx| partition::delete(cx, &table, &values)) {
            errors.push(json!({ "PartitionValues": values, "ErrorDetail": render::detail(error)? }));
        }
    }
    Ok(Some(json!({ "Errors": errors })))
}
