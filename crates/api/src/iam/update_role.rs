//! UpdateRole: description and longest session.

use super::request::{authorize_role, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::role;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "RoleName")?;
    let max_session_s = params.integer("MaxSessionDuration")?;
    authorize_role(call, "iam:UpdateRole", name, &[])?;
    call.transact(|cx| role::update(cx, name, params.raw("Description"), max_session_s))?;
    Ok(Xml::new())
}
