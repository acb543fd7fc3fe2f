//! ListNamedQueries: ids of the named queries of a workgroup.

use super::{page, permit};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;
use weir_control::athena::{named_query, work_group};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let group = members.text("WorkGroup")?.unwrap_or(work_group::PRIMARY);
    permit::group(call, "ListNamedQueries", group)?;
    let found = call.transact(|cx| named_query::list(cx, group))?;
    let (shown, next) = page::page(found, members, 50, |query| &query.id)?;
    Ok(Some(page::answer(
        "NamedQueryIds",
        shown.into_iter().map(|query| Value::String(query.id)).collect(),
        next,
    )))
}
