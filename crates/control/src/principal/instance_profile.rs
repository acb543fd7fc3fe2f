//! Instance profiles: a role under the name by which instances are given it.
//!
//! Source: IAM API, `CreateInstanceProfile`, `AddRoleToInstanceProfile`.

use super::identity::{self, conflict, iam_arn, quota};
use super::role::Role;
use super::{iam_tag, validate};
use crate::error::{ControlError, Result};
use crate::random;
use crate::state::{Cx, Resource, Scope};
use serde::{Deserialize, Serialize};
use weir_iam::names::{IdPrefix, NameRule};
use weir_types::arn::Arn;
use weir_types::time::UnixMillis;

/// An instance profile. It rests in the global scope of its account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceProfile {
    /// `AIPA…`
    pub id: String,
    pub name: String,
    /// The name in lower case.
    key: String,
    pub path: String,
    pub arn: Arn,
    pub created: UnixMillis,
    /// At most one.
    pub role_id: Option<String>,
}

impl Resource for InstanceProfile {
    const KIND: &'static str = "instance-profile";
    fn id(&self) -> &str {
        &self.id
    }
    fn parent(&self) -> Option<&str> {
        Some(&self.key)
    }
}

/// Makes an instance profile. `unchecked` takes any text as path, as emulators do.
///
/// Errors: `ValidationError`, `EntityAlreadyExists`, `InvalidInput` and
/// `LimitExceeded` (tags).
pub fn create(
    cx: Cx<'_>,
    name: &str,
    path: Option<&str>,
    tags: &[(String, String)],
    unchecked: bool,
) -> Result<InstanceProfile> {
    validate::name(NameRule::LONG, "instanceProfileName", name)?;
    let path = path.unwrap_or("/");
    let mut arn_path = path.to_owned();
    if unchecked {
        arn_path = identity::tidy_path(path);
    } else {
        validate::path(path)?;
    }
    if find(cx, name)?.is_some() {
        let message = format!("Instance Profile {name} already exists.");
        return Err(ControlError::fault("EntityAlreadyExists", message));
    }
    let profile = InstanceProfile {
        id: IdPrefix::InstanceProfile.id(random::bits()?),
        name: name.to_owned(),
        key: name.to_lowercase(),
        path: path.to_owned(),
        arn: arn(cx.scope, &arn_path, name),
        created: cx.now,
        role_id: None,
    };
    cx.tx.put(&cx.scope.global(), &profile)?;
    iam_tag::set(cx, &profile.id, tags)?;
    Ok(profile)
}

pub fn find(cx: Cx<'_>, name: &str) -> Result<Option<InstanceProfile>> {
    Ok(cx.tx.list_in(&cx.scope.global(), &name.to_lowercase())?.pop())
}

/// Errors: `NoSuchEntity`.
pub fn get(cx: Cx<'_>, name: &str) -> Result<InstanceProfile> {
    find(cx, name)?.ok_or_else(|| {
        ControlError::fault("NoSuchEntity", format!("Instance Profile {name} cannot be found."))
    })
}

/// Those whose path begins with `path_prefix`, by name.
///
/// Errors: `ValidationError`.
pub fn list(cx: Cx<'_>, path_prefix: &str) -> Result<Vec<InstanceProfile>> {
    identity::check_path_prefix(path_prefix)?;
    let mut all: Vec<InstanceProfile> = cx.tx.list(&cx.scope.global())?;
    all.retain(|profile| profile.path.starts_with(path_prefix));
    all.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(all)
}

/// The profiles of a role, by name.
///
/// Errors: `NoSuchEntity`.
pub fn of_role(cx: Cx<'_>, role_name: &str) -> Result<Vec<InstanceProfile>> {
    let role: Role = identity::get(cx, role_name)?;
    let mut all = list(cx, "/")?;
    all.retain(|profile| profile.role_id.as_deref() == Some(role.id()));
    Ok(all)
}

/// The role in a profile.
pub fn role(cx: Cx<'_>, profile: &InstanceProfile) -> Result<Option<Role>> {
    match &profile.role_id {
        Some(id) => cx.tx.get(&cx.scope.global(), id),
        None => Ok(None),
    }
}

/// Errors: `NoSuchEntity`; `DeleteConflict` while it has a role.
pub fn delete(cx: Cx<'_>, name: &str) -> Result<()> {
    let profile = get(cx, name)?;
    if profile.role_id.is_some() {
        return Err(conflict("Cannot delete entity, must remove roles from instance profile first."));
    }
    cx.tx.delete::<InstanceProfile>(&cx.scope.global(), &profile.id)?;
    Ok(())
}

/// Errors: `NoSuchEntity`, `UnmodifiableEntity`; `LimitExceeded` if it has a role.
pub fn add_role(cx: Cx<'_>, name: &str, role_name: &str) -> Result<()> {
    let mut profile = get(cx, name)?;
    let role: Role = identity::get_to_change(cx, role_name)?;
    if profile.role_id.is_some() {
        return Err(quota("InstanceSessionsPerInstanceProfile", 1));
    }
    profile.role_id = Some(role.identity.id);
    cx.tx.put(&cx.scope.global(), &profile)
}

/// Errors: `NoSuchEntity`, `UnmodifiableEntity`.
pub fn remove_role(cx: Cx<'_>, name: &str, role_name: &str) -> Result<()> {
    let mut profile = get(cx, name)?;
    let role: Role = identity::get_to_change(cx, role_name)?;
    if profile.role_id.as_deref() != Some(role.id()) {
        let message = format!("The role with name {role_name} cannot be found.");
        return Err(ControlError::fault("NoSuchEntity", message));
    }
    profile.role_id = None;
    cx.tx.put(&cx.scope.global(), &profile)
}

/// The ARN that a profile of this path and name has.
pub fn arn(scope: &Scope, path: &str, name: &str) -> Arn {
    iam_arn(scope, &format!("instance-profile{path}{name}"))
}
