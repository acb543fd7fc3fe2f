//! Groups and their members.
//!
//! Source: IAM API, `CreateGroup`, `UpdateGroup`, `DeleteGroup`,
//! `AddUserToGroup`, `RemoveUserFromGroup`, `ListGroupsForUser`, `GetGroup`.

use super::identity::{self, IamIdentity, Identity, check_bare, conflict, quota};
use super::user::User;
use crate::error::Result;
use crate::state::{Cx, Resource};
use serde::{Deserialize, Serialize};
use weir_iam::PolicyQuota;
use weir_iam::names::{IdPrefix, NameRule};

/// Groups that one user may be in.
pub const PER_USER: usize = 10;

/// A group. It rests in the global scope of its account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    #[serde(flatten)]
    pub identity: Identity,
}

impl Resource for Group {
    const KIND: &'static str = "group";
    fn id(&self) -> &str {
        &self.identity.id
    }
    fn parent(&self) -> Option<&str> {
        Some(&self.identity.key)
    }
}

impl IamIdentity for Group {
    const NOUN: &'static str = "group";
    const TITLE: &'static str = "Group";
    const MEMBER: &'static str = "groupName";
    const PREFIX: IdPrefix = IdPrefix::Group;
    const RULE: NameRule = NameRule::LONG;
    const INLINE: PolicyQuota = PolicyQuota::GroupInline;
    const ATTACHED: &'static str = "PoliciesPerGroup";
    fn identity(&self) -> &Identity {
        &self.identity
    }
    fn identity_mut(&mut self) -> &mut Identity {
        &mut self.identity
    }
}

/// Makes a group. `unchecked` takes any text as path, as emulators do.
///
/// Errors: `ValidationError`, `EntityAlreadyExists`.
pub fn create(cx: Cx<'_>, name: &str, path: Option<&str>, unchecked: bool) -> Result<Group> {
    let group = Group { identity: identity::draw::<Group>(cx, name, path, unchecked)? };
    cx.tx.put(&cx.scope.global(), &group)?;
    Ok(group)
}

/// Gives a group another name, path or both.
///
/// Errors: `NoSuchEntity`, `ValidationError`, `EntityAlreadyExists`.
pub fn update(cx: Cx<'_>, name: &str, new_name: Option<&str>, new_path: Option<&str>) -> Result<()> {
    let mut group: Group = identity::get(cx, name)?;
    identity::rename(cx, &mut group, new_name, new_path)
}

/// Errors: `NoSuchEntity`; `DeleteConflict` while it has members or policies.
pub fn delete(cx: Cx<'_>, name: &str) -> Result<()> {
    let group: Group = identity::get(cx, name)?;
    if !members(cx, &group)?.is_empty() {
        return Err(conflict("Cannot delete entity, must remove users from group first."));
    }
    check_bare(&group.identity)?;
    cx.tx.delete::<Group>(&cx.scope.global(), group.id())?;
    Ok(())
}

/// The users of a group, by name.
pub fn members(cx: Cx<'_>, group: &Group) -> Result<Vec<User>> {
    let mut users: Vec<User> = identity::list(cx, "/")?;
    users.retain(|user| user.groups.iter().any(|id| id == group.id()));
    Ok(users)
}

/// The groups of a user, by name.
///
/// Errors: `NoSuchEntity`.
pub fn of_user(cx: Cx<'_>, user_name: &str) -> Result<Vec<Group>> {
    let user: User = identity::get(cx, user_name)?;
    let mut groups: Vec<Group> = identity::list(cx, "/")?;
    groups.retain(|group| user.groups.iter().any(|id| id == group.id()));
    Ok(groups)
}

/// Makes a user a member; one that is a member already stays so.
///
/// Errors: `NoSuchEntity`, `LimitExceeded`.
pub fn add_user(cx: Cx<'_>, name: &str, user_name: &str) -> Result<()> {
    let group: Group = identity::get(cx, name)?;
    let mut user: User = identity::get(cx, user_name)?;
    if user.groups.iter().any(|id| id == group.id()) {
        return Ok(());
    }
    if user.groups.len() >= PER_USER {
        return Err(quota("GroupsPerUser", PER_USER));
    }
    user.groups.push(group.identity.id);
    cx.tx.put(&cx.scope.global(), &user)
}

/// Ends a membership; a user who is no member is no error.
///
/// Errors: `NoSuchEntity`.
pub fn remove_user(cx: Cx<'_>, name: &str, user_name: &str) -> Result<()> {
    let group: Group = identity::get(cx, name)?;
    let mut user: User = identity::get(cx, user_name)?;
    user.groups.retain(|id| id != group.id());
    cx.tx.put(&cx.scope.global(), &user)
}
