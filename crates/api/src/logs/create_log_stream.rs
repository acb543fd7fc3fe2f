//! CreateLogStream: an empty stream of a group.

use super::{arn, permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [group, stream] = required::texts(members, ["logGroupName", "logStreamName"])?;
    permit::stream(call, "CreateLogStream", group, stream)?;
    call.services.logs.create_log_stream(&arn::store_scope(&call.scope), group, stream, call.now)?;
    Ok(None)
}
