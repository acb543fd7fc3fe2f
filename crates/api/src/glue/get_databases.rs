//! GetDatabases: the databases of the account.

use super::{page, permit, render};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;
use weir_control::catalog::database;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    permit::catalog(call, "GetDatabases")?;
    let found = call.transact(database::list)?;
    let (shown, next) = page::page(found, members, 100, |database| database.name())?;
    let shown = shown.iter().map(|database| render::database(call, database)).collect();
    Ok(Some(page::answer("DatabaseList", shown, next)))
}
