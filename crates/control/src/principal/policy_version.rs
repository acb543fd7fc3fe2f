//! Versions of a managed policy: up to five, of which one is the default.
//!
//! Source: IAM API, `CreatePolicyVersion`, `DeletePolicyVersion`,
//! `SetDefaultPolicyVersion`; IAM user guide, "Versioning IAM policies".

use super::identity::conflict;
use super::managed_policy::{self, ManagedPolicy, check_document};
use crate::error::{ControlError, Result};
use crate::state::Cx;
use serde::{Deserialize, Serialize};
use weir_types::time::UnixMillis;

/// Versions of one policy.
pub const LIMIT: usize = 5;

/// A version of a managed policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// `v1`; a number is never used again.
    pub id: String,
    /// As the caller wrote it.
    pub document: String,
    pub created: UnixMillis,
}

/// Adds a version, and makes it the default if wanted. Answers it.
///
/// Errors: `NoSuchEntity`, `MalformedPolicyDocument`, `LimitExceeded`,
/// `AccessDenied`, `ValidationError`.
pub fn create(cx: Cx<'_>, policy_arn: &str, document: &str, as_default: bool) -> Result<Version> {
    let mut policy = managed_policy::get_to_change(cx, policy_arn)?;
    check_document(document)?;
    if policy.versions.len() >= LIMIT {
        let message = "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.";
        return Err(ControlError::fault("LimitExceeded", message));
    }
    policy.newest += 1;
    let id = format!("v{}", policy.newest);
    let version = Version { id, document: document.to_owned(), created: cx.now };
    policy.versions.push(version.clone());
    if as_default {
        policy.default_version = version.id.clone();
    }
    put(cx, policy)?;
    Ok(version)
}

/// A version, and whether it is the default.
///
/// Errors: `NoSuchEntity`, `ValidationError`.
pub fn get(cx: Cx<'_>, policy_arn: &str, id: &str) -> Result<(Version, bool)> {
    check_id(id)?;
    let policy = managed_policy::get(cx, policy_arn)?;
    let version = policy.version(id).ok_or_else(|| missing(policy_arn, id))?;
    Ok((version.clone(), policy.default_version == id))
}

/// Errors: `NoSuchEntity`, `DeleteConflict`, `AccessDenied`, `ValidationError`.
pub fn delete(cx: Cx<'_>, policy_arn: &str, id: &str) -> Result<()> {
    check_id(id)?;
    let mut policy = managed_policy::get_to_change(cx, policy_arn)?;
    if policy.default_version == id {
        return Err(conflict("Cannot delete the default version of a policy."));
    }
    let index = policy.versions.iter().position(|version| version.id == id);
    policy.versions.remove(index.ok_or_else(|| missing(policy_arn, id))?);
    put(cx, policy)
}

/// Errors: `NoSuchEntity`, `AccessDenied`, `ValidationError`.
pub fn set_default(cx: Cx<'_>, policy_arn: &str, id: &str) -> Result<()> {
    check_id(id)?;
    let mut policy = managed_policy::get_to_change(cx, policy_arn)?;
    if policy.version(id).is_none() {
        return Err(missing(policy_arn, id));
    }
    policy.default_version = id.to_owned();
    put(cx, policy)
}

fn put(cx: Cx<'_>, mut policy: ManagedPolicy) -> Result<()> {
    policy.updated = cx.now;
    cx.tx.put(&cx.scope.global(), &policy)
}

fn check_id(id: &str) -> Result<()> {
    let digits = id.strip_prefix('v').unwrap_or_default();
    let (number, rest) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = number.starts_with(|c: char| c.is_ascii_digit() && c != '0')
        && number.bytes().all(|b| b.is_ascii_digit());
    if is_number && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Ok(());
    }
    let message = format!(
        r"1 validation error detected: Value '{id}' at 'versionId' failed to satisfy constraint: Member must satisfy regular expression pattern: v[1-9][0-9]*(\.[A-Za-z0-9-]*)?"
    );
    Err(ControlError::fault("ValidationError", message))
}

fn missing(policy_arn: &str, id: &str) -> ControlError {
    let message = format!("Policy {policy_arn} version {id} does not exist or is not attachable.");
    ControlError::fault("NoSuchEntity", message)
}
