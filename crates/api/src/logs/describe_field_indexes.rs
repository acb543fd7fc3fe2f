//! DescribeFieldIndexes: the fields that the policies of groups name.

use super::index_policy::groups;
use super::{arn, permit};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let scope = arn::store_scope(&call.scope);
    let mut shown = Vec::new();
    for group in groups(call, members, 100)? {
        permit::group(call, "DescribeFieldIndexes", &group)?;
        if let Some(policy) = call.services.logs.index_policy(&scope, &group)? {
            shown.extend(policy.fields.iter().map(|field| {
                json!({
                    "logGroupIdentifier": arn::group(&call.scope, &group),
                    "fieldIndexName": field,
                    "type": "FIELD_INDEX",
                    "lastScanTime": policy.last_updated,
                })
            }));
        }
    }
    Ok(Some(json!({ "fieldIndexes": shown })))
}
