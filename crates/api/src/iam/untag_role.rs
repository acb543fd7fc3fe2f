//! UntagRole: tags go by their keys.

use super::request::{at_most_50, authorize_role, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{role, role_tag};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "RoleName")?;
    let keys = params.list("TagKeys");
    at_most_50("tagKeys", keys.len())?;
    let context: Vec<(&str, &str)> = keys.iter().map(|key| ("aws:TagKeys", *key)).collect();
    authorize_role(call, "iam:UntagRole", name, &context)?;
    call.transact(|cx| role_tag::remove(cx, &role::get(cx, name)?, &keys))?;
    Ok(Xml::new())
}
