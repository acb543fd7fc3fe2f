//! GetDataCatalog: a data catalog; `AwsDataCatalog` is always there.

use super::{permit, render, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::athena::data_catalog;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [name] = required::texts(members, ["Name"])?;
    permit::catalog(call, "GetDataCatalog", name)?;
    let found = call.transact(|cx| data_catalog::get(cx, name))?;
    let catalog = match found {
        Some(catalog) => render::catalog(&catalog),
        None if name.eq_ignore_ascii_case(permit::AWS_CATALOG) => {
            json!({ "Name": permit::AWS_CATALOG, "Type": "GLUE", "Parameters": {"catalog-id": call.scope.account} })
        }
        None => return Err(required::invalid(format!("DataCatalog {name} was not found"))),
    };
    Ok(Some(json!({ "DataCatalog": catalog })))
}
