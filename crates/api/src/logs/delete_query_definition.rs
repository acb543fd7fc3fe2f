//! DeleteQueryDefinition: by id.

use super::{arn, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [id] = required::texts(members, ["queryDefinitionId"])?;
    call.authorize("logs:DeleteQueryDefinition", "*", &[])?;
    call.services.logs.delete_query_definition(&arn::store_scope(&call.scope), id)?;
    Ok(Some(json!({ "success": true })))
}
