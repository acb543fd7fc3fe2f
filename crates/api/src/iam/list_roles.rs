//! ListRoles: the roles below a path, without their tags.

use super::{get_role, page};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::role;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let prefix = params.get("PathPrefix").unwrap_or("/");
    call.authorize("iam:ListRoles", &role::arn(&call.scope, prefix, "").to_string(), &[])?;
    let roles = call.transact(|cx| role::list(cx, prefix))?;
    let page = page::page(roles, params, |role| &role.name)?;
    let mut xml = Xml::new();
    page.render(&mut xml, "Roles", |member, role| get_role::render(member, role, &[]));
    Ok(xml)
}
