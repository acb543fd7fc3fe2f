//! ListPolicyVersions: the versions of a managed policy, the newest first.

use super::request::{authorize_policy, required};
use super::{page, shape};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::managed_policy;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let arn = required(params, "PolicyArn")?;
    authorize_policy(call, "iam:ListPolicyVersions", arn, &[])?;
    let mut policy = call.transact(|cx| managed_policy::get(cx, arn))?;
    policy.versions.reverse();
    let page = page::page_in_order(policy.versions, params, |version| &version.id)?;
    let mut xml = Xml::new();
    page.render(&mut xml, "Versions", |xml, version| {
        shape::policy_version(xml, version, version.id == policy.default_version, false);
    });
    Ok(xml)
}
