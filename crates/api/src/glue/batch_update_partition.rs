//! BatchUpdatePartition: replaces what is said of up to 100 partitions.

use super::{permit, render, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::catalog::{PartitionInput, partition, table};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [database, name] = required::texts(members, ["DatabaseName", "TableName"])?;
    permit::table(call, "BatchUpdatePartition", database, name)?;
    let table = call.transact(|cx| table::get(cx, database, name))?;
    let mut errors = Vec::new();
    for item in required::list(members, "Entries", 100)? {
        let entry: Entry = required::read(item, "Entries")?;
        let (values, input) = (&entry.partition_value_list, &entry.partition_input);
        if let Err(error) = call.transact(|cx| partition::update(cx, &table, values, input.clone())) {
            errors.push(json!({ "PartitionValueList": values, "ErrorDetail": render::detail(error)? }));
        }
    }
    Ok(Some(json!({ "Errors": errors })))
}

/// One change. Source: Glue API, `BatchUpdatePartitionRequestEntry`.
#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    partition_value_list: Vec<String>,
    partition_input: PartitionInput,
}
