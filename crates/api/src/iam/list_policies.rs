//! ListPolicies: managed policies, the account's own and AWS's.

use super::page;
use super::request::one_of;
use super::shape::{self, Usage};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::attachment::Entities;
use weir_control::principal::managed_policy;

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let scope = one_of(params, "Scope", &["All", "AWS", "Local"])?.unwrap_or("All");
    let usage_filter = one_of(params, "PolicyUsageFilter", &["PermissionsPolicy", "PermissionsBoundary"])?;
    let only_attached = params.boolean("OnlyAttached")?.unwrap_or_default();
    let prefix = params.get("PathPrefix").unwrap_or("/");
    let resource = managed_policy::arn(&call.scope, prefix, "").to_string();
    call.authorize("iam:ListPolicies", &resource, &[])?;
    let policies = call.transact(|cx| {
        let entities = Entities::all(cx)?;
        let mut found = Vec::new();
        for policy in managed_policy::list(cx, scope != "AWS", scope != "Local", prefix)? {
            let usage = Usage::of(&entities, &policy);
            let is_wanted = match usage_filter {
                Some("PermissionsBoundary") => usage.as_boundary > 0,
                _ => !only_attached || usage.attached > 0,
            };
            if is_wanted {
                found.push((policy.arn.to_string(), policy, usage));
            }
        }
        Ok(found)
    })?;
    let page = page::page_in_order(policies, params, |(arn, ..)| arn)?;
    let mut xml = Xml::new();
    page.render(&mut xml, "Policies", |xml, (_, policy, usage)| {
        shape::managed_policy(xml, policy, *usage);
    });
    Ok(xml)
}
