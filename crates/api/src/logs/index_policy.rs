//! What the actions of index policies share.

use super::{arn, identify, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_logs::IndexPolicy;
use weir_logs::limits::{Constraints, at_least, at_most};

pub fn render(call: &Call<'_>, policy: &IndexPolicy) -> Value {
    json!({
        "logGroupIdentifier": arn::group(&call.scope, &policy.group),
        "policyDocument": policy.document,
        "lastUpdateTime": policy.last_updated,
        "source": "LOG_GROUP",
    })
}

/// The groups of `logGroupIdentifiers`, at least one of them.
pub fn groups(call: &Call<'_>, members: Members<'_>, most: usize) -> Result<Vec<String>, ApiError> {
    const MEMBER: &str = "logGroupIdentifiers";
    required::check(members, &[MEMBER])?;
    let given = members.texts(MEMBER)?.unwrap_or_default();
    let (mut constraints, shown) = (Constraints::new(), format!("[{}]", given.join(", ")));
    constraints.that(!given.is_empty(), &shown, MEMBER, at_least("length", 1));
    constraints.that(given.len() <= most, &shown, MEMBER, at_most("length", most));
    constraints.finish()?;
    given.into_iter().map(|identifier| identify::identified(identifier, &call.scope)).collect()
}
