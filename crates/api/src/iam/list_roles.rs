//! ListRoles: the roles below a path, without their tags.

use super::{page, shape};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{Role, identity};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let prefix = params.get("PathPrefix").unwrap_or("/");
    call.authorize("iam:ListRoles", &identity::arn::<Role>(&call.scope, prefix, "").to_string(), &[])?;
    let found = call.transact(|cx| identity::list::<Role>(cx, prefix))?;
    let page = page::page(found, params, |one| &one.identity.name)?;
    let mut xml = Xml::new();
    page.render(&mut xml, "Roles", shape::listed_role);
    Ok(xml)
}
