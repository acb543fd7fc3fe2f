//! UpdateRoleDescription: UpdateRole's older relative, which answers with the role.

use super::get_role;
use super::request::{authorize_role, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{role, role_tag};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "RoleName")?;
    let description = params.raw("Description").unwrap_or_default();
    authorize_role(call, "iam:UpdateRoleDescription", name, &[])?;
    let (role, tags) = call.transact(|cx| {
        role::update(cx, name, Some(description), None)?;
        let role = role::get(cx, name)?;
        let tags = role_tag::of(cx, &role)?;
        Ok((role, tags))
    })?;
    let mut xml = Xml::new();
    xml.element("Role", |xml| get_role::render(xml, &role, &tags));
    Ok(xml)
}
