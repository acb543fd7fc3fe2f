//! ListRolePolicies: the names of inline policies.

use super::page;
use super::request::{authorize_role, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::role_policy;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let role = required(params, "RoleName")?;
    authorize_role(call, "iam:ListRolePolicies", role, &[])?;
    let mut names = call.transact(|cx| role_policy::list(cx, role))?;
    names.sort_by_key(|name| name.to_lowercase());
    let page = page::page(names, params, |name| name)?;
    let mut xml = Xml::new();
    xml.element("PolicyNames", |list| {
        for name in &page.items {
            list.text("member", name);
        }
    });
    page.render_end(&mut xml);
    Ok(xml)
}
