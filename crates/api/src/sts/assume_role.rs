//! AssumeRole: temporary credentials of a role, if its trust policy lets the
//! caller have them.
//!
//! Not there, since nothing they could name exists: MFA devices (`SerialNumber`,
//! `TokenCode`).

use super::shape::{credentials, packed_percent, policy_arns, session_credentials, session_of};
use crate::call::Call;
use crate::error::ApiError;
use crate::iam::request::{required, tags};
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::AccessKey;
use weir_control::principal::session::{self, AssumeRole, Session};
use weir_iam::Principal;
use weir_types::arn::Arn;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let (arn, request) = parse(params)?;
    session::check(&request)?;
    if matches!(call.principal, Principal::FederatedUser { .. }) {
        return Err(session_credentials("AssumeRole"));
    }
    let role = call.may_assume(&arn, &request)?;
    if params.get("SerialNumber").is_some() || params.get("TokenCode").is_some() {
        let message = "MultiFactorAuthentication failed with invalid MFA one time pass code. ";
        return Err(ApiError::new("AccessDenied", message).with_status(403));
    }
    let key = call.transact(|cx| session::assume(cx, &role, &request, call.session.as_ref()))?;
    let session = session_of(&key)?;
    let role = Principal::assumed_role(role.identity.arn, &role.identity.id, &session.name);
    Ok(render(&key, session, &role, &request))
}

fn parse(params: &Params) -> Result<(Arn, AssumeRole), ApiError> {
    let arn = required(params, "RoleArn")?;
    let arn: Arn = arn.parse().map_err(|_| ApiError::new("ValidationError", format!("{arn} is invalid")))?;
    let text = |name: &str| params.get(name).map(str::to_owned);
    let request = AssumeRole {
        session_name: required(params, "RoleSessionName")?.to_owned(),
        duration_s: params.integer("DurationSeconds")?,
        policy: text("Policy"),
        policy_arns: policy_arns(params)?,
        external_id: text("ExternalId"),
        tags: tags(params)?,
        transitive_tag_keys: params.list("TransitiveTagKeys").into_iter().map(str::to_owned).collect(),
        source_identity: text("SourceIdentity"),
    };
    Ok((arn, request))
}

fn render(key: &AccessKey, session: &Session, role: &Principal, request: &AssumeRole) -> Xml {
    let mut xml = Xml::new();
    xml.element("AssumedRoleUser", |user| {
        user.text("AssumedRoleId", role.user_id().unwrap_or_default()).text("Arn", role.arn());
    });
    credentials(&mut xml, key, session);
    xml.optional("PackedPolicySize", packed_percent(request.policy.as_deref(), &request.tags))
        .optional("SourceIdentity", session.source_identity.as_deref());
    xml
}
