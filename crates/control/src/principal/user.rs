//! Users: creation, renaming, deletion.
//!
//! Source: IAM API, `CreateUser`, `GetUser`, `UpdateUser`, `DeleteUser`.

use super::access_key::{self, AccessKey};
use super::identity::{self, IamIdentity, Identity, check_bare, conflict};
use super::{attachment, iam_tag};
use crate::error::Result;
use crate::state::{Cx, Resource};
use serde::{Deserialize, Serialize};
use weir_iam::names::{IdPrefix, NameRule};
use weir_iam::{PolicyQuota, Principal};

/// A user. It rests in the global scope of its account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    #[serde(flatten)]
    pub identity: Identity,
    /// The ids of its groups, in the order it joined.
    pub groups: Vec<String>,
}

impl Resource for User {
    const KIND: &'static str = "user";
    fn id(&self) -> &str {
        &self.identity.id
    }
    fn parent(&self) -> Option<&str> {
        Some(&self.identity.key)
    }
}

impl IamIdentity for User {
    const NOUN: &'static str = "user";
    const TITLE: &'static str = "User";
    const MEMBER: &'static str = "userName";
    const PREFIX: IdPrefix = IdPrefix::User;
    const RULE: NameRule = NameRule::ENTITY;
    const INLINE: PolicyQuota = PolicyQuota::UserInline;
    const ATTACHED: &'static str = "PoliciesPerUser";
    fn identity(&self) -> &Identity {
        &self.identity
    }
    fn identity_mut(&mut self) -> &mut Identity {
        &mut self.identity
    }
}

impl User {
    pub fn principal(&self) -> Principal {
        Principal::User { arn: self.identity.arn.clone(), user_id: self.identity.id.clone() }
    }
}

/// What CreateUser is asked for.
#[derive(Debug, Clone, Default)]
pub struct CreateUser {
    pub name: String,
    pub path: Option<String>,
    /// The ARN of a managed policy.
    pub boundary: Option<String>,
    pub tags: Vec<(String, String)>,
    /// Takes any text as path, as emulators do.
    pub unchecked: bool,
}

/// Makes a user.
///
/// Errors: `ValidationError`, `InvalidInput` (tags), `EntityAlreadyExists`,
/// `NoSuchEntity` (boundary), `LimitExceeded` (tags).
pub fn create(cx: Cx<'_>, request: &CreateUser) -> Result<User> {
    let mut identity = identity::draw::<User>(cx, &request.name, request.path.as_deref(), request.unchecked)?;
    identity.boundary = request.boundary.as_deref().map(|arn| attachment::boundary(cx, arn)).transpose()?;
    let user = User { identity, groups: Vec::new() };
    cx.tx.put(&cx.scope.global(), &user)?;
    iam_tag::set(cx, user.id(), &request.tags)?;
    Ok(user)
}

/// Gives a user another name, path or both.
///
/// Errors: `NoSuchEntity`, `ValidationError`, `EntityAlreadyExists`.
pub fn update(cx: Cx<'_>, name: &str, new_name: Option<&str>, new_path: Option<&str>) -> Result<()> {
    let mut user: User = identity::get(cx, name)?;
    identity::rename(cx, &mut user, new_name, new_path)
}

/// Removes a user.
///
/// Errors: `NoSuchEntity`; `DeleteConflict` while it has keys, policies or groups.
pub fn delete(cx: Cx<'_>, name: &str) -> Result<()> {
    let user: User = identity::get(cx, name)?;
    if !access_key::of_user(cx, user.id())?.is_empty() {
        return Err(conflict("Cannot delete entity, must delete access keys first."));
    }
    check_bare(&user.identity)?;
    if !user.groups.is_empty() {
        return Err(conflict("Cannot delete entity, must remove users from group first."));
    }
    for key in cx.tx.list_in::<AccessKey>(&access_key::scope(), user.id())? {
        cx.tx.delete::<AccessKey>(&access_key::scope(), &key.id)?;
    }
    cx.tx.delete::<User>(&cx.scope.global(), user.id())?;
    Ok(())
}
