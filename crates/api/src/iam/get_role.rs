//! GetRole, and how a role is rendered.

use super::request::{authorize_role, encoded, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::stamp;
use crate::protocol::xml::Xml;
use weir_control::principal::{Role, role, role_tag};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "RoleName")?;
    authorize_role(call, "iam:GetRole", name, &[])?;
    let (role, tags) = call.transact(|cx| {
        let role = role::get(cx, name)?;
        let tags = role_tag::of(cx, &role)?;
        Ok((role, tags))
    })?;
    let mut xml = Xml::new();
    xml.element("Role", |xml| {
        render(xml, &role, &tags);
        // Empty for a role that was never used; Weir does not keep track.
        xml.element("RoleLastUsed", |_| {});
    });
    Ok(xml)
}

/// The members of a role; `Tags` only if it has any.
pub fn render(xml: &mut Xml, role: &Role, tags: &[(String, String)]) {
    xml.text("Path", &role.path)
        .text("RoleName", &role.name)
        .text("RoleId", &role.id)
        .text("Arn", &role.arn)
        .text("CreateDate", stamp::iso_seconds(role.created))
        .text("AssumeRolePolicyDocument", encoded(&role.trust_policy))
        .optional("Description", role.description.as_deref())
        .text("MaxSessionDuration", role.max_session_s);
    if !tags.is_empty() {
        xml.list("Tags", "member", tags, render_tag);
    }
}

/// The members of a tag.
pub fn render_tag(xml: &mut Xml, (key, value): &(String, String)) {
    xml.text("Key", key).text("Value", value);
}
