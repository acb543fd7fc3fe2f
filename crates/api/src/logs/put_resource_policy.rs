//! PutResourcePolicy: lets other services write, for the account or one group.
//!
//! A policy is checked (its grammar, and that it names a principal) and kept.

use super::error::invalid;
use super::{arn, identify, permit, required, resource_policy};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_logs::PutResourcePolicy;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [document] = required::texts(members, ["policyDocument"])?;
    let owned = |name| members.text(name).map(|text| text.map(str::to_owned));
    let resource_arn = owned("resourceArn")?;
    let scope = arn::store_scope(&call.scope);
    match &resource_arn {
        Some(text) => {
            let group = identify::tagged(members, &call.scope)?;
            permit::group(call, "PutResourcePolicy", &group)?;
            call.services.logs.log_group_tags(&scope, &group)?;
            tracing::debug!(resource = text, "a policy of a log group");
        }
        None => call.authorize("logs:PutResourcePolicy", "*", &[])?,
    }
    if !call.services.settings.emulator {
        check(document)?;
    }
    let request = PutResourcePolicy {
        name: owned("policyName")?,
        document: document.to_owned(),
        resource_arn,
        expected_revision_id: owned("expectedRevisionId")?,
        new_revision_id: super::random_id()?,
    };
    let policy = call.services.logs.put_resource_policy(&scope, request, call.now)?;
    let mut answer = json!({ "resourcePolicy": resource_policy::render(&policy) });
    if let Some(revision) = &policy.revision_id {
        answer["revisionId"] = json!(revision);
    }
    Ok(Some(answer))
}

fn check(document: &str) -> Result<(), ApiError> {
    weir_iam::PolicyDocument::parse(document, weir_iam::DocumentKind::Resource)
        .map(|_| ())
        .map_err(|error| invalid(format!("Invalid resource policy: {error}")))
}
