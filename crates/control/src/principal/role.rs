//! Roles: creation, description, deletion, trust policy.
//!
//! A role that is made again under an old name is another role: sessions of
//! the old one get nothing from it.
//!
//! Source: IAM API, `CreateRole`, `GetRole`, `ListRoles`, `DeleteRole`,
//! `UpdateRole`, `UpdateAssumeRolePolicy`.

use super::access_key::LastUse;
use super::identity::{self, IamIdentity, Identity, check_bare, conflict};
use super::instance_profile::InstanceProfile;
use super::validate::refused;
use super::{attachment, iam_tag, validate};
use crate::error::{ControlError, Result};
use crate::state::{Cx, Resource, Scope, Tx};
use serde::{Deserialize, Serialize};
use weir_iam::names::{IdPrefix, NameRule};
use weir_iam::{DocumentKind, PolicyDocument, PolicyQuota};
use weir_types::arn::Arn;

/// Session lengths that a role can be limited to, in seconds.
const MAX_SESSION_S: std::ops::RangeInclusive<i64> = 3_600..=43_200;

/// A role. It rests in the global scope of its account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    #[serde(flatten)]
    pub identity: Identity,
    /// AssumeRolePolicyDocument, as the caller wrote it.
    pub trust_policy: String,
    pub description: Option<String>,
    /// The longest session, in seconds.
    pub max_session_s: i64,
    /// The last request of a session, to some minutes.
    #[serde(default)]
    pub last_use: Option<LastUse>,
    /// The service that a service-linked role belongs to.
    #[serde(default)]
    pub linked_service: Option<String>,
}

impl Resource for Role {
    const KIND: &'static str = "role";
    fn id(&self) -> &str {
        &self.identity.id
    }
    fn parent(&self) -> Option<&str> {
        Some(&self.identity.key)
    }
}

impl IamIdentity for Role {
    const NOUN: &'static str = "role";
    const TITLE: &'static str = "Role";
    const MEMBER: &'static str = "roleName";
    const PREFIX: IdPrefix = IdPrefix::Role;
    const RULE: NameRule = NameRule::ENTITY;
    const INLINE: PolicyQuota = PolicyQuota::RoleInline;
    const ATTACHED: &'static str = "PoliciesPerRole";
    fn identity(&self) -> &Identity {
        &self.identity
    }
    fn identity_mut(&mut self) -> &mut Identity {
        &mut self.identity
    }
    fn check_modifiable(&self) -> Result<()> {
        if self.linked_service.is_none() {
            return Ok(());
        }
        let message = format!(
            "Cannot perform the operation on the protected role '{}' - this role is only modifiable by AWS",
            self.identity.name
        );
        Err(ControlError::fault("UnmodifiableEntity", message))
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
    /// The ARN of a managed policy.
    pub boundary: Option<String>,
    pub tags: Vec<(String, String)>,
    /// Takes any text as path and trust policy, as emulators do. Nobody can
    /// assume a role whose trust policy is none.
    pub unchecked: bool,
}

/// Makes a role.
///
/// Errors: `ValidationError`, `MalformedPolicyDocument`, `LimitExceeded`,
/// `InvalidInput` (tags), `EntityAlreadyExists`, `NoSuchEntity` (boundary).
pub fn create(cx: Cx<'_>, request: &CreateRole) -> Result<Role> {
    let CreateRole { name, trust_policy, description, .. } = request;
    if !request.unchecked {
        validate::name(NameRule::ENTITY, "roleName", name)?;
        validate::path(request.path.as_deref().unwrap_or("/"))?;
        check_trust_policy(trust_policy)?;
    }
    validate::description(description.as_deref().unwrap_or_default())?;
    let max_session_s = request.max_session_s.unwrap_or(*MAX_SESSION_S.start());
    validate::number("maxSessionDuration", max_session_s, MAX_SESSION_S)?;
    let mut identity = identity::draw::<Role>(cx, name, request.path.as_deref(), request.unchecked)?;
    identity.boundary = request.boundary.as_deref().map(|arn| attachment::boundary(cx, arn)).transpose()?;
    let role = Role {
        identity,
        trust_policy: trust_policy.clone(),
        description: description.clone(),
        max_session_s,
        last_use: None,
        linked_service: None,
    };
    cx.tx.put(&cx.scope.global(), &role)?;
    iam_tag::set(cx, &role.identity.id, &request.tags)?;
    Ok(role)
}

/// Errors: `NoSuchEntity`.
pub fn get(cx: Cx<'_>, name: &str) -> Result<Role> {
    identity::get(cx, name)
}

/// The role with exactly this ARN, in whichever account.
pub fn by_arn(tx: &Tx<'_>, arn: &Arn) -> Result<Option<Role>> {
    identity::by_arn(tx, arn)
}

/// Removes a role. Its sessions are refused everything from now on.
///
/// Errors: `NoSuchEntity`, `UnmodifiableEntity`; `DeleteConflict` while it has
/// policies or is in an instance profile.
pub fn delete(cx: Cx<'_>, name: &str) -> Result<()> {
    let role: Role = identity::get_to_change(cx, name)?;
    let profiles: Vec<InstanceProfile> = cx.tx.list(&cx.scope.global())?;
    if profiles.iter().any(|profile| profile.role_id.as_deref() == Some(role.id())) {
        return Err(conflict("Cannot delete entity, must remove roles from instance profile first."));
    }
    check_bare(&role.identity)?;
    cx.tx.delete::<Role>(&cx.scope.global(), role.id())?;
    Ok(())
}

/// Changes what is given.
///
/// Errors: `NoSuchEntity`, `ValidationError`.
pub fn update(cx: Cx<'_>, name: &str, description: Option<&str>, max_session_s: Option<i64>) -> Result<()> {
    let mut role = get(cx, name)?;
    if let Some(text) = description {
        validate::description(text)?;
        role.description = Some(text.to_owned());
    }
    if let Some(seconds) = max_session_s {
        validate::number("maxSessionDuration", seconds, MAX_SESSION_S)?;
        role.max_session_s = seconds;
    }
    cx.tx.put(&cx.scope.global(), &role)
}

/// Errors: `NoSuchEntity`, `MalformedPolicyDocument`, `LimitExceeded`,
/// `UnmodifiableEntity`.
pub fn update_trust_policy(cx: Cx<'_>, name: &str, document: &str) -> Result<()> {
    let mut role: Role = identity::get_to_change(cx, name)?;
    check_trust_policy(document)?;
    role.trust_policy = document.to_owned();
    cx.tx.put(&cx.scope.global(), &role)
}

fn check_trust_policy(document: &str) -> Result<()> {
    PolicyDocument::parse(document, DocumentKind::Trust).map_err(refused)?;
    PolicyQuota::Trust.check([document]).map_err(refused)
}

/// The ARN that a role of this path and name has.
pub fn arn(scope: &Scope, path: &str, name: &str) -> Arn {
    identity::arn::<Role>(scope, path, name)
}
