//! Tags of roles, users, policies and instance profiles. Keys are unique
//! ignoring case and keep the case they were first given.
//!
//! Source: IAM API, `TagRole`; IAM user guide, "Tags for IAM resources".

use super::validate;
use crate::error::{ControlError, Result};
use crate::state::Cx;

/// Tags per resource.
const LIMIT: usize = 50;

/// Sets tags of the resource with this id, replacing the values of keys that
/// are there.
///
/// Errors: `ValidationError`, `InvalidInput`, `LimitExceeded`.
pub fn set(cx: Cx<'_>, id: &str, tags: &[(String, String)]) -> Result<()> {
    check(tags, "InvalidInput")?;
    let scope = cx.scope.global();
    let present = cx.tx.tags(&scope, id)?;
    for (key, value) in tags {
        let known = present.keys().find(|known| same(known, key)).unwrap_or(key);
        cx.tx.put_tag(&scope, id, known, value)?;
    }
    if cx.tx.tags(&scope, id)?.len() > LIMIT {
        let message = format!("The number of tags has reached the maximum limit: {LIMIT}");
        return Err(ControlError::fault("LimitExceeded", message));
    }
    Ok(())
}

/// Removes tags by key. Keys that are not there are no error.
pub fn remove(cx: Cx<'_>, id: &str, keys: &[&str]) -> Result<()> {
    let scope = cx.scope.global();
    for known in cx.tx.tags(&scope, id)?.keys().filter(|known| keys.iter().any(|key| same(known, key))) {
        cx.tx.delete_tag(&scope, id, known, None)?;
    }
    Ok(())
}

/// The tags of a resource in key order.
pub fn of(cx: Cx<'_>, id: &str) -> Result<Vec<(String, String)>> {
    Ok(cx.tx.tags(&cx.scope.global(), id)?.into_iter().collect())
}

/// Checks the tags of one request, of a resource or of a session; `code` is for
/// those that are doubled or reserved.
///
/// Errors: `ValidationError`, `code`.
pub(super) fn check(tags: &[(String, String)], code: &'static str) -> Result<()> {
    for (index, (key, value)) in tags.iter().enumerate() {
        validate::tag(index, key, value)?;
        if key.to_ascii_lowercase().starts_with("aws:") {
            let message = format!("Tag keys can't start with the reserved prefix aws: ('{key}' does)");
            return Err(ControlError::fault(code, message));
        }
        if tags.iter().take(index).any(|(earlier, _)| same(earlier, key)) {
            let message = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
            return Err(ControlError::fault(code, message));
        }
    }
    Ok(())
}

fn same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}
