//! What users, groups and roles have in common: a name, a path, an ARN, inline
//! and attached policies, a permissions boundary.
//!
//! Names are unique in the account ignoring case and keep the case they were
//! given. One that is made again under an old name is another one: its id differs.
//!
//! Source: IAM user guide, "IAM identifiers".

use super::validate;
use crate::error::{ControlError, Result};
use crate::random;
use crate::state::{Cx, Resource, Scope, Tx};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use weir_iam::PolicyQuota;
use weir_iam::names::{IdPrefix, NameRule};
use weir_types::arn::Arn;
use weir_types::time::UnixMillis;

/// The common part of a user, group or role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// `AIDA…`, `AGPA…` or `AROA…`
    pub id: String,
    pub name: String,
    /// The name in lower case.
    pub(super) key: String,
    /// `/` or `/team/flow/`.
    pub path: String,
    /// `arn:aws:iam::A:role/PATH/NAME`
    pub arn: Arn,
    pub created: UnixMillis,
    /// Inline policies by name, as the caller wrote them.
    pub policies: BTreeMap<String, String>,
    /// The ARNs of managed policies, in the order they were attached.
    #[serde(default)]
    pub attached: Vec<String>,
    /// The ARN of the managed policy that is the permissions boundary. Groups have none.
    #[serde(default)]
    pub boundary: Option<String>,
}

/// A user, group or role.
pub trait IamIdentity: Resource + Clone {
    /// `user`, `group` or `role`, as ARNs and faults spell it.
    const NOUN: &'static str;
    /// The same with a capital, at the start of a fault.
    const TITLE: &'static str;
    /// The parameter of the name in faults: `roleName`.
    const MEMBER: &'static str;
    const PREFIX: IdPrefix;
    const RULE: NameRule;
    const INLINE: PolicyQuota;
    /// The quota of attached policies in faults: `PoliciesPerRole`.
    const ATTACHED: &'static str;

    fn identity(&self) -> &Identity;
    fn identity_mut(&mut self) -> &mut Identity;

    /// Refuses what only AWS may do to it.
    ///
    /// Errors: `UnmodifiableEntity`.
    fn check_modifiable(&self) -> Result<()> {
        Ok(())
    }
}

/// A new one, of which nothing is stored yet. `unchecked` takes any text as
/// path, as emulators do.
///
/// Errors: `ValidationError`, `EntityAlreadyExists`.
pub(super) fn draw<T: IamIdentity>(
    cx: Cx<'_>,
    name: &str,
    path: Option<&str>,
    unchecked: bool,
) -> Result<Identity> {
    validate::name(T::RULE, T::MEMBER, name)?;
    let path = path.unwrap_or("/");
    let mut arn_path = path.to_owned();
    if unchecked {
        arn_path = tidy_path(path);
    } else {
        validate::path(path)?;
    }
    check_free::<T>(cx, name)?;
    Ok(Identity {
        id: T::PREFIX.id(random::bits()?),
        name: name.to_owned(),
        key: name.to_lowercase(),
        path: path.to_owned(),
        arn: arn::<T>(cx.scope, &arn_path, name),
        created: cx.now,
        policies: BTreeMap::new(),
        attached: Vec::new(),
        boundary: None,
    })
}

/// A path that may stand in an ARN, made of any text.
pub(super) fn tidy_path(path: &str) -> String {
    format!("/{}/", path.trim_matches('/')).replace("//", "/")
}

/// Gives another name, path or both.
///
/// Errors: `ValidationError`, `EntityAlreadyExists`.
pub(super) fn rename<T: IamIdentity>(
    cx: Cx<'_>,
    thing: &mut T,
    name: Option<&str>,
    path: Option<&str>,
) -> Result<()> {
    let old = thing.identity().clone();
    let name = name.unwrap_or(&old.name);
    let path = path.unwrap_or(&old.path);
    validate::name(T::RULE, "newName", name)?;
    validate::path(path)?;
    if name.to_lowercase() != old.key {
        check_free::<T>(cx, name)?;
    }
    let arn = arn::<T>(cx.scope, path, name);
    let identity = thing.identity_mut();
    *identity =
        Identity { name: name.to_owned(), key: name.to_lowercase(), path: path.to_owned(), arn, ..old };
    cx.tx.put(&cx.scope.global(), thing)
}

