//! ListUserPolicies: the names of the inline policies of a user.

use super::page;
use super::request::{authorize, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{User, inline_policy};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "UserName")?;
    authorize::<User>(call, "iam:ListUserPolicies", name, &[])?;
    let names = call.transact(|cx| inline_policy::list::<User>(cx, name))?;
    page::render_names(names, params, "PolicyNames")
}
