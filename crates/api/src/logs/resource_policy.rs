//! How a resource policy is shown.

use serde_json::{Value, json};
use weir_logs::ResourcePolicy;

pub fn render(policy: &ResourcePolicy) -> Value {
    let mut shown = json!({
        "policyDocument": policy.document,
        "lastUpdatedTime": policy.last_updated,
        "policyScope": policy.scope(),
    });
    for (member, value) in [
        ("policyName", &policy.name),
        ("resourceArn", &policy.resource_arn),
        ("revisionId", &policy.revision_id),
    ] {
        if let Some(value) = value {
            shown[member] = json!(value);
        }
    }
    shown
}
