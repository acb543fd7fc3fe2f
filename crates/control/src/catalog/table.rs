//! Tables and views. Source: Glue API, "Tables".

use super::{Partition, TableInput, database, exists, id, name, not_found, partition};
use crate::error::Result;
use crate::state::{Cx, Resource};
use serde::{Deserialize, Serialize};
use weir_types::time::UnixMillis;

/// A table or view.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Of the database and the name.
    id: String,
    pub database: String,
    pub input: TableInput,
    pub created: UnixMillis,
    pub updated: UnixMillis,
    /// From 0, one more with each change.
    pub version: u64,
}

impl Resource for Table {
    const KIND: &'static str = "glue-table";
    const IS_NEWS: bool = false;
    fn id(&self) -> &str {
        &self.id
    }
    fn parent(&self) -> Option<&str> {
        Some(&self.database)
    }
}

impl Table {
    pub fn name(&self) -> &str {
        &self.input.name
    }
}

/// Names of columns are kept in lower case.
fn normalized(mut input: TableInput) -> Result<TableInput> {
    input.name = name(&input.name)?;
    let data = input.storage_descriptor.iter_mut().filter_map(|storage| storage.columns.as_mut());
    for column in data.chain(input.partition_keys.as_mut()).flatten() {
        column.name = name(&column.name)?;
    }
    Ok(input)
}

/// Errors: `EntityNotFoundException` for the database, `AlreadyExistsException`,
/// `InvalidInputException`.
pub fn create(cx: Cx<'_>, database: &str, input: TableInput) -> Result<()> {
    let database = database::get(cx, database)?.name().to_owned();
    let input = normalized(input)?;
    let id = id(&[&database, &input.name]);
    if cx.tx.get::<Table>(cx.scope, &id)?.is_some() {
        return Err(exists("Table already exists."));
    }
    cx.tx.put(cx.scope, &Table { id, database, input, created: cx.now, updated: cx.now, version: 0 })
}

/// Errors: `EntityNotFoundException`.
pub fn get(cx: Cx<'_>, database: &str, table: &str) -> Result<Table> {
    let database = database::get(cx, database)?;
    let found = cx.tx.get(cx.scope, &id(&[database.name(), &table.to_lowercase()]))?;
    found.ok_or_else(|| not_found(format!("Entity Not Found: table {}.{table}", database.name())))
}

/// Of a database, by name.
///
/// Errors: `EntityNotFoundException`.
pub fn list(cx: Cx<'_>, database: &str) -> Result<Vec<Table>> {
    cx.tx.list_in(cx.scope, database::get(cx, database)?.name())
}

/// Replaces what is said of a table; its name and database stay.
///
/// Errors: `EntityNotFoundException`, `InvalidInputException`.
pub fn update(cx: Cx<'_>, database: &str, input: TableInput) -> Result<()> {
    let mut table = get(cx, database, &input.name)?;
    table.input = normalized(input)?;
    table.updated = cx.now;
    table.version += 1;
    cx.tx.put(cx.scope, &table)
}

/// Removes a table with its partitions. The data stays.
///
/// Errors: `EntityNotFoundException`.
pub fn delete(cx: Cx<'_>, database: &str, given: &str) -> Result<()> {
    let table = get(cx, database, given)?;
    for found in partition::list(cx, &table)? {
        cx.tx.delete::<Partition>(cx.scope, found.id())?;
    }
    cx.tx.delete::<Table>(cx.scope, &table.id)?;
    Ok(())
}
