//! ListEntitiesForPolicy: who has a managed policy, attached or as a boundary.

use super::page;
use super::request::{authorize_policy, one_of, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::attachment::Entities;
use weir_control::principal::{Identity, managed_policy};

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let arn = required(params, "PolicyArn")?;
    let kinds = ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"];
    let kind = one_of(params, "EntityFilter", &kinds)?;
    let usage = one_of(params, "PolicyUsageFilter", &["PermissionsPolicy", "PermissionsBoundary"])?;
    let prefix = params.get("PathPrefix").unwrap_or("/");
    authorize_policy(call, "iam:ListEntitiesForPolicy", arn, &[])?;
    let (all, is_aws) = call.transact(|cx| {
        let policy = managed_policy::get(cx, arn)?;
        Ok((Entities::all(cx)?, policy.is_aws()))
    })?;
    let mut found: Vec<(&str, Identity)> = Vec::new();
    for (filter, as_boundary) in [("PermissionsPolicy", false), ("PermissionsBoundary", true)] {
        if usage.is_some_and(|usage| usage != filter) {
            continue;
        }
        let Entities { users, groups, roles } = all.with(arn, as_boundary);
        for (name, list) in [("Group", groups), ("User", users), ("Role", roles)] {
            let is_wanted = match kind {
                None => true,
                Some("LocalManagedPolicy") => !is_aws,
                Some("AWSManagedPolicy") => is_aws,
                Some(kind) => kind == name,
            };
            found.extend(list.into_iter().filter(|_| is_wanted).map(|one| (name, one)));
        }
    }
    found.retain(|(_, one)| one.path.starts_with(prefix));
    found.sort_by_key(|(kind, one)| (*kind, one.name.to_lowercase()));
    found.dedup_by(|a, b| a.1.id == b.1.id);
    let page = page::page_in_order(found, params, |(_, one)| &one.id)?;
    let mut xml = Xml::new();
    for kind in ["Group", "User", "Role"] {
        let list = page.items.iter().filter(|(found, _)| *found == kind);
        xml.list(&format!("Policy{kind}s"), "member", list, |xml, (_, one)| {
            xml.text(&format!("{kind}Name"), &one.name).text(&format!("{kind}Id"), &one.id);
        });
    }
    page.render_end(&mut xml);
    Ok(xml)
}
