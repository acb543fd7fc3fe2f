//! CreateWorkGroup: makes a workgroup.

use super::{permit, required, tags};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::athena::work_group::{self, Configuration};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [name] = required::texts(members, ["Name"])?;
    permit::group(call, "CreateWorkGroup", name)?;
    let description = members.text("Description")?;
    let configuration: Configuration = required::structure(members, "Configuration")?;
    let tags = tags::read(members)?;
    call.transact(|cx| work_group::create(cx, name, description, configuration.clone(), &tags))?;
    Ok(Some(json!({})))
}
