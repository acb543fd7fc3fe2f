//! Databases. Source: Glue API, "Databases".

use super::{DatabaseInput, exists, name, not_found, table};
use crate::error::Result;
use crate::state::{Cx, Resource};
use serde::{Deserialize, Serialize};
use weir_types::time::UnixMillis;

/// The database that is always there.
pub const DEFAULT: &str = "default";

/// A database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Database {
    /// Its name.
    id: String,
    pub input: DatabaseInput,
    pub created: UnixMillis,
}

impl Resource for Database {
    const KIND: &'static str = "glue-database";
    const IS_NEWS: bool = false;
    fn id(&self) -> &str {
        &self.id
    }
}

impl Database {
    pub fn name(&self) -> &str {
        &self.id
    }
}

/// Errors: `AlreadyExistsException`, `InvalidInputException`.
pub fn create(cx: Cx<'_>, mut input: DatabaseInput) -> Result<()> {
    let id = name(&input.name)?;
    input.name.clone_from(&id);
    if cx.tx.get::<Database>(cx.scope, &id)?.is_some() {
        return Err(exists("Database already exists."));
    }
    cx.tx.put(cx.scope, &Database { id, input, created: cx.now })
}

/// Errors: `EntityNotFoundException`.
pub fn get(cx: Cx<'_>, given: &str) -> Result<Database> {
    let id = given.to_lowercase();
    if let Some(found) = cx.tx.get(cx.scope, &id)? {
        return Ok(found);
    }
    if id == DEFAULT {
        return Ok(always());
    }
    Err(not_found(format!("Database {id} not found.")))
}

fn always() -> Database {
    let input = DatabaseInput {
        name: DEFAULT.to_owned(),
        description: Some("Default Hive database".to_owned()),
        ..DatabaseInput::default()
    };
    Database { id: DEFAULT.to_owned(), input, created: UnixMillis(0) }
}

/// By name.
pub fn list(cx: Cx<'_>) -> Result<Vec<Database>> {
    let mut found: Vec<Database> = cx.tx.list(cx.scope)?;
    if !found.iter().any(|database| database.id == DEFAULT) {
        found.push(always());
        found.sort_by(|a, b| a.id.cmp(&b.id));
    }
    Ok(found)
}

/// Errors: `EntityNotFoundException`, `InvalidInputException` for another name.
pub fn update(cx: Cx<'_>, given: &str, mut input: DatabaseInput) -> Result<()> {
    let mut database = get(cx, given)?;
    input.name.clone_from(&database.id);
    database.input = input;
    cx.tx.put(cx.scope, &database)
}

/// Removes a database with its tables.
///
/// Errors: `EntityNotFoundException`.
pub fn delete(cx: Cx<'_>, given: &str) -> Result<()> {
    let database = get(cx, given)?;
    for found in table::list(cx, database.name())? {
        table::delete(cx, database.name(), found.name())?;
    }
    cx.tx.delete::<Database>(cx.scope, &database.id)?;
    Ok(())
}
