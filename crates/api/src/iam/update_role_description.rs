//! UpdateRoleDescription: UpdateRole's older relative, which answers with the role.

use super::request::{authorize_role, required};
use super::shape;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{iam_tag, role};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "RoleName")?;
    let description = params.raw("Description").unwrap_or_default();
    authorize_role(call, "iam:UpdateRoleDescription", name, &[])?;
    let (role, tags) = call.transact(|cx| {
        role::update(cx, name, Some(description), None)?;
        let role = role::get(cx, name)?;
        let tags = iam_tag::of(cx, &role.identity.id)?;
        Ok((role, tags))
    })?;
    let mut xml = Xml::new();
    xml.element("Role", |xml| shape::role(xml, &role, &tags));
    Ok(xml)
}