fn check_free<T: IamIdentity>(cx: Cx<'_>, name: &str) -> Result<()> {
    if find::<T>(cx.tx, &cx.scope.global(), name)?.is_none() {
        return Ok(());
    }
    let message = format!("{} with name {name} already exists.", T::TITLE);
    Err(ControlError::fault("EntityAlreadyExists", message))
}

/// The one of this name, ignoring case, in an account's global scope.
pub fn find<T: IamIdentity>(tx: &Tx<'_>, scope: &Scope, name: &str) -> Result<Option<T>> {
    Ok(tx.list_in::<T>(scope, &name.to_lowercase())?.pop())
}

/// Errors: `NoSuchEntity`.
pub fn get<T: IamIdentity>(cx: Cx<'_>, name: &str) -> Result<T> {
    find(cx.tx, &cx.scope.global(), name)?.ok_or_else(|| {
        ControlError::fault("NoSuchEntity", format!("The {} with name {name} cannot be found.", T::NOUN))
    })
}

/// As [`get`], for a change.
///
/// Errors: `NoSuchEntity`, `UnmodifiableEntity`.
pub fn get_to_change<T: IamIdentity>(cx: Cx<'_>, name: &str) -> Result<T> {
    let found: T = get(cx, name)?;
    found.check_modifiable()?;
    Ok(found)
}

/// The one with exactly this ARN, in whichever account.
pub fn by_arn<T: IamIdentity>(tx: &Tx<'_>, arn: &Arn) -> Result<Option<T>> {
    let Some((noun, path)) = arn.resource.split_once('/').filter(|_| arn.service == "iam") else {
        return Ok(None);
    };
    if noun != T::NOUN {
        return Ok(None);
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    let found: Option<T> = find(tx, &Scope::new(arn.account.clone(), Scope::GLOBAL), name)?;
    Ok(found.filter(|found| found.identity().arn == *arn))
}

/// Those whose path begins with `path_prefix`, by name.
///
/// Errors: `ValidationError`.
pub fn list<T: IamIdentity>(cx: Cx<'_>, path_prefix: &str) -> Result<Vec<T>> {
    check_path_prefix(path_prefix)?;
    let mut all: Vec<T> = cx.tx.list(&cx.scope.global())?;
    all.retain(|one| one.identity().path.starts_with(path_prefix));
    all.sort_by(|a, b| a.identity().key.cmp(&b.identity().key));
    Ok(all)
}

/// Errors: `ValidationError`.
pub(super) fn check_path_prefix(path_prefix: &str) -> Result<()> {
    if path_prefix.starts_with('/') {
        return Ok(());
    }
    let message = format!("The path prefix '{path_prefix}' is invalid: it must begin with /");
    Err(ControlError::fault("ValidationError", message))
}

/// Refuses to delete what still has policies.
///
/// Errors: `DeleteConflict`.
pub(super) fn check_bare(identity: &Identity) -> Result<()> {
    if !identity.attached.is_empty() {
        return Err(conflict("Cannot delete entity, must detach all policies first."));
    }
    if !identity.policies.is_empty() {
        return Err(conflict("Cannot delete entity, must delete policies first."));
    }
    Ok(())
}

pub(super) fn conflict(message: &str) -> ControlError {
    ControlError::fault("DeleteConflict", message)
}

/// A quota that would be exceeded.
pub(super) fn quota(name: &str, limit: usize) -> ControlError {
    ControlError::fault("LimitExceeded", format!("Cannot exceed quota for {name}: {limit}"))
}

/// The ARN that one of this path and name has.
pub fn arn<T: IamIdentity>(scope: &Scope, path: &str, name: &str) -> Arn {
    iam_arn(scope, &format!("{}{path}{name}", T::NOUN))
}

/// An ARN of IAM in the caller's account and partition.
pub fn iam_arn(scope: &Scope, resource: &str) -> Arn {
    Arn { region: String::new(), ..scope.arn("iam", resource) }
}
