//! GetRolePolicy: the text of an inline policy.

use super::request::{authorize_role, encoded, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::role_policy;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let role = required(params, "RoleName")?;
    let policy = required(params, "PolicyName")?;
    authorize_role(call, "iam:GetRolePolicy", role, &[])?;
    let (role, document) = call.transact(|cx| role_policy::get(cx, role, policy))?;
    let mut xml = Xml::new();
    xml.text("RoleName", role).text("PolicyName", policy).text("PolicyDocument", encoded(&document));
    Ok(xml)
}
