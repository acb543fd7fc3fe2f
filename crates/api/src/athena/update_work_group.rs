//! UpdateWorkGroup: changes description, state or configuration of a workgroup.

use super::updates::Updates;
use super::{permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::athena::work_group;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [name] = required::texts(members, ["WorkGroup"])?;
    permit::group(call, "UpdateWorkGroup", name)?;
    let description = members.text("Description")?;
    let enabled = match members.text("State")? {
        None => None,
        Some("ENABLED") => Some(true),
        Some("DISABLED") => Some(false),
        Some(other) => return Err(required::invalid(format!("Unknown workgroup state {other}"))),
    };
    let updates = members.object("ConfigurationUpdates")?;
    let updates: Updates = updates.map(Updates::read).transpose()?.unwrap_or_default();
    call.transact(|cx| {
        work_group::update(cx, name, |group| {
            if let Some(description) = description {
                group.description = Some(description.to_owned());
            }
            group.enabled = enabled.unwrap_or(group.enabled);
            updates.apply(&mut group.configuration);
        })
    })?;
    Ok(Some(json!({})))
}
