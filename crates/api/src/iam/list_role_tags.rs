//! ListRoleTags: the tags of a role in key order.

use super::request::{authorize_role, required};
use super::{get_role, page};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{role, role_tag};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "RoleName")?;
    authorize_role(call, "iam:ListRoleTags", name, &[])?;
    let mut tags = call.transact(|cx| role_tag::of(cx, &role::get(cx, name)?))?;
    tags.sort_by_key(|(key, _)| key.to_lowercase());
    let page = page::page(tags, params, |(key, _)| key)?;
    let mut xml = Xml::new();
    page.render(&mut xml, "Tags", get_role::render_tag);
    Ok(xml)
}
