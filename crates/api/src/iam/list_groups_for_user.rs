//! ListGroupsForUser: the groups of a user.

use super::request::{authorize, required};
use super::{page, shape};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{User, group};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "UserName")?;
    authorize::<User>(call, "iam:ListGroupsForUser", name, &[])?;
    let groups = call.transact(|cx| group::of_user(cx, name))?;
    let page = page::page(groups, params, |group| &group.identity.name)?;
    let mut xml = Xml::new();
    page.render(&mut xml, "Groups", shape::group);
    Ok(xml)
}
