//! Roles: creation, description, deletion, trust policy.
//!
//! Names are unique in the account ignoring case and keep the case they were
//! given. A role that is made again under an old name is another role: its id
//! differs, and sessions of the old one get nothing from it.
//!
//! Source: IAM API, `CreateRole`, `GetRole`, `ListRoles`, `DeleteRole`,
//! `UpdateRole`, `UpdateAssumeRolePolicy`.

use super::{role_tag, validate};
use crate::error::{ControlError, Result};
use crate::random;
use crate::state::{Cx, Resource, Scope, Tx};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use weir_iam::names::{IdPrefix, NameRule};
use weir_iam::{DocumentKind, PolicyDocument, PolicyError, PolicyQuota};
use weir_types::arn::Arn;
use weir_types::time::UnixMillis;

/// Session lengths that a role can be limited to, in seconds.
const MAX_SESSION_S: std::ops::RangeInclusive<i64> = 3_600..=43_200;

/// A role. It rests in the global scope of its account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// `AROA…`
    pub id: String,
    pub name: String,
    /// The name in lower case.
    key: String,
    /// `/` or `/team/flow/`.
    pub path: String,
    /// `arn:aws:iam::A:role/PATH/NAME`
    pub arn: Arn,
    pub created: UnixMillis,
    /// AssumeRolePolicyDocument, as the caller wrote it.
    pub trust_policy: String,
    pub description: Option<String>,
    /// The longest session, in seconds.
    pub max_session_s: i64,
    /// Inline policies by name, as the caller wrote them.
    pub policies: BTreeMap<String, String>,
}

impl Resource for Role {
    const KIND: &'static str = "role";
    fn id(&self) -> &str {
        &self.id
    }
    fn parent(&self) -> Option<&str> {
        Some(&self.key)
    }
}

/// What CreateRole is asked for.
#[derive(Debug, Clone, Default)]
pub struct CreateRole {
    pub name: String,
    pub trust_policy: String,
    pub path: Option<String>,
    pub description: Option<String>,
    pub max_session_s: Option<i64>,
    pub tags: Vec<(String, String)>,
    /// Takes any text as path and trust policy, as emulators do. Nobody can
    /// assume a role whose trust policy is none.
    pub unchecked: bool,
}

/// Makes a role.
///
/// Errors: `ValidationError`, `MalformedPolicyDocument`, `LimitExceeded`,
/// `InvalidInput` (tags), `EntityAlreadyExists`.
pub fn create(cx: Cx<'_>, request: &CreateRole) -> Result<Role> {
    let CreateRole { name, trust_policy, description, .. } = request;
    validate::name(NameRule::ENTITY, "roleName", name)?;
    let path = request.path.as_deref().unwrap_or("/");
    if !request.unchecked {
        validate::path(path)?;
        check_trust_policy(trust_policy)?;
    }
    validate::description(description.as_deref().unwrap_or_default())?;
    let max_session_s = request.max_session_s.unwrap_or(*MAX_SESSION_S.start());
    validate::number("maxSessionDuration", max_session_s, MAX_SESSION_S)?;
    let scope = cx.scope.global();
    if find(cx.tx, &scope, name)?.is_some() {
        let message = format!("Role with name {name} already exists.");
        return Err(ControlError::fault("EntityAlreadyExists", message));
    }
    let arn_path = match request.unchecked {
        true => format!("/{}/", path.trim_matches('/')).replace("//", "/"),
        false => path.to_owned(),
    };
    let role = Role {
        id: IdPrefix::Role.id(random::bits()?),
        name: name.clone(),
        key: name.to_lowercase(),
        path: path.to_owned(),
        arn: arn(cx.scope, &arn_path, name),
        created: cx.now,
        trust_policy: trust_policy.clone(),
        description: description.clone().filter(|text| !text.is_empty()),
        max_session_s,
        policies: BTreeMap::new(),
    };
    cx.tx.put(&scope, &role)?;
    role_tag::set(cx, &role, &request.tags)?;
    Ok(role)
}

