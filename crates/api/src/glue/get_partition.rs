//! GetPartition: a partition by its values.

use super::{permit, render, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::catalog::{partition, table};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [database, name] = required::texts(members, ["DatabaseName", "TableName"])?;
    let values = required::values(members, "PartitionValues")?;
    permit::table(call, "GetPartition", database, name)?;
    let (table, found) = call.transact(|cx| {
        let table = table::get(cx, database, name)?;
        let found = partition::get(cx, &table, &values)?;
        Ok((table, found))
    })?;
    Ok(Some(json!({ "Partition": render::partition(call, &table, &found) })))
}
