//! Role sessions: temporary credentials of a role.
//!
//! Whether the caller may assume the role is decided before (by its trust
//! policy); here the request is checked and the session made. A session reads
//! its role's policies at each request, so a changed policy counts at once and
//! a deleted role leaves its sessions with nothing.
//!
//! Source: STS API, `AssumeRole`.

use super::access_key::{self, AccessKey, Owner, SECRET_ALPHABET, SESSIONS};
use super::role::{Role, refused};
use super::{role_tag, validate};
use crate::error::{ControlError, Result};
use crate::random;
use crate::state::Cx;
use serde::{Deserialize, Serialize};
use weir_iam::names::{IdPrefix, NameRule};
use weir_iam::{DocumentKind, PolicyDocument, Principal, SessionToken};
use weir_types::arn::Arn;
use weir_types::time::UnixMillis;

/// Session lengths, in seconds.
const DURATION_S: std::ops::RangeInclusive<i64> = 900..=43_200;
const DEFAULT_DURATION_S: i64 = 3_600;
/// The longest session of a role that was assumed by another role's session.
const CHAINED_S: i64 = 3_600;
/// Characters of a session policy.
const POLICY_LIMIT: usize = 2_048;
/// How long an expired session is still told that it has expired; later its key
/// is unknown.
const REMEMBERED_S: i64 = 3_600;

/// What temporary credentials carry besides their key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Session {
    pub role_arn: Arn,
    /// `AROA…`
    pub role_id: String,
    /// RoleSessionName
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
    role_tag::check(&request.tags, "InvalidParameterValue")?;
    for key in &request.transitive_tag_keys {
        if !request.tags.iter().any(|(tag, _)| tag.eq_ignore_ascii_case(key)) {
            let message = "The specified transitive tag key must be included in the requested tags.";
            return Err(ControlError::fault("InvalidParameterValue", message));
        }
    }
    if let Some(document) = &request.policy {
        PolicyDocument::parse(document, DocumentKind::Identity).map_err(refused)?;
        let length = document.chars().count();
        if length > POLICY_LIMIT {
            let message = format!("The session policy has {length} characters, more than {POLICY_LIMIT}");
            return Err(ControlError::fault("PackedPolicyTooLarge", message));
        }
    }
    Ok(())
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
    } else if caller.is_some() && duration_s > CHAINED_S {
        Some(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        )
    } else {
        None
    };
    if let Some(message) = too_long {
        return Err(ControlError::fault("ValidationError", message));
    }
    remove_expired(cx)?;
    let (tags, transitive_tag_keys) = tags(request, caller)?;
    let session = Session {
        role_arn: role.arn.clone(),
        role_id: role.id.clone(),
        name: request.session_name.clone(),
        token: SessionToken::new(random::text(320, SECRET_ALPHABET)?),
        issued: cx.now,
        expires: cx.now.plus_seconds(duration_s),
        policies: request.policy.iter().cloned().collect(),
        tags,
        transitive_tag_keys,
        source_identity: source_identity(request, caller)?,
    };
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
    pub fn principal(&self) -> Principal {
        Principal::assumed_role(self.role_arn.clone(), &self.role_id, &self.name)
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
