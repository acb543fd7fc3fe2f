//! ListGroups: the groups below a path.

use super::{page, shape};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{Group, identity};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let prefix = params.get("PathPrefix").unwrap_or("/");
    call.authorize("iam:ListGroups", &identity::arn::<Group>(&call.scope, prefix, "").to_string(), &[])?;
    let found = call.transact(|cx| identity::list::<Group>(cx, prefix))?;
    let page = page::page(found, params, |one| &one.identity.name)?;
    let mut xml = Xml::new();
    page.render(&mut xml, "Groups", shape::group);
    Ok(xml)
}
