//! TagRole: tags are added or get other values.

use super::request::{authorize_role, lent, request_tag_keys, required, tags};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{role, role_tag};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "RoleName")?;
    let tags = tags(params)?;
    authorize_role(call, "iam:TagRole", name, &lent(&request_tag_keys(&tags)))?;
    call.transact(|cx| role_tag::set(cx, &role::get(cx, name)?, &tags))?;
    Ok(Xml::new())
}
