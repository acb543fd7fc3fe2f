//! The encoded message in EC2's denials: what was asked, and what decided.
//!
//! Only the server can read it again, for those who may do
//! `sts:DecodeAuthorizationMessage`, since it may tell more than the caller may know.
//!
//! Source: STS API, `DecodeAuthorizationMessage`.

use crate::call::Services;
use crate::error::ApiError;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde_json::{Value, json};
use std::io::{Read, Write};
use weir_control::principal::message_key::message_key;
use weir_control::random;
use weir_iam::{Context, ContextValue, Decision, Request, sealed};

/// The longest message that is read, in bytes.
const LIMIT: u64 = 1 << 20;

/// The message of a denial.
pub fn encode(services: &Services, request: &Request<'_>, decision: &Decision) -> Result<String, ApiError> {
    let text = document(request, decision).to_string();
    let key = services.state.transact(message_key).map_err(ApiError::from)?;
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
    let packed =
        packed.write_all(text.as_bytes()).and_then(|()| packed.finish()).map_err(ApiError::internal)?;
    let nonce = random::bits().map_err(ApiError::from)?.to_le_bytes();
    sealed::seal(&key, nonce, &packed).ok_or_else(|| ApiError::internal("a message could not be sealed"))
}

/// What [`encode`] has written. None for any other text.
pub fn decode(services: &Services, message: &str) -> Result<Option<String>, ApiError> {
    let key = services.state.transact(message_key).map_err(ApiError::from)?;
    let Some(packed) = sealed::open(&key, message) else { return Ok(None) };
    let mut text = String::new();
    let read = ZlibDecoder::new(packed.as_slice()).take(LIMIT).read_to_string(&mut text);
    Ok(read.is_ok().then_some(text))
}

fn document(request: &Request<'_>, decision: &Decision) -> Value {
    let matched = match decision {
        Decision::ExplicitDeny { kind, policy, sid } => vec![json!({
            "statementId": sid.clone().unwrap_or_default(),
            "effect": "DENY",
            "sourcePolicyId": policy,
            "sourcePolicyType": kind.to_string(),
        })],
        Decision::Allowed(_) | Decision::ImplicitDeny { .. } => Vec::new(),
    };
    let principal = request.principal;
    json!({
        "allowed": decision.is_allowed(),
        "explicitDeny": matches!(decision, Decision::ExplicitDeny { .. }),
        "matchedStatements": {"items": matched},
        "failures": {"items": []},
        "context": {
            "principal": {
                "id": principal.user_id().unwrap_or_default(),
                "name": principal.user_name().map(str::to_owned).or_else(|| principal.user_id().map(Into::into)),
                "arn": principal.arn(),
            },
            "action": request.action,
            "resource": request.resource,
            "conditions": {"items": conditions(request.context)},
        },
    })
}

fn conditions(context: &Context) -> Vec<Value> {
    let item = |(key, value): (&str, &ContextValue)| {
        let values: Vec<Value> = value.as_slice().iter().map(|value| json!({"value": value})).collect();
        json!({"key": key, "values": {"items": values}})
    };
    context.entries().map(item).collect()
}
