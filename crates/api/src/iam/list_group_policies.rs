//! ListGroupPolicies: the names of the inline policies of a group.

use super::page;
use super::request::{authorize, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{Group, inline_policy};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "GroupName")?;
    authorize::<Group>(call, "iam:ListGroupPolicies", name, &[])?;
    let names = call.transact(|cx| inline_policy::list::<Group>(cx, name))?;
    page::render_names(names, params, "PolicyNames")
}
