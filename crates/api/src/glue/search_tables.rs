//! SearchTables: the tables of all databases that a text, or a filter on a name, finds.
//!
//! Source: Glue API reference, "SearchTables".

use super::{page, permit, render};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;
use weir_control::catalog::{Table, database, table};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    permit::catalog(call, "SearchTables")?;
    let text = members.text("SearchText")?.unwrap_or_default().to_lowercase();
    let mut filters: Vec<(String, String)> = Vec::new();
    for filter in members.list("Filters")?.into_iter().flatten().filter_map(Value::as_object) {
        let filter = Members::new(filter);
        let word = |name: &str| Ok::<_, ApiError>(filter.text(name)?.unwrap_or_default().to_lowercase());
        filters.push((word("Key")?, word("Value")?));
    }
    let mut found = call.transact(|cx| {
        let mut all = Vec::new();
        for database in database::list(cx)? {
            all.extend(table::list(cx, database.name())?);
        }
        Ok(all)
    })?;
    found.retain(|table| has(table, &text) && filters.iter().all(|(key, value)| fits(table, key, value)));
    let named = found.into_iter().map(|table| (format!("{}.{}", table.database, table.name()), table));
    let (shown, next) = page::page(named.collect(), members, 100, |(name, _): &(String, Table)| name)?;
    let shown = shown.iter().map(|(_, table)| render::table(call, table)).collect();
    Ok(Some(page::answer("TableList", shown, next)))
}

/// Whether a table or one of its columns has the text in its name or description.
fn has(table: &Table, text: &str) -> bool {
    let input = &table.input;
    let columns = input.columns().iter().chain(input.keys()).map(|column| column.name.as_str());
    let names = [table.name(), table.database.as_str(), input.description.as_deref().unwrap_or_default()];
    columns.chain(names).any(|name| name.to_lowercase().contains(text.trim_matches('"')))
}

fn fits(table: &Table, key: &str, value: &str) -> bool {
    match key {
        "databasename" => table.database == value,
        "name" | "tablename" => table.name().contains(value),
        _ => false,
    }
}
