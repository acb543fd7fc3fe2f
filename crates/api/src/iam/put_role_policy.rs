//! PutRolePolicy: an inline policy of a role, new or replaced.

use super::request::{authorize, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{Role, inline_policy};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "RoleName")?;
    let policy = required(params, "PolicyName")?;
    let document = required(params, "PolicyDocument")?;
    authorize::<Role>(call, "iam:PutRolePolicy", name, &[])?;
    call.transact(|cx| inline_policy::put::<Role>(cx, name, policy, document))?;
    Ok(Xml::new())
}
