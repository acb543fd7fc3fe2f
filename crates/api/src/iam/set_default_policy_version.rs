//! SetDefaultPolicyVersion: which version of a managed policy counts.

use super::request::{authorize_policy, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::policy_version;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let arn = required(params, "PolicyArn")?;
    let id = required(params, "VersionId")?;
    authorize_policy(call, "iam:SetDefaultPolicyVersion", arn, &[])?;
    call.transact(|cx| policy_version::set_default(cx, arn, id))?;
    Ok(Xml::new())
}
