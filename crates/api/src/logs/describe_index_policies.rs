//! DescribeIndexPolicies: that of one group.

use super::index_policy::{groups, render};
use super::{arn, permit};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let scope = arn::store_scope(&call.scope);
    let mut shown = Vec::new();
    for group in groups(call, members, 1)? {
        permit::group(call, "DescribeIndexPolicies", &group)?;
        shown.extend(call.services.logs.index_policy(&scope, &group)?.map(|policy| render(call, &policy)));
    }
    Ok(Some(json!({ "indexPolicies": shown })))
}
