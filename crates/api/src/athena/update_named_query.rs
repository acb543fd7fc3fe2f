//! UpdateNamedQuery: changes name, text and description of a named query.

use super::{permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::athena::named_query;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [id, name, query] = required::texts(members, ["NamedQueryId", "Name", "QueryString"])?;
    let description = members.text("Description")?;
    let old = call.transact(|cx| named_query::get(cx, id))?;
    permit::group(call, "UpdateNamedQuery", &old.work_group)?;
    call.transact(|cx| named_query::update(cx, id, name, description, query))?;
    Ok(Some(json!({})))
}
