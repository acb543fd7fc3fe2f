//! CreatePolicyVersion: another text for a managed policy.

use super::request::{authorize_policy, required};
use super::shape;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::policy_version;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let arn = required(params, "PolicyArn")?;
    let document = required(params, "PolicyDocument")?;
    let as_default = params.boolean("SetAsDefault")?.unwrap_or_default();
    authorize_policy(call, "iam:CreatePolicyVersion", arn, &[])?;
    let version = call.transact(|cx| policy_version::create(cx, arn, document, as_default))?;
    let mut xml = Xml::new();
    xml.element("PolicyVersion", |xml| shape::policy_version(xml, &version, as_default, false));
    Ok(xml)
}
