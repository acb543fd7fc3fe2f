//! GetTableMetadata: a table of a database: columns, keys, parameters.

use super::{permit, render, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::catalog::table;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [catalog, database, name] = required::texts(members, ["CatalogName", "DatabaseName", "TableName"])?;
    permit::catalog(call, "GetTableMetadata", catalog)?;
    permit::glue(call, "GetTable", database, Some(name))?;
    let found = permit::metadata(call.transact(|cx| table::get(cx, database, name)))?;
    Ok(Some(json!({ "TableMetadata": render::table_metadata(&found) })))
}
