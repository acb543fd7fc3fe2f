//! ListWorkGroups: the workgroups.

use super::{page, permit, render};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;
use weir_control::athena::work_group;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    permit::all(call, "ListWorkGroups")?;
    let found = call.transact(work_group::list)?;
    let (shown, next) = page::page(found, members, 50, |group| group.name())?;
    Ok(Some(page::answer("WorkGroups", shown.iter().map(render::work_group_summary).collect(), next)))
}
