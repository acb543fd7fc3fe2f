//! Inline policies of a user, group or role.
//!
//! Source: IAM API, `PutRolePolicy`, `GetRolePolicy`, `ListRolePolicies`,
//! `DeleteRolePolicy`, and the same of users and groups.

use super::identity::{self, IamIdentity};
use super::validate::{self, refused};
use crate::error::{ControlError, Result};
use crate::state::Cx;
use weir_iam::names::NameRule;
use weir_iam::{DocumentKind, PolicyDocument, PolicyError};

/// Adds a policy, or replaces the one with this name.
///
/// Errors: `NoSuchEntity`, `ValidationError`, `MalformedPolicyDocument`,
/// `UnmodifiableEntity`; `LimitExceeded` if all policies together are too large.
pub fn put<T: IamIdentity>(cx: Cx<'_>, name: &str, policy_name: &str, document: &str) -> Result<()> {
    validate::name(NameRule::LONG, "policyName", policy_name)?;
    let mut owner: T = identity::get_to_change(cx, name)?;
    PolicyDocument::parse(document, DocumentKind::Identity).map_err(refused)?;
    let policies = &mut owner.identity_mut().policies;
    policies.insert(policy_name.to_owned(), document.to_owned());
    let checked = T::INLINE.check(policies.values().map(String::as_str));
    checked.map_err(|error| match error {
        PolicyError::TooLarge { quota, .. } => {
            let name = &owner.identity().name;
            let limit = quota.limit();
            let message = format!("Maximum policy size of {limit} bytes exceeded for {} {name}", T::NOUN);
            ControlError::fault("LimitExceeded", message)
        }
        other => refused(other),
    })?;
    cx.tx.put(&cx.scope.global(), &owner)
}

/// The policy's text as it was put, and the owner's name as it was made.
///
/// Errors: `NoSuchEntity`.
pub fn get<T: IamIdentity>(cx: Cx<'_>, name: &str, policy_name: &str) -> Result<(String, String)> {
    let mut owner: T = identity::get(cx, name)?;
    let document = owner.identity_mut().policies.remove(policy_name);
    let document = document.ok_or_else(|| missing::<T>(policy_name))?;
    Ok((owner.identity().name.clone(), document))
}

/// The names of the policies in their order.
///
/// Errors: `NoSuchEntity`.
pub fn list<T: IamIdentity>(cx: Cx<'_>, name: &str) -> Result<Vec<String>> {
    Ok(identity::get::<T>(cx, name)?.identity().policies.keys().cloned().collect())
}

/// Errors: `NoSuchEntity`, `UnmodifiableEntity`.
pub fn delete<T: IamIdentity>(cx: Cx<'_>, name: &str, policy_name: &str) -> Result<()> {
    let mut owner: T = identity::get_to_change(cx, name)?;
    owner.identity_mut().policies.remove(policy_name).ok_or_else(|| missing::<T>(policy_name))?;
    cx.tx.put(&cx.scope.global(), &owner)
}

fn missing<T: IamIdentity>(policy_name: &str) -> ControlError {
    let message = format!("The {} policy with name {policy_name} cannot be found.", T::NOUN);
    ControlError::fault("NoSuchEntity", message)
}
