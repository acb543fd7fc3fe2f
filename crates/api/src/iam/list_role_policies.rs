//! ListRolePolicies: the names of the inline policies of a role.

use super::page;
use super::request::{authorize, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{Role, inline_policy};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "RoleName")?;
    authorize::<Role>(call, "iam:ListRolePolicies", name, &[])?;
    let names = call.transact(|cx| inline_policy::list::<Role>(cx, name))?;
    page::render_names(names, params, "PolicyNames")
}
