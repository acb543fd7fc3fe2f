//! GetAccountSummary: how much of what there is, and the quotas.

use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::principal::{
    attachment, group, instance_profile, managed_policy, policy_version, user_key,
};
use weir_iam::PolicyQuota;

/// Users, groups, roles and instance profiles that AWS lets an account have;
/// here there is no such limit.
const USERS: usize = 5_000;
const GROUPS: usize = 300;
const ROLES: usize = 1_000;
const INSTANCE_PROFILES: usize = 1_000;

pub fn run(call: &Call<'_>, _: &Params) -> Result<Xml, ApiError> {
    call.authorize("iam:GetAccountSummary", "*", &[])?;
    let (all, policies, profiles) = call.transact(|cx| {
        let all = attachment::Entities::all(cx)?;
        Ok((all, managed_policy::list(cx, true, false, "/")?, instance_profile::list(cx, "/")?.len()))
    })?;
    let versions: usize = policies.iter().map(|policy| policy.versions.len()).sum();
    let map = [
        ("AccessKeysPerUserQuota", user_key::LIMIT),
        ("AccountAccessKeysPresent", 1),
        ("AccountMFAEnabled", 0),
        ("AccountPasswordPresent", 0),
        ("AccountSigningCertificatesPresent", 0),
        ("AssumeRolePolicySizeQuota", PolicyQuota::Trust.limit()),
        ("AttachedPoliciesPerGroupQuota", attachment::LIMIT),
        ("AttachedPoliciesPerRoleQuota", attachment::LIMIT),
        ("AttachedPoliciesPerUserQuota", attachment::LIMIT),
        ("GlobalEndpointTokenVersion", 1),
        ("GroupPolicySizeQuota", PolicyQuota::GroupInline.limit()),
        ("Groups", all.groups.len()),
        ("GroupsPerUserQuota", group::PER_USER),
        ("GroupsQuota", GROUPS),
        ("InstanceProfiles", profiles),
        ("InstanceProfilesQuota", INSTANCE_PROFILES),
        ("MFADevices", 0),
        ("MFADevicesInUse", 0),
        ("Policies", policies.len()),
        ("PoliciesQuota", managed_policy::LIMIT),
        ("PolicySizeQuota", PolicyQuota::Managed.limit()),
        ("PolicyVersionsInUse", versions),
        ("PolicyVersionsInUseQuota", 10_000),
        ("Providers", 0),
        ("RolePolicySizeQuota", PolicyQuota::RoleInline.limit()),
        ("Roles", all.roles.len()),
        ("RolesQuota", ROLES),
        ("ServerCertificates", 0),
        ("ServerCertificatesQuota", 20),
        ("SigningCertificatesPerUserQuota", 2),
        ("UserPolicySizeQuota", PolicyQuota::UserInline.limit()),
        ("Users", all.users.len()),
        ("UsersQuota", USERS),
        ("VersionsPerPolicyQuota", policy_version::LIMIT),
    ];
    let mut xml = Xml::new();
    xml.list("SummaryMap", "entry", map, |xml, (key, value)| {
        xml.text("key", key).text("value", value);
    });
    Ok(xml)
}