/// Errors: `NoSuchEntity`.
pub fn get(cx: Cx<'_>, name: &str) -> Result<Role> {
    find(cx.tx, &cx.scope.global(), name)?.ok_or_else(|| {
        ControlError::fault("NoSuchEntity", format!("The role with name {name} cannot be found."))
    })
}

/// The role with exactly this ARN, in whichever account.
pub fn by_arn(tx: &Tx<'_>, arn: &Arn) -> Result<Option<Role>> {
    let Some(path) = arn.resource.strip_prefix("role/").filter(|_| arn.service == "iam") else {
        return Ok(None);
    };
    let name = path.rsplit('/').next().unwrap_or(path);
    let role = find(tx, &Scope::new(arn.account.clone(), Scope::GLOBAL), name)?;
    Ok(role.filter(|role| role.arn == *arn))
}

/// The role of this name, ignoring case, in an account's global scope.
pub fn find(tx: &Tx<'_>, scope: &Scope, name: &str) -> Result<Option<Role>> {
    Ok(tx.list_in::<Role>(scope, &name.to_lowercase())?.pop())
}

/// The roles whose path begins with `path_prefix`, by name.
///
/// Errors: `ValidationError`.
pub fn list(cx: Cx<'_>, path_prefix: &str) -> Result<Vec<Role>> {
    if !path_prefix.starts_with('/') {
        let message = format!("The path prefix '{path_prefix}' is invalid: it must begin with /");
        return Err(ControlError::fault("ValidationError", message));
    }
    let mut roles: Vec<Role> = cx.tx.list(&cx.scope.global())?;
    roles.retain(|role| role.path.starts_with(path_prefix));
    roles.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(roles)
}

/// Removes a role. Its sessions are refused everything from now on.
///
/// Errors: `NoSuchEntity`; `DeleteConflict` while it has inline policies.
pub fn delete(cx: Cx<'_>, name: &str) -> Result<()> {
    let role = get(cx, name)?;
    if !role.policies.is_empty() {
        let message = "Cannot delete entity, must delete policies first.";
        return Err(ControlError::fault("DeleteConflict", message));
    }
    cx.tx.delete::<Role>(&cx.scope.global(), &role.id)?;
    Ok(())
}

/// Changes what is given.
///
/// Errors: `NoSuchEntity`, `ValidationError`.
pub fn update(cx: Cx<'_>, name: &str, description: Option<&str>, max_session_s: Option<i64>) -> Result<()> {
    let mut role = get(cx, name)?;
    if let Some(text) = description {
        validate::description(text)?;
        role.description = Some(text.to_owned()).filter(|text| !text.is_empty());
    }
    if let Some(seconds) = max_session_s {
        validate::number("maxSessionDuration", seconds, MAX_SESSION_S)?;
        role.max_session_s = seconds;
    }
    cx.tx.put(&cx.scope.global(), &role)
}

/// Errors: `NoSuchEntity`, `MalformedPolicyDocument`, `LimitExceeded`.
pub fn update_trust_policy(cx: Cx<'_>, name: &str, document: &str) -> Result<()> {
    let mut role = get(cx, name)?;
    check_trust_policy(document)?;
    role.trust_policy = document.to_owned();
    cx.tx.put(&cx.scope.global(), &role)
}

fn check_trust_policy(document: &str) -> Result<()> {
    PolicyDocument::parse(document, DocumentKind::Trust).map_err(refused)?;
    PolicyQuota::Trust.check([document]).map_err(refused)
}

/// A refused policy document as a fault.
pub(super) fn refused(error: PolicyError) -> ControlError {
    ControlError::fault(error.code(), error.to_string())
}

/// The ARN that a role of this path and name has.
pub fn arn(scope: &Scope, path: &str, name: &str) -> Arn {
    Arn { region: String::new(), ..scope.arn("iam", format!("role{path}{name}")) }
}
