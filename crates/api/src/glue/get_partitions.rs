//! GetPartitions: the partitions of a table that an expression allows.

use super::{expression, page, permit, render, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;
use weir_control::Resource as _;
use weir_control::catalog::{partition, table};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [database, name] = required::texts(members, ["DatabaseName", "TableName"])?;
    permit::table(call, "GetPartitions", database, name)?;
    let (table, mut found) = call.transact(|cx| {
        let table = table::get(cx, database, name)?;
        let found = partition::list(cx, &table)?;
        Ok((table, found))
    })?;
    if let Some(text) = members.text("Expression")?.filter(|text| !text.trim().is_empty()) {
        let wanted = expression::Expression::parse(text, table.input.keys())?;
        found.retain(|partition| wanted.allows(&partition.input.values));
    }
    if let Some(segment) = members.object("Segment")? {
        let number = segment.integer("SegmentNumber")?.unwrap_or(0);
        let total = segment.integer("TotalSegments")?.unwrap_or(1).max(1);
        let mut place = -1;
        found.retain(|_| {
            place += 1;
            place % total == number
        });
    }
    let (shown, next) = page::page(found, members, 1000, |partition| partition.id())?;
    let shown = shown.iter().map(|found| render::partition(call, &table, found)).collect();
    Ok(Some(page::answer("Partitions", shown, next)))
}
