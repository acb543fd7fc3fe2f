//! Tags of a role. Keys are unique ignoring case and keep the case they were
//! first given.
//!
//! Source: IAM API, `TagRole`; IAM user guide, "Tags for IAM resources".

use super::role::Role;
use super::validate;
use crate::error::{ControlError, Result};
use crate::state::Cx;

/// Tags per role.
const LIMIT: usize = 50;

/// Sets tags, replacing the values of keys that are there.
///
/// Errors: `ValidationError`, `InvalidInput`, `LimitExceeded`.
pub fn set(cx: Cx<'_>, role: &Role, tags: &[(String, String)]) -> Result<()> {
    check(tags, "InvalidInput")?;
    let scope = cx.scope.global();
    let present = cx.tx.tags(&scope, &role.id)?;
    for (key, value) in tags {
        let known = present.keys().find(|known| same(known, key)).unwrap_or(key);
        cx.tx.put_tag(&scope, &role.id, known, value)?;
    }
    if cx.tx.tags(&scope, &role.id)?.len() > LIMIT {
        let message = format!("The number of tags has reached the maximum limit: {LIMIT}");
        return Err(ControlError::fault("LimitExceeded", message));
    }
    Ok(())
}

/// Removes tags by key. Keys that are not there are no error.
pub fn remove(cx: Cx<'_>, role: &Role, keys: &[&str]) -> Result<()> {
    let scope = cx.scope.global();
    for known in cx.tx.tags(&scope, &role.id)?.keys().filter(|known| keys.iter().any(|key| same(known, key)))
    {
        cx.tx.delete_tag(&scope, &role.id, known, None)?;
    }
    Ok(())
}

/// The tags of a role in key order.
pub fn of(cx: Cx<'_>, role: &Role) -> Result<Vec<(String, String)>> {
    Ok(cx.tx.tags(&cx.scope.global(), &role.id)?.into_iter().collect())
}

/// Checks the tags of one request, of a role or of a session; `code` is for those
/// that are doubled or reserved.
///
/// Errors: `ValidationError`, `code`.
pub(super) fn check(tags: &[(String, String)], code: &'static str) -> Result<()> {
    for (index, (key, value)) in tags.iter().enumerate() {
        validate::tag(key, value)?;
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
