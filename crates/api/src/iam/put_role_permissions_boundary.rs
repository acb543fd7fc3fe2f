//! PutRolePermissionsBoundary: the most that a role may be allowed, set by a managed policy.

use super::request::{authorize, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{Role, attachment};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "RoleName")?;
    let arn = required(params, "PermissionsBoundary")?;
    let context = [("iam:PermissionsBoundary", arn)];
    authorize::<Role>(call, "iam:PutRolePermissionsBoundary", name, &context)?;
    call.transact(|cx| attachment::put_boundary::<Role>(cx, name, arn))?;
    Ok(Xml::new())
}
