//! PutRolePolicy: an inline policy, new or replaced.

use super::request::{authorize_role, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::role_policy;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let role = required(params, "RoleName")?;
    let policy = required(params, "PolicyName")?;
    let document = required(params, "PolicyDocument")?;
    authorize_role(call, "iam:PutRolePolicy", role, &[])?;
    call.transact(|cx| role_policy::put(cx, role, policy, document))?;
    Ok(Xml::new())
}
