//! Inline policies of a role.
//!
//! Source: IAM API, `PutRolePolicy`, `GetRolePolicy`, `ListRolePolicies`,
//! `DeleteRolePolicy`.

use super::role::{self, refused};
use super::validate;
use crate::error::{ControlError, Result};
use crate::state::Cx;
use weir_iam::names::NameRule;
use weir_iam::{DocumentKind, PolicyDocument, PolicyQuota};

/// Adds a policy, or replaces the one with this name.
///
/// Errors: `NoSuchEntity`, `ValidationError`, `MalformedPolicyDocument`;
/// `LimitExceeded` if all policies of the role together are too large.
pub fn put(cx: Cx<'_>, role_name: &str, policy_name: &str, document: &str) -> Result<()> {
    validate::name(NameRule::LONG, "policyName", policy_name)?;
    let mut role = role::get(cx, role_name)?;
    PolicyDocument::parse(document, DocumentKind::Identity).map_err(refused)?;
    role.policies.insert(policy_name.to_owned(), document.to_owned());
    PolicyQuota::RoleInline.check(role.policies.values().map(String::as_str)).map_err(refused)?;
    cx.tx.put(&cx.scope.global(), &role)
}

/// The policy's text as it was put, and the role's name as it was made.
///
/// Errors: `NoSuchEntity`.
pub fn get(cx: Cx<'_>, role_name: &str, policy_name: &str) -> Result<(String, String)> {
    let mut role = role::get(cx, role_name)?;
    let document = role.policies.remove(policy_name).ok_or_else(|| missing(policy_name))?;
    Ok((role.name, document))
}

/// The names of a role's policies in their order.
///
/// Errors: `NoSuchEntity`.
pub fn list(cx: Cx<'_>, role_name: &str) -> Result<Vec<String>> {
    Ok(role::get(cx, role_name)?.policies.into_keys().collect())
}

/// Errors: `NoSuchEntity`.
pub fn delete(cx: Cx<'_>, role_name: &str, policy_name: &str) -> Result<()> {
    let mut role = role::get(cx, role_name)?;
    role.policies.remove(policy_name).ok_or_else(|| missing(policy_name))?;
    cx.tx.put(&cx.scope.global(), &role)
}

fn missing(policy_name: &str) -> ControlError {
    let message = format!("The role policy with name {policy_name} cannot be found.");
    ControlError::fault("NoSuchEntity", message)
}
