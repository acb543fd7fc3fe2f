//! BatchGetPartition: up to 1,000 partitions by their values.

use super::{permit, render, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::catalog::{partition, table};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [database, name] = required::texts(members, ["DatabaseName", "TableName"])?;
    permit::table(call, "BatchGetPartition", database, name)?;
    let table = call.transact(|cx| table::get(cx, database, name))?;
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for item in required::list(members, "PartitionsToGet", 1000)? {
        let values = required::item_values(item)?;
        match call.transact(|cx| partition::get(cx, &table, &values)) {
            Ok(partition) => found.push(render::partition(call, &table, &partition)),
            Err(_) => missing.push(json!({ "Values": values })),
        }
    }
    Ok(Some(json!({ "Partitions": found, "UnprocessedKeys": missing })))
}
