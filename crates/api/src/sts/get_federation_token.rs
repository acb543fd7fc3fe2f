//! GetFederationToken: temporary credentials for somebody whom the caller knows,
//! with what the session policies and the caller's own policies both allow.

use super::shape::{credentials, long_term_caller, packed_percent, policy_arns, session_of};
use crate::call::Call;
use crate::error::ApiError;
use crate::iam::request::{lent, request_tag_keys, required, tags};
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::session::{self, Federate};

/// Characters of a session policy.
const POLICY_LIMIT: usize = 2_048;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let request = Federate {
        name: required(params, "Name")?.to_owned(),
        policy: params.get("Policy").map(str::to_owned),
        policy_arns: policy_arns(params)?,
        duration_s: params.integer("DurationSeconds")?,
        tags: tags(params)?,
    };
    if request.policy.as_ref().is_some_and(|policy| policy.chars().count() > POLICY_LIMIT) {
        let message = format!(
            "1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must have length less than or equal to {POLICY_LIMIT}"
        );
        return Err(ApiError::new("ValidationError", message));
    }
    let issuer = long_term_caller(call, "GetFederationToken")?;
    let sts = call.scope.arn("sts", format!("federated-user/{}", request.name));
    let arn = weir_types::arn::Arn { region: String::new(), ..sts }.to_string();
    call.authorize("sts:GetFederationToken", &arn, &lent(&request_tag_keys(&request.tags)))?;
    if !request.tags.is_empty() {
        call.authorize("sts:TagSession", &arn, &lent(&request_tag_keys(&request.tags)))?;
    }
    let key = call.transact(|cx| session::federate(cx, issuer.as_deref(), &request))?;
    let mut xml = Xml::new();
    credentials(&mut xml, &key, session_of(&key)?);
    xml.element("FederatedUser", |user| {
        user.text("FederatedUserId", format!("{}:{}", call.scope.account, request.name)).text("Arn", &arn);
    })
    .optional("PackedPolicySize", packed_percent(request.policy.as_deref(), &request.tags));
    Ok(xml)
}
