//! UpdateAssumeRolePolicy: another trust policy.

use super::request::{authorize_role, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::role;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "RoleName")?;
    let document = required(params, "PolicyDocument")?;
    authorize_role(call, "iam:UpdateAssumeRolePolicy", name, &[])?;
    call.transact(|cx| role::update_trust_policy(cx, name, document))?;
    Ok(Xml::new())
}
