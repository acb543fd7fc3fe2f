//! DeleteMetricFilter: the metric's values stay.

use super::{arn, permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [group, name] = required::texts(members, ["logGroupName", "filterName"])?;
    permit::group(call, "DeleteMetricFilter", group)?;
    call.services.logs.delete_metric_filter(&arn::store_scope(&call.scope), group, name)?;
    Ok(None)
}
