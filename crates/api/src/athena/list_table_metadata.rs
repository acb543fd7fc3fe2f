//! ListTableMetadata: the tables of a database whose names match a regular expression.

use super::{names, page, permit, render, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;
use weir_control::catalog::table;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [catalog, database] = required::texts(members, ["CatalogName", "DatabaseName"])?;
    permit::catalog(call, "ListTableMetadata", catalog)?;
    permit::glue(call, "GetTables", database, Some("*"))?;
    let mut found = permit::metadata(call.transact(|cx| table::list(cx, database)))?;
    if let Some(expression) = members.text("Expression")? {
        let expression = names::regex(expression)?;
        found.retain(|table| expression.is_match(table.name()));
    }
    let (shown, next) = page::page(found, members, 50, |table| table.name())?;
    Ok(Some(page::answer("TableMetadataList", shown.iter().map(render::table_metadata).collect(), next)))
}
