//! DeleteRolePermissionsBoundary: a role is bounded no longer.

use super::request::{authorize, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{Role, attachment};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "RoleName")?;
    authorize::<Role>(call, "iam:DeleteRolePermissionsBoundary", name, &[])?;
    call.transact(|cx| attachment::delete_boundary::<Role>(cx, name))?;
    Ok(Xml::new())
}
