//! Temporary credentials of a role, a user or a federated user.
//!
//! Whether the caller may assume the role is decided before (by its trust
//! policy); here the request is checked and the session made. A session reads
//! the policies of its role or user at each request, so a changed policy counts
//! at once and a deleted role leaves its sessions with nothing. The session's own
//! policies, managed ones too, are those of when it was made.
//!
//! Source: STS API, `AssumeRole`, `GetSessionToken`, `GetFederationToken`.

use super::access_key::{self, AccessKey, Owner, SECRET_ALPHABET, SESSIONS};
use super::role::Role;
use super::subject::Subject;
use super::validate::refused;
use super::{iam_tag, managed_policy, validate};
use crate::error::{ControlError, Result};
use crate::random;
use crate::state::Cx;
use serde::{Deserialize, Serialize};
use weir_iam::names::{IdPrefix, NameRule};
use weir_iam::{DocumentKind, PolicyDocument, SessionToken};
use weir_types::arn::Arn;
use weir_types::time::UnixMillis;

/// Session lengths, in seconds.
const DURATION_S: std::ops::RangeInclusive<i64> = 900..=43_200;
const DEFAULT_DURATION_S: i64 = 3_600;
/// The longest session of a role that was assumed by another role's session.
const CHAINED_S: i64 = 3_600;
/// How session tokens begin, so that tools which look for secrets know them.
const TOKEN_START: &str = "FQoGZXIvYXdzE";
/// Characters of a session policy.
const POLICY_LIMIT: usize = 2_048;
/// Managed session policies of one session.
const POLICY_ARNS: usize = 10;
/// Sessions of users and federated users, in seconds; of the root user at most an hour.
const USER_DURATION_S: std::ops::RangeInclusive<i64> = 900..=129_600;
const DEFAULT_USER_DURATION_S: i64 = 43_200;
const ROOT_DURATION_S: i64 = 3_600;
/// How long an expired session is still told that it has expired; later its key
/// is unknown.
const REMEMBERED_S: i64 = 3_600;

/// What temporary credentials carry besides their key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Session {
    #[serde(flatten)]
    pub subject: Subject,
    /// RoleSessionName; empty for a user's or the root user's own session.
    pub name: String,
    #[serde(with = "exposed")]
    pub token: SessionToken,
    pub issued: UnixMillis,
    pub expires: UnixMillis,
    /// Session policies; with any, the session may do only what they allow too.
    pub policies: Vec<String>,
    /// `aws:PrincipalTag/KEY` of the session.
    pub tags: Vec<(String, String)>,
    /// Keys of tags that sessions made from this one inherit.
    pub transitive_tag_keys: Vec<String>,
    pub source_identity: Option<String>,
}

/// What AssumeRole is asked for, its role aside.
#[derive(Debug, Clone, Default)]
pub struct AssumeRole {
    pub session_name: String,
    pub duration_s: Option<i64>,
    /// An inline session policy.
    pub policy: Option<String>,
    /// The ARNs of managed session policies.
    pub policy_arns: Vec<String>,
    pub external_id: Option<String>,
    pub tags: Vec<(String, String)>,
    pub transitive_tag_keys: Vec<String>,
    pub source_identity: Option<String>,
}

/// Checks what does not depend on the role, so that a malformed request is told
/// so before anybody is told whether the role exists.
///
/// Errors: `ValidationError`, `MalformedPolicyDocument`, `PackedPolicyTooLarge`,
/// `InvalidParameterValue` (tags).
pub fn check(request: &AssumeRole) -> Result<()> {
    validate::name(NameRule::SESSION, "roleSessionName", &request.session_name)?;
    validate::number("durationSeconds", request.duration_s.unwrap_or(DEFAULT_DURATION_S), DURATION_S)?;
    if let Some(id) = &request.external_id {
        validate::name(NameRule::EXTERNAL_ID, "externalId", id)?;
    }
    if let Some(identity) = &request.source_identity {
        validate::name(NameRule::SESSION, "sourceIdentity", identity)?;
    }
    iam_tag::check(&request.tags, "InvalidParameterValue")?;
    for key in &request.transitive_tag_keys {
        if !request.tags.iter().any(|(tag, _)| tag.eq_ignore_ascii_case(key)) {
            let message = "The specified transitive tag key must be included in the requested tags.";
            return Err(ControlError::fault("InvalidParameterValue", message));
        }
    }
    check_policies(request.policy.as_deref(), &request.policy_arns)
}

