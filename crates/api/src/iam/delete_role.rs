//! DeleteRole: refused while the role has policies.

use super::request::{authorize_role, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::role;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "RoleName")?;
    authorize_role(call, "iam:DeleteRole", name, &[])?;
    call.transact(|cx| role::delete(cx, name))?;
    Ok(Xml::new())
}
