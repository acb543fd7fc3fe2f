//! Prepared statements. Source: Athena API, `CreatePreparedStatement`.

use super::{invalid, work_group};
use crate::error::{ControlError, Result};
use crate::state::{Cx, Resource};
use serde::{Deserialize, Serialize};
use weir_types::time::UnixMillis;

/// A query with `?` in it, by its name in a workgroup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreparedStatement {
    /// `WORKGROUP/NAME`
    id: String,
    pub work_group: String,
    pub query: String,
    pub description: Option<String>,
    pub modified: UnixMillis,
}

impl Resource for PreparedStatement {
    const KIND: &'static str = "athena-prepared-statement";
    const IS_NEWS: bool = false;
    fn id(&self) -> &str {
        &self.id
    }
    fn parent(&self) -> Option<&str> {
        Some(&self.work_group)
    }
}

impl PreparedStatement {
    pub fn name(&self) -> &str {
        self.id.split_once('/').map_or("", |(_, name)| name)
    }
}

fn id(group: &str, name: &str) -> String {
    format!("{group}/{name}")
}

/// `replace`: of one that is there; otherwise there must be none.
///
/// Errors: `InvalidRequestException`, `ResourceNotFoundException`.
pub fn put(
    cx: Cx<'_>,
    group: &str,
    name: &str,
    query: &str,
    description: Option<&str>,
    replace: bool,
) -> Result<()> {
    work_group::get(cx, group)?;
    let there = cx.tx.get::<PreparedStatement>(cx.scope, &id(group, name))?;
    match (&there, replace) {
        (Some(_), false) => {
            return Err(invalid(format!("PreparedStatement {name} already exists in WorkGroup {group}")));
        }
        (None, true) => return Err(missing(group, name)),
        _ => {}
    }
    let statement = PreparedStatement {
        id: id(group, name),
        work_group: group.to_owned(),
        query: query.to_owned(),
        description: description.map(str::to_owned).or(there.and_then(|old| old.description)),
        modified: cx.now,
    };
    cx.tx.put(cx.scope, &statement)
}

fn missing(group: &str, name: &str) -> ControlError {
    let message = format!("PreparedStatement {name} was not found in workGroup {group}");
    ControlError::fault("ResourceNotFoundException", message)
}

/// Errors: `ResourceNotFoundException`.
pub fn get(cx: Cx<'_>, group: &str, name: &str) -> Result<PreparedStatement> {
    cx.tx.get(cx.scope, &id(group, name))?.ok_or_else(|| missing(group, name))
}

/// Those of a workgroup, by name.
///
/// Errors: `InvalidRequestException`.
pub fn list(cx: Cx<'_>, group: &str) -> Result<Vec<PreparedStatement>> {
    work_group::get(cx, group)?;
    cx.tx.list_in(cx.scope, group)
}

/// Errors: `ResourceNotFoundException`.
pub fn delete(cx: Cx<'_>, group: &str, name: &str) -> Result<()> {
    match cx.tx.delete::<PreparedStatement>(cx.scope, &id(group, name))? {
        true => Ok(()),
        false => Err(missing(group, name)),
    }
}
