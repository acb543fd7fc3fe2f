//! DescribeResourcePolicies: those of the account, or of log groups.

use super::{arn, resource_policy};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    call.authorize("logs:DescribeResourcePolicies", "*", &[])?;
    let found = call.services.logs.describe_resource_policies(
        &arn::store_scope(&call.scope),
        members.text("resourceArn")?,
        members.text("policyScope")?,
        members.integer("limit")?,
        members.text("nextToken")?,
    )?;
    let policies: Vec<Value> = found.resource_policies.iter().map(resource_policy::render).collect();
    let mut answer = json!({ "resourcePolicies": policies });
    if let Some(token) = found.next_token {
        answer["nextToken"] = json!(token);
    }
    Ok(Some(answer))
}
