//! GetRole: a role with its trust policy and tags.

use super::request::{authorize_role, required};
use super::shape;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::stamp;
use crate::protocol::xml::Xml;
use weir_control::principal::{iam_tag, role};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "RoleName")?;
    authorize_role(call, "iam:GetRole", name, &[])?;
    let (role, tags) = call.transact(|cx| {
        let role = role::get(cx, name)?;
        let tags = iam_tag::of(cx, &role.identity.id)?;
        Ok((role, tags))
    })?;
    let mut xml = Xml::new();
    xml.element("Role", |xml| {
        shape::role(xml, &role, &tags);
        // Empty for a role that was never used.
        xml.element("RoleLastUsed", |xml| {
            if let Some(last) = &role.last_use {
                xml.text("LastUsedDate", stamp::iso_seconds(last.at)).text("Region", &last.region);
            }
        });
    });
    Ok(xml)
}
