//! DeleteRolePolicy: an inline policy of a role goes.

use super::request::{authorize, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{Role, inline_policy};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "RoleName")?;
    let policy = required(params, "PolicyName")?;
    authorize::<Role>(call, "iam:DeleteRolePolicy", name, &[])?;
    call.transact(|cx| inline_policy::delete::<Role>(cx, name, policy))?;
    Ok(Xml::new())
}