/// Checks session policies, as far as it can be done without the account.
///
/// Errors: `MalformedPolicyDocument`, `PackedPolicyTooLarge`, `ValidationError`.
fn check_policies(policy: Option<&str>, arns: &[String]) -> Result<()> {
    if arns.len() > POLICY_ARNS {
        let message = format!(
            "1 validation error detected: Value at 'policyArns' failed to satisfy constraint: Member must have length less than or equal to {POLICY_ARNS}"
        );
        return Err(ControlError::fault("ValidationError", message));
    }
    for arn in arns {
        managed_policy::parse_arn(arn)?;
    }
    let Some(document) = policy else { return Ok(()) };
    PolicyDocument::parse(document, DocumentKind::Identity).map_err(refused)?;
    let length = document.chars().count();
    if length > POLICY_LIMIT {
        let message = format!("The session policy has {length} characters, more than {POLICY_LIMIT}");
        return Err(ControlError::fault("PackedPolicyTooLarge", message));
    }
    Ok(())
}

/// The documents of session policies: the inline one and the managed ones, as
/// they are now.
///
/// Errors: `ValidationError` for a managed policy that is not there.
fn documents(cx: Cx<'_>, policy: Option<&str>, arns: &[String]) -> Result<Vec<String>> {
    let mut found: Vec<String> = policy.map(str::to_owned).into_iter().collect();
    for arn in arns {
        let policy = managed_policy::find(cx.tx, cx.scope, arn)?;
        let missing = || ControlError::fault("ValidationError", format!("Policy {arn} does not exist."));
        found.push(policy.ok_or_else(missing)?.document().to_owned());
    }
    Ok(found)
}

