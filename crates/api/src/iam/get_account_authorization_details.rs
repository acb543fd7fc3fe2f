//! GetAccountAuthorizationDetails: every user, group, role and policy with its
//! documents.

use super::page;
use super::request::encoded;
use super::shape::{self, Usage};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::attachment::Entities;
use weir_control::principal::{
    Group, Identity, InstanceProfile, ManagedPolicy, Role, User, iam_tag, identity, instance_profile,
    managed_policy,
};

type Tags = Vec<(String, String)>;

/// One line of the answer.
enum Detail {
    User(User, Vec<String>, Tags),
    Group(Group),
    Role(Box<Role>, Vec<InstanceProfile>, Tags),
    Policy(Box<ManagedPolicy>, Usage),
}

impl Detail {
    /// The name in `Filter`, and the list it goes to.
    fn kind(&self) -> (&'static str, &'static str) {
        match self {
            Self::User(..) => ("User", "UserDetailList"),
            Self::Group(_) => ("Group", "GroupDetailList"),
            Self::Role(..) => ("Role", "RoleDetailList"),
            Self::Policy(policy, _) if policy.is_aws() => ("AWSManagedPolicy", "Policies"),
            Self::Policy(..) => ("LocalManagedPolicy", "Policies"),
        }
    }

    fn id(&self) -> &str {
        match self {
            Self::User(user, ..) => &user.identity.id,
            Self::Group(group) => &group.identity.id,
            Self::Role(role, ..) => &role.identity.id,
            Self::Policy(policy, _) => &policy.id,
        }
    }
}

pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    call.authorize("iam:GetAccountAuthorizationDetails", "*", &[])?;
    let wanted = params.list("Filter");
    let mut details = details(call)?;
    details.retain(|detail| wanted.is_empty() || wanted.contains(&detail.kind().0));
    let page = page::page_in_order(details, params, Detail::id)?;
    let mut xml = Xml::new();
    for list in ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"] {
        let items = page.items.iter().filter(|detail| detail.kind().1 == list);
        xml.list(list, "member", items, render);
    }
    page.render_end(&mut xml);
    Ok(xml)
}

/// All there is; of AWS's policies those that are in use.
fn details(call: &Call<'_>) -> Result<Vec<Detail>, ApiError> {
    call.transact(|cx| {
        let mut found = Vec::new();
        let groups = identity::list::<Group>(cx, "/")?;
        for user in identity::list::<User>(cx, "/")? {
            let own = groups.iter().filter(|group| user.groups.contains(&group.identity.id));
            let names = own.map(|group| group.identity.name.clone()).collect();
            let tags = iam_tag::of(cx, &user.identity.id)?;
            found.push(Detail::User(user, names, tags));
        }
        found.extend(groups.into_iter().map(Detail::Group));
        let profiles = instance_profile::list(cx, "/")?;
        for role in identity::list::<Role>(cx, "/")? {
            let own = profiles.iter().filter(|profile| profile.role_id.as_ref() == Some(&role.identity.id));
            let own = own.cloned().collect();
            let tags = iam_tag::of(cx, &role.identity.id)?;
            found.push(Detail::Role(Box::new(role), own, tags));
        }
        let entities = Entities::all(cx)?;
        for policy in managed_policy::list(cx, true, true, "/")? {
            let usage = Usage::of(&entities, &policy);
            if !policy.is_aws() || usage.attached + usage.as_boundary > 0 {
                found.push(Detail::Policy(Box::new(policy), usage));
            }
        }
        Ok(found)
    })
}

fn render(xml: &mut Xml, detail: &Detail) {
    match detail {
        Detail::User(user, groups, tags) => {
            shape::user(xml, user, tags);
            xml.element("GroupList", |list| {
                for name in groups {
                    list.text("member", name);
                }
            });
            policies(xml, "UserPolicyList", &user.identity);
        }
        Detail::Group(group) => {
            shape::group(xml, group);
            policies(xml, "GroupPolicyList", &group.identity);
        }
        Detail::Role(role, profiles, tags) => {
            shape::role(xml, role, tags);
            xml.list("InstanceProfileList", "member", profiles, |xml, profile| {
                shape::instance_profile(xml, profile, Some(role), &[]);
            });
            policies(xml, "RolePolicyList", &role.identity);
        }
        Detail::Policy(policy, usage) => {
            shape::managed_policy(xml, policy, *usage);
            xml.optional("Description", policy.description.as_deref());
            xml.list("PolicyVersionList", "member", policy.versions.iter().rev(), |xml, version| {
                shape::policy_version(xml, version, version.id == policy.default_version, true);
            });
        }
    }
}

/// The inline and the attached policies.
fn policies(xml: &mut Xml, list: &str, identity: &Identity) {
    xml.list(list, "member", &identity.policies, |xml, (name, document)| {
        xml.text("PolicyName", name).text("PolicyDocument", encoded(document));
    });
    let attached = identity.attached.iter().map(|arn| {
        let name = arn.rsplit('/').next().unwrap_or_default();
        (name.to_owned(), arn.clone())
    });
    xml.list("AttachedManagedPolicies", "member", attached, |xml, policy| {
        shape::attached_policy(xml, &policy);
    });
}
