//! DeleteSubscriptionFilter: what was not sent yet is not sent any more.

use super::{arn, permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [group, name] = required::texts(members, ["logGroupName", "filterName"])?;
    permit::group(call, "DeleteSubscriptionFilter", group)?;
    call.services.logs.delete_subscription_filter(&arn::store_scope(&call.scope), group, name)?;
    Ok(None)
}
