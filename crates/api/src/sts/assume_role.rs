//! AssumeRole: temporary credentials of a role, if its trust policy lets the
//! caller have them.
//!
//! Not there, since nothing they could name exists: managed session policies
//! (`PolicyArns`) and MFA devices (`SerialNumber`, `TokenCode`).

use crate::call::Call;
use crate::error::ApiError;
use crate::iam::request::{required, tags};
use crate::protocol::query::Params;
use crate::protocol::stamp;
use crate::protocol::xml::Xml;
use weir_control::principal::session::{self, AssumeRole, Session};
use weir_control::principal::{AccessKey, Owner};
use weir_types::arn::Arn;

/// What AWS counts a session's policy and tags against, in characters.
const PACKED_LIMIT: usize = 2_048;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let (arn, request) = parse(params)?;
    session::check(&request)?;
    let role = call.may_assume(&arn, &request)?;
    if params.get("SerialNumber").is_some() || params.get("TokenCode").is_some() {
        let message = "MultiFactorAuthentication failed with invalid MFA one time pass code. ";
        return Err(ApiError::new("AccessDenied", message).with_status(403));
    }
    let key = call.transact(|cx| session::assume(cx, &role, &request, call.session.as_ref()))?;
    match &key.owner {
        Owner::Session(session) => Ok(render(&key, session, &request)),
        _ => Err(ApiError::internal("a new session has another owner")),
    }
}

fn parse(params: &Params) -> Result<(Arn, AssumeRole), ApiError> {
    let arn = required(params, "RoleArn")?;
    let arn: Arn = arn.parse().map_err(|_| ApiError::new("ValidationError", format!("{arn} is invalid")))?;
    if let Some(policy) = params.structs("PolicyArns").first() {
        let message = format!("Policy {} does not exist.", required(policy, "arn")?);
        return Err(ApiError::new("ValidationError", message));
    }
    let text = |name: &str| params.get(name).map(str::to_owned);
    let request = AssumeRole {
        session_name: required(params, "RoleSessionName")?.to_owned(),
        duration_s: params.integer("DurationSeconds")?,
        policy: text("Policy"),
        external_id: text("ExternalId"),
        tags: tags(params)?,
        transitive_tag_keys: params.list("TransitiveTagKeys").into_iter().map(str::to_owned).collect(),
        source_identity: text("SourceIdentity"),
    };
    Ok((arn, request))
}

fn render(key: &AccessKey, session: &Session, request: &AssumeRole) -> Xml {
    let principal = session.principal();
    let mut xml = Xml::new();
    xml.element("AssumedRoleUser", |user| {
        user.text("AssumedRoleId", principal.user_id().unwrap_or_default()).text("Arn", principal.arn());
    })
    .element("Credentials", |credentials| {
        credentials
            .text("AccessKeyId", &key.id)
            .text("SecretAccessKey", key.secret.expose())
            .text("SessionToken", session.token.expose())
            .text("Expiration", stamp::iso_seconds(session.expires));
    })
    .optional("PackedPolicySize", packed_percent(request))
    .optional("SourceIdentity", session.source_identity.as_deref());
    xml
}

/// How much of the room for policy and tags is used, in percent, rounded up.
/// AWS packs them in a form of its own, so that its figures differ.
fn packed_percent(request: &AssumeRole) -> Option<usize> {
    let policy = request.policy.as_ref().map_or(0, |text| text.chars().count());
    let tags: usize =
        request.tags.iter().map(|(key, value)| key.chars().count() + value.chars().count()).sum();
    let size = policy + tags;
    (size > 0).then(|| (size * 100).div_ceil(PACKED_LIMIT).min(100))
}
