//! Named queries. Source: Athena API, `CreateNamedQuery`.

use super::{invalid, work_group};
use crate::error::Result;
use crate::state::{Cx, Resource};
use serde::{Deserialize, Serialize};

/// A query that is kept under a name, which need not be its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedQuery {
    /// A UUID.
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    pub database: String,
    pub query: String,
    pub work_group: String,
    pub client_token: Option<String>,
}

impl Resource for NamedQuery {
    const KIND: &'static str = "athena-named-query";
    const IS_NEWS: bool = false;
    fn id(&self) -> &str {
        &self.id
    }
    fn parent(&self) -> Option<&str> {
        Some(&self.work_group)
    }
}

/// Keeps a query; its id. A token that was used gives the id of then.
///
/// Errors: `InvalidRequestException`.
pub fn create(cx: Cx<'_>, query: NamedQuery) -> Result<String> {
    work_group::get(cx, &query.work_group)?;
    if query.client_token.is_some() {
        let there: Vec<NamedQuery> = cx.tx.list_in(cx.scope, &query.work_group)?;
        if let Some(old) = there.into_iter().find(|old| old.client_token == query.client_token) {
            return match (&old.name, &old.database, &old.query)
                == (&query.name, &query.database, &query.query)
            {
                true => Ok(old.id),
                false => Err(super::execution::mismatch()),
            };
        }
    }
    let id = super::uuid()?;
    cx.tx.put(cx.scope, &NamedQuery { id: id.clone(), ..query })?;
    Ok(id)
}

/// Errors: `InvalidRequestException`.
pub fn get(cx: Cx<'_>, id: &str) -> Result<NamedQuery> {
    cx.tx.get(cx.scope, id)?.ok_or_else(|| invalid(format!("NamedQuery {id} was not found")))
}

/// Those of a workgroup.
///
/// Errors: `InvalidRequestException`.
pub fn list(cx: Cx<'_>, work_group: &str) -> Result<Vec<NamedQuery>> {
    work_group::get(cx, work_group)?;
    cx.tx.list_in(cx.scope, work_group)
}

/// Errors: `InvalidRequestException`.
pub fn update(cx: Cx<'_>, id: &str, name: &str, description: Option<&str>, query: &str) -> Result<()> {
    let mut found = get(cx, id)?;
    found.name = name.to_owned();
    found.query = query.to_owned();
    if let Some(description) = description {
        found.description = Some(description.to_owned());
    }
    cx.tx.put(cx.scope, &found)
}

/// Errors: `InvalidRequestException`.
pub fn delete(cx: Cx<'_>, id: &str) -> Result<()> {
    get(cx, id)?;
    cx.tx.delete::<NamedQuery>(cx.scope, id)?;
    Ok(())
}
