//! The access keys of users.
//!
//! Source: IAM API, `CreateAccessKey`, `UpdateAccessKey`, `DeleteAccessKey`,
//! `ListAccessKeys`, `GetAccessKeyLastUsed`.

use super::access_key::{self, AccessKey, LastUse, Owner, of_user, scope};
use super::identity::{self, quota};
use super::role::Role;
use super::subject::Subject;
use super::user::User;
use crate::error::{ControlError, Result};
use crate::state::{Cx, Resource, Scope};
use weir_iam::names::IdPrefix;

/// Keys of one user.
pub const LIMIT: usize = 2;

/// How long a use may go unnoticed after another one of the same kind, in
/// milliseconds, so that not every request writes.
const NOTICE_MS: i64 = 5 * 60_000;

/// Makes a key.
///
/// Errors: `NoSuchEntity`, `LimitExceeded`.
pub fn create(cx: Cx<'_>, user_name: &str) -> Result<AccessKey> {
    let user: User = identity::get(cx, user_name)?;
    if of_user(cx, user.id())?.len() >= LIMIT {
        return Err(quota("AccessKeysPerUser", LIMIT));
    }
    let owner = Owner::User { account: cx.scope.account.clone(), user_id: user.identity.id };
    let mut key = access_key::draw(cx.tx, IdPrefix::AccessKey, owner)?;
    key.created = Some(cx.now);
    cx.tx.put(&scope(), &key)?;
    Ok(key)
}

/// Errors: `NoSuchEntity`.
pub fn list(cx: Cx<'_>, user_name: &str) -> Result<Vec<AccessKey>> {
    of_user(cx, identity::get::<User>(cx, user_name)?.id())
}

/// Makes a key active or inactive.
///
/// Errors: `NoSuchEntity`.
pub fn set_active(cx: Cx<'_>, user_name: &str, id: &str, is_active: bool) -> Result<()> {
    let mut key = get(cx, user_name, id)?;
    key.is_active = is_active;
    cx.tx.put(&scope(), &key)
}

/// Errors: `NoSuchEntity`.
pub fn delete(cx: Cx<'_>, user_name: &str, id: &str) -> Result<()> {
    let key = get(cx, user_name, id)?;
    cx.tx.delete::<AccessKey>(&scope(), &key.id)?;
    Ok(())
}

/// The user of a key of this account, and the key.
pub fn owner(cx: Cx<'_>, id: &str) -> Result<Option<(User, AccessKey)>> {
    let Some(key) = access_key::find(cx.tx, id)? else { return Ok(None) };
    let Owner::User { account, user_id } = &key.owner else { return Ok(None) };
    if *account != cx.scope.account {
        return Ok(None);
    }
    let user: Option<User> = cx.tx.get(&cx.scope.global(), user_id)?;
    Ok(user.map(|user| (user, key)))
}

/// Notes that a user's key or a role was used, unless a like use was noted some
/// minutes ago. Nobody asks about other keys.
pub fn note_use(cx: Cx<'_>, id: &str, service: &str) -> Result<()> {
    let Some(mut key) = access_key::find(cx.tx, id)? else { return Ok(()) };
    let (at, region, service) = (cx.now, cx.scope.region.clone(), service.to_owned());
    let this = LastUse { at, service, region };
    match &key.owner {
        Owner::User { .. } if !is_noted(key.last_use.as_ref(), &this) => {
            key.last_use = Some(this);
            cx.tx.put(&scope(), &key)
        }
        Owner::Session(session) => {
            let Subject::Role { role_arn, role_id } = &session.subject else { return Ok(()) };
            let home = Scope::new(role_arn.account.clone(), Scope::GLOBAL);
            let role: Option<Role> = cx.tx.get(&home, role_id)?;
            match role.filter(|role| !is_noted(role.last_use.as_ref(), &this)) {
                Some(mut role) => {
                    role.last_use = Some(this);
                    cx.tx.put(&home, &role)
                }
                None => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

fn is_noted(last: Option<&LastUse>, this: &LastUse) -> bool {
    last.is_some_and(|last| {
        last.service == this.service && last.region == this.region && this.at.0 - last.at.0 < NOTICE_MS
    })
}

fn get(cx: Cx<'_>, user_name: &str, id: &str) -> Result<AccessKey> {
    let found = list(cx, user_name)?.into_iter().find(|key| key.id == id);
    found.ok_or_else(|| {
        ControlError::fault("NoSuchEntity", format!("The Access Key with id {id} cannot be found."))
    })
}
