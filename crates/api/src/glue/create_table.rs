//! CreateTable: makes a table or view.

use super::{permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::catalog::{TableInput, table};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [database] = required::texts(members, ["DatabaseName"])?;
    let input: TableInput = required::structure(members, "TableInput")?;
    permit::table(call, "CreateTable", database, &input.name)?;
    call.transact(|cx| {
        table::create(cx, database, input.clone())?;
        let made = table::get(cx, database, &input.name)?;
        for index in members.list("PartitionIndexes").ok().flatten().unwrap_or_default() {
            // Partitions are found without indexes.
            tracing::debug!(%index, table = made.name(), "an index of partitions is not kept");
        }
        Ok(())
    })?;
    Ok(Some(json!({})))
}
