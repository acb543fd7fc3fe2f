//! Managed policies on users, groups and roles: attached, or as a boundary.
//!
//! Source: IAM API, `AttachRolePolicy`, `DetachRolePolicy`,
//! `PutRolePermissionsBoundary`, `ListEntitiesForPolicy`.

use super::group::Group;
use super::identity::{self, IamIdentity, Identity, quota};
use super::managed_policy::{self, ManagedPolicy};
use super::role::Role;
use super::user::User;
use crate::error::{ControlError, Result};
use crate::state::Cx;

/// Policies attached to one user, group or role.
pub const LIMIT: usize = 10;

/// Attaches a policy; one that is attached already stays so.
///
/// Errors: `NoSuchEntity`, `LimitExceeded`, `UnmodifiableEntity`,
/// `PolicyNotAttachable`, `InvalidInput`.
pub fn attach<T: IamIdentity>(cx: Cx<'_>, name: &str, policy_arn: &str) -> Result<()> {
    let mut owner: T = identity::get_to_change(cx, name)?;
    let policy = attachable(cx, policy_arn)?;
    if !policy.is_attachable {
        let message = format!("Cannot attach a Service Role Policy to a Customer {}.", T::TITLE);
        return Err(ControlError::fault("PolicyNotAttachable", message));
    }
    let arn = policy.arn.to_string();
    let attached = &mut owner.identity_mut().attached;
    if attached.contains(&arn) {
        return Ok(());
    }
    if attached.len() >= LIMIT {
        return Err(quota(T::ATTACHED, LIMIT));
    }
    attached.push(arn);
    cx.tx.put(&cx.scope.global(), &owner)
}

/// Errors: `NoSuchEntity`, `UnmodifiableEntity`, `InvalidInput`.
pub fn detach<T: IamIdentity>(cx: Cx<'_>, name: &str, policy_arn: &str) -> Result<()> {
    let mut owner: T = identity::get_to_change(cx, name)?;
    managed_policy::parse_arn(policy_arn)?;
    let attached = &mut owner.identity_mut().attached;
    let Some(index) = attached.iter().position(|arn| arn == policy_arn) else {
        return Err(managed_policy::not_found(policy_arn));
    };
    attached.remove(index);
    cx.tx.put(&cx.scope.global(), &owner)
}

/// Name and ARN of the attached policies whose path begins with `path_prefix`,
/// by name.
///
/// Errors: `NoSuchEntity`, `ValidationError`.
pub fn list<T: IamIdentity>(cx: Cx<'_>, name: &str, path_prefix: &str) -> Result<Vec<(String, String)>> {
    identity::check_path_prefix(path_prefix)?;
    let owner: T = identity::get(cx, name)?;
    let mut found = Vec::new();
    for arn in &owner.identity().attached {
        if let Some(policy) = managed_policy::find(cx.tx, cx.scope, arn)?
            && policy.path.starts_with(path_prefix)
        {
            found.push((policy.name, arn.clone()));
        }
    }
    found.sort_by_key(|(name, _)| name.to_lowercase());
    Ok(found)
}

/// Makes a managed policy the permissions boundary of a user or role.
///
/// Errors: `NoSuchEntity`, `UnmodifiableEntity`, `InvalidInput`.
pub fn put_boundary<T: IamIdentity>(cx: Cx<'_>, name: &str, policy_arn: &str) -> Result<()> {
    let mut owner: T = identity::get_to_change(cx, name)?;
    owner.identity_mut().boundary = Some(boundary(cx, policy_arn)?);
    cx.tx.put(&cx.scope.global(), &owner)
}

/// Errors: `NoSuchEntity`, `UnmodifiableEntity`.
pub fn delete_boundary<T: IamIdentity>(cx: Cx<'_>, name: &str) -> Result<()> {
    let mut owner: T = identity::get_to_change(cx, name)?;
    if owner.identity_mut().boundary.take().is_none() {
        let message = format!("{} {name} does not have a permissions boundary.", T::TITLE);
        return Err(ControlError::fault("NoSuchEntity", message));
    }
    cx.tx.put(&cx.scope.global(), &owner)
}

/// The ARN of a policy that can be a boundary.
///
/// Errors: `NoSuchEntity`, `ValidationError`.
pub(super) fn boundary(cx: Cx<'_>, policy_arn: &str) -> Result<String> {
    if managed_policy::parse_arn(policy_arn).is_err() {
        let message = format!("Value ({policy_arn}) for parameter PermissionsBoundary is invalid.");
        return Err(ControlError::fault("ValidationError", message));
    }
    match managed_policy::find(cx.tx, cx.scope, policy_arn)? {
        Some(policy) => Ok(policy.arn.to_string()),
        None => {
            let message = format!("Scope ARN: {policy_arn} does not exist or is not attachable.");
            Err(ControlError::fault("NoSuchEntity", message))
        }
    }
}

/// Who has a policy.
#[derive(Debug, Default)]
pub struct Entities {
    pub users: Vec<Identity>,
    pub groups: Vec<Identity>,
    pub roles: Vec<Identity>,
}

impl Entities {
    pub fn count(&self) -> usize {
        self.users.len() + self.groups.len() + self.roles.len()
    }

    /// Every user, group and role of the account.
    pub fn all(cx: Cx<'_>) -> Result<Self> {
        Ok(Self { users: of::<User>(cx)?, groups: of::<Group>(cx)?, roles: of::<Role>(cx)? })
    }

    /// Those that have the policy attached, or as a boundary.
    pub fn with(&self, policy_arn: &str, as_boundary: bool) -> Self {
        let has = |identity: &&Identity| match as_boundary {
            true => identity.boundary.as_deref() == Some(policy_arn),
            false => identity.attached.iter().any(|arn| arn == policy_arn),
        };
        let pick = |list: &[Identity]| list.iter().filter(has).cloned().collect();
        Self { users: pick(&self.users), groups: pick(&self.groups), roles: pick(&self.roles) }
    }
}

fn of<T: IamIdentity>(cx: Cx<'_>) -> Result<Vec<Identity>> {
    Ok(identity::list::<T>(cx, "/")?.into_iter().map(|one| one.identity().clone()).collect())
}

/// Errors: `NoSuchEntity`, `InvalidInput`.
fn attachable(cx: Cx<'_>, policy_arn: &str) -> Result<ManagedPolicy> {
    managed_policy::parse_arn(policy_arn)?;
    managed_policy::find(cx.tx, cx.scope, policy_arn)?.ok_or_else(|| {
        let message = format!("Policy {policy_arn} does not exist or is not attachable.");
        ControlError::fault("NoSuchEntity", message)
    })
}
