//! DeleteResourcePolicy: of the account by name, of a group by its ARN.

use super::error::invalid;
use super::{arn, identify, permit};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let (name, resource) = (members.text("policyName")?, members.text("resourceArn")?);
    match (name, resource) {
        (_, Some(_)) => {
            let group = identify::tagged(members, &call.scope)?;
            permit::group(call, "DeleteResourcePolicy", &group)?;
        }
        (Some(_), None) => call.authorize("logs:DeleteResourcePolicy", "*", &[])?,
        (None, None) => return Err(invalid("One of policyName and resourceArn must be specified.")),
    }
    let revision = members.text("expectedRevisionId")?;
    let scope = arn::store_scope(&call.scope);
    call.services.logs.delete_resource_policy(&scope, name, resource, revision)?;
    Ok(None)
}
