//! GetPolicyVersion: a version of a managed policy with its document.

use super::request::{authorize_policy, required};
use super::shape;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::policy_version;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let arn = required(params, "PolicyArn")?;
    let id = required(params, "VersionId")?;
    authorize_policy(call, "iam:GetPolicyVersion", arn, &[])?;
    let (version, is_default) = call.transact(|cx| policy_version::get(cx, arn, id))?;
    let mut xml = Xml::new();
    xml.element("PolicyVersion", |xml| shape::policy_version(xml, &version, is_default, true));
    Ok(xml)
}
