//! ListAttachedRolePolicies: the managed policies of a role.

use super::request::{authorize, required};
use super::{page, shape};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{Role, attachment};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "RoleName")?;
    let prefix = params.get("PathPrefix").unwrap_or("/");
    authorize::<Role>(call, "iam:ListAttachedRolePolicies", name, &[])?;
    let policies = call.transact(|cx| attachment::list::<Role>(cx, name, prefix))?;
    let page = page::page(policies, params, |(name, _)| name)?;
    let mut xml = Xml::new();
    page.render(&mut xml, "AttachedPolicies", shape::attached_policy);
    Ok(xml)
}
