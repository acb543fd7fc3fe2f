//! Data catalogs that callers name. Only `AwsDataCatalog` holds databases.

use super::invalid;
use crate::error::Result;
use crate::state::{Cx, Resource};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A data catalog. Source: Athena API, `DataCatalog`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataCatalog {
    /// `datacatalog/NAME`, as in its ARN.
    id: String,
    pub kind: String,
    pub description: Option<String>,
    pub parameters: BTreeMap<String, String>,
}

impl Resource for DataCatalog {
    const KIND: &'static str = "athena-data-catalog";
    const IS_NEWS: bool = false;
    fn id(&self) -> &str {
        &self.id
    }
}

impl DataCatalog {
    /// `kind`: `GLUE`, `HIVE`, `LAMBDA` or `FEDERATED`.
    pub fn new(
        name: &str,
        kind: &str,
        description: Option<&str>,
        parameters: BTreeMap<String, String>,
    ) -> Self {
        let description = description.map(str::to_owned);
        Self { id: format!("datacatalog/{name}"), kind: kind.to_owned(), description, parameters }
    }

    pub fn name(&self) -> &str {
        self.id.strip_prefix("datacatalog/").unwrap_or(&self.id)
    }
}

/// Errors: `InvalidRequestException`.
pub fn create(cx: Cx<'_>, catalog: &DataCatalog, tags: &[(String, String)]) -> Result<()> {
    if cx.tx.get::<DataCatalog>(cx.scope, &catalog.id)?.is_some() {
        return Err(invalid("DataCatalog already exists"));
    }
    cx.tx.put(cx.scope, catalog)?;
    crate::tags::set(cx, &catalog.id, tags)
}

pub fn get(cx: Cx<'_>, name: &str) -> Result<Option<DataCatalog>> {
    cx.tx.get(cx.scope, &format!("datacatalog/{name}"))
}

/// By name.
pub fn list(cx: Cx<'_>) -> Result<Vec<DataCatalog>> {
    cx.tx.list(cx.scope)
}

/// Errors: `InvalidRequestException`.
pub fn delete(cx: Cx<'_>, name: &str) -> Result<()> {
    match cx.tx.delete::<DataCatalog>(cx.scope, &format!("datacatalog/{name}"))? {
        true => Ok(()),
        false => Err(invalid(format!("DataCatalog {name} was not found"))),
    }
}
