//! ListAttachedGroupPolicies: the managed policies of a group.

use super::request::{authorize, required};
use super::{page, shape};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{Group, attachment};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let name = required(params, "GroupName")?;
    let prefix = params.get("PathPrefix").unwrap_or("/");
    authorize::<Group>(call, "iam:ListAttachedGroupPolicies", name, &[])?;
    let policies = call.transact(|cx| attachment::list::<Group>(cx, name, prefix))?;
    let page = page::page(policies, params, |(name, _)| name)?;
    let mut xml = Xml::new();
    page.render(&mut xml, "AttachedPolicies", shape::attached_policy);
    Ok(xml)
}
