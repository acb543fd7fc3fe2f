//! Partitions. Source: Glue API, "Partitions".

use super::{PartitionInput, Table, exists, id, not_found};
use crate::error::{ControlError, Result};
use crate::state::{Cx, Resource};
use serde::{Deserialize, Serialize};
use weir_types::time::UnixMillis;

/// A part of a table, by the values of its keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Partition {
    /// Of database, table and values.
    id: String,
    /// The table's id.
    table: String,
    pub input: PartitionInput,
    pub created: UnixMillis,
}

impl Resource for Partition {
    const KIND: &'static str = "glue-partition";
    const IS_NEWS: bool = false;
    fn id(&self) -> &str {
        &self.id
    }
    fn parent(&self) -> Option<&str> {
        Some(&self.table)
    }
}

fn id_of(table: &Table, values: &[String]) -> String {
    let mut parts = vec![table.database.as_str(), table.name()];
    parts.extend(values.iter().map(String::as_str));
    id(&parts)
}

fn check(table: &Table, values: &[String]) -> Result<()> {
    if values.len() == table.input.keys().len() && !values.is_empty() {
        return Ok(());
    }
    let message = format!(
        "The number of partition keys do not match the number of partition values: {} keys, {} values",
        table.input.keys().len(),
        values.len()
    );
    Err(ControlError::fault("InvalidInputException", message))
}

/// Errors: `AlreadyExistsException`, `InvalidInputException`.
pub fn create(cx: Cx<'_>, table: &Table, input: PartitionInput) -> Result<()> {
    check(table, &input.values)?;
    let id = id_of(table, &input.values);
    if cx.tx.get::<Partition>(cx.scope, &id)?.is_some() {
        return Err(exists("Partition already exists."));
    }
    cx.tx.put(cx.scope, &Partition { id, table: table.id().to_owned(), input, created: cx.now })
}

/// Errors: `EntityNotFoundException`.
pub fn get(cx: Cx<'_>, table: &Table, values: &[String]) -> Result<Partition> {
    let found = cx.tx.get(cx.scope, &id_of(table, values))?;
    found.ok_or_else(|| not_found("Cannot find partition."))
}

/// Of a table, by values.
pub fn list(cx: Cx<'_>, table: &Table) -> Result<Vec<Partition>> {
    cx.tx.list_in(cx.scope, table.id())
}

/// Replaces what is said of a partition; it may get other values.
///
/// Errors: `EntityNotFoundException`, `AlreadyExistsException`, `InvalidInputException`.
pub fn update(cx: Cx<'_>, table: &Table, values: &[String], input: PartitionInput) -> Result<()> {
    let old = get(cx, table, values)?;
    check(table, &input.values)?;
    if input.values != values {
        cx.tx.delete::<Partition>(cx.scope, &old.id)?;
        return create(cx, table, input);
    }
    cx.tx.put(cx.scope, &Partition { input, ..old })
}

/// Errors: `EntityNotFoundException`.
pub fn delete(cx: Cx<'_>, table: &Table, values: &[String]) -> Result<()> {
    let old = get(cx, table, values)?;
    cx.tx.delete::<Partition>(cx.scope, &old.id)?;
    Ok(())
}
