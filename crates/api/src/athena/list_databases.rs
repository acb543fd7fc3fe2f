//! ListDatabases: the databases of a data catalog.

use super::{page, permit, render, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;
use weir_control::catalog::database;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [catalog] = required::texts(members, ["CatalogName"])?;
    permit::catalog(call, "ListDatabases", catalog)?;
    permit::glue(call, "GetDatabases", "*", None)?;
    let found = match catalog.eq_ignore_ascii_case(permit::AWS_CATALOG) {
        true => call.transact(database::list)?,
        false => Vec::new(),
    };
    let (shown, next) = page::page(found, members, 50, |database| database.name())?;
    Ok(Some(page::answer("DatabaseList", shown.iter().map(render::database).collect(), next)))
}
