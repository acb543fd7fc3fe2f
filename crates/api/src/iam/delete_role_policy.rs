//! DeleteRolePolicy: an inline policy goes.

use super::request::{authorize_role, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::role_policy;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let role = required(params, "RoleName")?;
    let policy = required(params, "PolicyName")?;
    authorize_role(call, "iam:DeleteRolePolicy", role, &[])?;
    call.transact(|cx| role_policy::delete(cx, role, policy))?;
    Ok(Xml::new())
}
