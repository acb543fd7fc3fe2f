//! GetGroup: a group and its members.

use super::request::{authorize, required};
use super::{page, shape};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{Group, group, identity};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "GroupName")?;
    authorize::<Group>(call, "iam:GetGroup", name, &[])?;
    let (group, members) = call.transact(|cx| {
        let group: Group = identity::get(cx, name)?;
        let members = group::members(cx, &group)?;
        Ok((group, members))
    })?;
    let page = page::page(members, params, |user| &user.identity.name)?;
    let mut xml = Xml::new();
    xml.element("Group", |xml| shape::group(xml, &group));
    page.render(&mut xml, "Users", shape::listed_user);
    Ok(xml)
}