/// Makes temporary credentials of a role. `caller` is the session of the
/// caller, if it is one: role chaining. Sessions that have expired are removed.
///
/// Errors: those of [`check`]; `ValidationError` for a session longer than the
/// role or role chaining allow.
pub fn assume(cx: Cx<'_>, role: &Role, request: &AssumeRole, caller: Option<&Session>) -> Result<AccessKey> {
    check(request)?;
    let duration_s = request.duration_s.unwrap_or(DEFAULT_DURATION_S);
    let too_long = if duration_s > role.max_session_s {
        Some("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    } else if caller.is_some_and(Session::is_role) && duration_s > CHAINED_S {
        Some(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        )
    } else {
        None
    };
    if let Some(message) = too_long {
        return Err(ControlError::fault("ValidationError", message));
    }
    let (tags, transitive_tag_keys) = tags(request, caller)?;
    let identity = &role.identity;
    let subject = Subject::Role { role_arn: identity.arn.clone(), role_id: identity.id.clone() };
    let session = Session {
        policies: documents(cx, request.policy.as_deref(), &request.policy_arns)?,
        tags,
        transitive_tag_keys,
        source_identity: source_identity(request, caller)?,
        ..session(cx, subject, &request.session_name, duration_s)?
    };
    keep(cx, session)
}

/// Makes temporary credentials of a user, or of the root user (`user` None), for
/// itself.
///
/// Errors: `ValidationError`.
pub fn session_token(cx: Cx<'_>, user_id: Option<&str>, duration_s: Option<i64>) -> Result<AccessKey> {
    let duration_s = user_duration(duration_s, user_id.is_none())?;
    let account = cx.scope.account.clone();
    let subject = match user_id {
        Some(id) => Subject::User { account, user_id: id.to_owned() },
        None => Subject::Root { account },
    };
    let session = session(cx, subject, "", duration_s)?;
    keep(cx, session)
}

/// What GetFederationToken is asked for.
#[derive(Debug, Clone, Default)]
pub struct Federate {
    pub name: String,
    pub policy: Option<String>,
    pub policy_arns: Vec<String>,
    pub duration_s: Option<i64>,
    pub tags: Vec<(String, String)>,
}

/// Makes temporary credentials of a federated user with permissions of a user,
/// or of the root user (`issuer` None).
///
/// Errors: `ValidationError`, `MalformedPolicyDocument`, `PackedPolicyTooLarge`,
/// `InvalidParameterValue` (tags).
pub fn federate(cx: Cx<'_>, issuer: Option<&str>, request: &Federate) -> Result<AccessKey> {
    validate::name(NameRule::FEDERATED, "name", &request.name)?;
    let duration_s = user_duration(request.duration_s, issuer.is_none())?;
    iam_tag::check(&request.tags, "InvalidParameterValue")?;
    check_policies(request.policy.as_deref(), &request.policy_arns)?;
    let sts = cx.scope.arn("sts", format!("federated-user/{}", request.name));
    let subject = Subject::Federated {
        federated_arn: Arn { region: String::new(), ..sts },
        issuer_user_id: issuer.map(str::to_owned),
    };
    let session = Session {
        policies: documents(cx, request.policy.as_deref(), &request.policy_arns)?,
        tags: request.tags.clone(),
        ..session(cx, subject, &request.name, duration_s)?
    };
    keep(cx, session)
}

/// The root user's sessions end after an hour, whatever was asked for.
fn user_duration(wanted_s: Option<i64>, is_root: bool) -> Result<i64> {
    let duration_s = wanted_s.unwrap_or(DEFAULT_USER_DURATION_S);
    validate::number("durationSeconds", duration_s, USER_DURATION_S)?;
    Ok(if is_root { duration_s.min(ROOT_DURATION_S) } else { duration_s })
}

/// A session without policies and tags.
fn session(cx: Cx<'_>, subject: Subject, name: &str, duration_s: i64) -> Result<Session> {
    Ok(Session {
        subject,
        name: name.to_owned(),
        token: SessionToken::new(format!("{TOKEN_START}{}", random::text(343, SECRET_ALPHABET)?)),
        issued: cx.now,
        expires: cx.now.plus_seconds(duration_s),
        policies: Vec::new(),
        tags: Vec::new(),
        transitive_tag_keys: Vec::new(),
        source_identity: None,
    })
}

/// Stores a session under a new key; those that have expired are removed.
fn keep(cx: Cx<'_>, session: Session) -> Result<AccessKey> {
    remove_expired(cx)?;
    access_key::draw(cx.tx, IdPrefix::TemporaryAccessKey, Owner::Session(Box::new(session)))
}

type Tags = Vec<(String, String)>;

/// The tags of the new session and which of them go on: its own and those that
/// are transitive in the caller's, which it may not change.
fn tags(request: &AssumeRole, caller: Option<&Session>) -> Result<(Tags, Vec<String>)> {
    let (mut tags, mut keys) = (request.tags.clone(), request.transitive_tag_keys.clone());
    for key in caller.map(|session| session.transitive_tag_keys.as_slice()).unwrap_or_default() {
        if tags.iter().any(|(own, _)| own.eq_ignore_ascii_case(key)) {
            let message = "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.";
            return Err(ControlError::fault("InvalidParameterValue", message));
        }
        let inherited =
            caller.and_then(|session| session.tags.iter().find(|(own, _)| own.eq_ignore_ascii_case(key)));
        tags.extend(inherited.cloned());
        keys.push(key.clone());
    }
    Ok((tags, keys))
}

/// A source identity, once set, stays through role chaining.
fn source_identity(request: &AssumeRole, caller: Option<&Session>) -> Result<Option<String>> {
    let inherited = caller.and_then(|session| session.source_identity.clone());
    match (&request.source_identity, inherited) {
        (Some(wanted), Some(inherited)) if *wanted != inherited => {
            let message = "The source identity of a session cannot be changed by role chaining";
            Err(ControlError::fault("ValidationError", message))
        }
        (wanted, inherited) => Ok(inherited.or_else(|| wanted.clone())),
    }
}

fn remove_expired(cx: Cx<'_>) -> Result<()> {
    for key in cx.tx.list_in::<AccessKey>(&access_key::scope(), SESSIONS)? {
        if let Owner::Session(session) = &key.owner
            && session.expires.plus_seconds(REMEMBERED_S) <= cx.now
        {
            cx.tx.delete::<AccessKey>(&access_key::scope(), &key.id)?;
        }
    }
    Ok(())
}

impl Session {
    /// Whether it is a role's.
    pub fn is_role(&self) -> bool {
        matches!(self.subject, Subject::Role { .. })
    }
}

/// A token as plain text in the state.
mod exposed {
    use serde::{Deserialize, Deserializer, Serializer};
    use weir_iam::SessionToken;

    pub fn serialize<S: Serializer>(token: &SessionToken, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(token.expose())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SessionToken, D::Error> {
        String::deserialize(from).map(SessionToken::new)
    }
}
