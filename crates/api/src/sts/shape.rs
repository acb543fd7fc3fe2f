//! What the actions that hand out temporary credentials have in common.

use crate::call::Call;
use crate::error::ApiError;
use crate::iam::request::required;
use crate::protocol::query::Params;
use crate::protocol::stamp;
use crate::protocol::xml::Xml;
use weir_control::principal::{AccessKey, Owner, Session};
use weir_iam::Principal;

/// What a session's policy and tags are counted against, in characters.
const PACKED_LIMIT: usize = 2_048;

/// The element `Credentials`.
pub fn credentials(xml: &mut Xml, key: &AccessKey, session: &Session) {
    xml.element("Credentials", |credentials| {
        credentials
            .text("AccessKeyId", &key.id)
            .text("SecretAccessKey", key.secret.expose())
            .text("SessionToken", session.token.expose())
            .text("Expiration", stamp::iso_seconds(session.expires));
    });
}

/// `PolicyArns.member.N.arn`
///
/// Errors: `ValidationError`.
pub fn policy_arns(params: &Params) -> Result<Vec<String>, ApiError> {
    params.structs("PolicyArns").iter().map(|policy| Ok(required(policy, "arn")?.to_owned())).collect()
}

/// How much of the room for policy and tags is used, in percent, rounded up.
/// AWS packs them in a form of its own, so that its figures differ.
pub fn packed_percent(policy: Option<&str>, tags: &[(String, String)]) -> Option<usize> {
    let policy = policy.map_or(0, |text| text.chars().count());
    let tags: usize = tags.iter().map(|(key, value)| key.chars().count() + value.chars().count()).sum();
    let size = policy + tags;
    (size > 0).then(|| (size * 100).div_ceil(PACKED_LIMIT).min(100))
}

/// What those are told who may not do this with temporary credentials.
pub fn session_credentials(action: &str) -> ApiError {
    let message = format!("Cannot call {action} with session credentials");
    ApiError::new("AccessDenied", message).with_status(403)
}

/// The id of the user that calls with its own key; None for the root user.
///
/// Errors: `AccessDenied` for sessions and services.
pub fn long_term_caller(call: &Call<'_>, action: &str) -> Result<Option<String>, ApiError> {
    match (&call.principal, &call.session) {
        (Principal::User { user_id, .. }, None) => Ok(Some(user_id.clone())),
        (Principal::Root { .. }, None) => Ok(None),
        _ => Err(session_credentials(action)),
    }
}

/// The session of a key that was just made.
pub fn session_of(key: &AccessKey) -> Result<&Session, ApiError> {
    match &key.owner {
        Owner::Session(session) => Ok(session),
        _ => Err(ApiError::internal("a new session has another owner")),
    }
}
