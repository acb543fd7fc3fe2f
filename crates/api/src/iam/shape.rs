//! How IAM's resources are rendered.

use super::request::encoded;
use crate::protocol::stamp;
use crate::protocol::xml::Xml;
use weir_control::principal::attachment::Entities;
use weir_control::principal::policy_version::Version;
use weir_control::principal::{Group, Identity, InstanceProfile, ManagedPolicy, Role, User};

type Tags = [(String, String)];

/// The members of a role; `Tags` only if it has any.
pub fn role(xml: &mut Xml, role: &Role, role_tags: &Tags) {
    let Identity { path, name, id, arn, created, boundary, .. } = &role.identity;
    xml.text("Path", path)
        .text("RoleName", name)
        .text("RoleId", id)
        .text("Arn", arn)
        .text("CreateDate", stamp::iso_seconds(*created))
        .text("AssumeRolePolicyDocument", encoded(&role.trust_policy))
        .optional("Description", role.description.as_deref())
        .text("MaxSessionDuration", role.max_session_s);
    permissions_boundary(xml, boundary.as_deref());
    tags(xml, role_tags);
}

/// The members of a role in lists, which leave out boundary and tags.
pub fn listed_role(xml: &mut Xml, listed: &Role) {
    let mut plain = listed.clone();
    plain.identity.boundary = None;
    role(xml, &plain, &[]);
}

/// The members of a user; `Tags` only if it has any.
pub fn user(xml: &mut Xml, user: &User, user_tags: &Tags) {
    let Identity { path, name, id, arn, created, boundary, .. } = &user.identity;
    xml.text("Path", path)
        .text("UserName", name)
        .text("UserId", id)
        .text("Arn", arn)
        .text("CreateDate", stamp::iso_seconds(*created));
    permissions_boundary(xml, boundary.as_deref());
    tags(xml, user_tags);
}

/// The members of a user in lists, which leave out boundary and tags.
pub fn listed_user(xml: &mut Xml, listed: &User) {
    let mut plain = listed.clone();
    plain.identity.boundary = None;
    user(xml, &plain, &[]);
}

/// The members of a group.
pub fn group(xml: &mut Xml, group: &Group) {
    let Identity { path, name, id, arn, created, .. } = &group.identity;
    xml.text("Path", path)
        .text("GroupName", name)
        .text("GroupId", id)
        .text("Arn", arn)
        .text("CreateDate", stamp::iso_seconds(*created));
}

/// The members of an instance profile with the role that is in it.
pub fn instance_profile(
    xml: &mut Xml,
    profile: &InstanceProfile,
    inside: Option<&Role>,
    profile_tags: &Tags,
) {
    xml.text("Path", &profile.path)
        .text("InstanceProfileName", &profile.name)
        .text("InstanceProfileId", &profile.id)
        .text("Arn", &profile.arn)
        .text("CreateDate", stamp::iso_seconds(profile.created))
        .list("Roles", "member", inside, listed_role);
    tags(xml, profile_tags);
}

/// How often a managed policy is in use.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    pub attached: usize,
    pub as_boundary: usize,
}

impl Usage {
    /// How often these have the policy.
    pub fn of(entities: &Entities, policy: &ManagedPolicy) -> Self {
        let arn = policy.arn.to_string();
        let count = |as_boundary| entities.with(&arn, as_boundary).count();
        Self { attached: count(false), as_boundary: count(true) }
    }
}

/// The members of a managed policy but its description and tags, which not every
/// answer has.
pub fn managed_policy(xml: &mut Xml, policy: &ManagedPolicy, usage: Usage) {
    xml.text("PolicyName", &policy.name)
        .text("PolicyId", &policy.id)
        .text("Arn", &policy.arn)
        .text("Path", &policy.path)
        .text("DefaultVersionId", &policy.default_version)
        .text("AttachmentCount", usage.attached)
        .text("PermissionsBoundaryUsageCount", usage.as_boundary)
        .text("IsAttachable", policy.is_attachable)
        .text("CreateDate", stamp::iso_seconds(policy.created))
        .text("UpdateDate", stamp::iso_seconds(policy.updated));
}

/// The members of a policy's version; the document is not in lists.
pub fn policy_version(xml: &mut Xml, version: &Version, is_default: bool, with_document: bool) {
    if with_document {
        xml.text("Document", encoded(&version.document));
    }
    xml.text("VersionId", &version.id)
        .text("IsDefaultVersion", is_default)
        .text("CreateDate", stamp::iso_seconds(version.created));
}

/// Name and ARN of an attached policy.
pub fn attached_policy(xml: &mut Xml, (name, arn): &(String, String)) {
    xml.text("PolicyName", name).text("PolicyArn", arn);
}

/// The element `PermissionsBoundary`.
pub fn permissions_boundary(xml: &mut Xml, arn: Option<&str>) {
    if let Some(arn) = arn {
        xml.element("PermissionsBoundary", |boundary| {
            boundary.text("PermissionsBoundaryType", "Policy").text("PermissionsBoundaryArn", arn);
        });
    }
}

/// The element `Tags`, if there are any.
pub fn tags(xml: &mut Xml, tags: &Tags) {
    if !tags.is_empty() {
        xml.list("Tags", "member", tags, tag);
    }
}

/// The members of a tag.
pub fn tag(xml: &mut Xml, (key, value): &(String, String)) {
    xml.text("Key", key).text("Value", value);
}
