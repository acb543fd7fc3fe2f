//! ListDataCatalogs: the data catalogs, `AwsDataCatalog` among them.

use super::{page, permit};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::athena::data_catalog;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    permit::all(call, "ListDataCatalogs")?;
    let mut found: Vec<(String, String)> = call
        .transact(data_catalog::list)?
        .into_iter()
        .map(|catalog| (catalog.name().to_owned(), catalog.kind))
        .collect();
    found.insert(0, (permit::AWS_CATALOG.to_owned(), "GLUE".to_owned()));
    let (shown, next) = page::page(found, members, 50, |(name, _)| name)?;
    let shown: Vec<Value> =
        shown.iter().map(|(name, kind)| json!({ "CatalogName": name, "Type": kind })).collect();
    Ok(Some(page::answer("DataCatalogsSummary", shown, next)))
}
