//! ListUsers: the users below a path, without their tags.

use super::{page, shape};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{User, identity};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let prefix = params.get("PathPrefix").unwrap_or("/");
    call.authorize("iam:ListUsers", &identity::arn::<User>(&call.scope, prefix, "").to_string(), &[])?;
    let found = call.transact(|cx| identity::list::<User>(cx, prefix))?;
    let page = page::page(found, params, |one| &one.identity.name)?;
    let mut xml = Xml::new();
    page.render(&mut xml, "Users", shape::listed_user);
    Ok(xml)
}
