//! CreateDataCatalog: registers a data catalog by its name.

use super::{permit, render, required, tags};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::athena::{DataCatalog, data_catalog};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [name, kind] = required::texts(members, ["Name", "Type"])?;
    permit::catalog(call, "CreateDataCatalog", name)?;
    if !["GLUE", "HIVE", "LAMBDA", "FEDERATED"].contains(&kind) {
        return Err(required::invalid(format!("Unknown data catalog type {kind}")));
    }
    let tags = tags::read(members)?;
    let parameters = required::text_map(members, "Parameters")?;
    let catalog = DataCatalog::new(name, kind, members.text("Description")?, parameters);
    call.transact(|cx| data_catalog::create(cx, &catalog, &tags))?;
    Ok(Some(json!({ "DataCatalog": render::catalog(&catalog) })))
}
