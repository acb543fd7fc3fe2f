//! DeleteDestination: subscription filters that send to it keep their events
//! until there is one of its name again.

use super::{arn, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [name] = required::texts(members, ["destinationName"])?;
    call.authorize("logs:DeleteDestination", &arn::destination(&call.scope, name), &[])?;
    call.services.logs.delete_destination(&arn::store_scope(&call.scope), name)?;
    Ok(None)
}
