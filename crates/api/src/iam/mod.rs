//! IAM: users, groups, roles and their policies.
//!
//! Wire: AWS query protocol, version 2010-05-08. IAM is global: its resources
//! rest under [`weir_control::Scope::GLOBAL`]. Policy documents come as text and
//! go out URL-encoded (RFC 3986).

mod add_role_to_instance_profile;
mod add_user_to_group;
mod attach_group_policy;
mod attach_role_policy;
mod attach_user_policy;
mod create_access_key;
mod create_account_alias;
mod create_group;
mod create_instance_profile;
mod create_policy;
mod create_policy_version;
mod create_role;
mod create_service_linked_role;
mod create_user;
mod delete_access_key;
mod delete_account_alias;
mod delete_group;
mod delete_group_policy;
mod delete_instance_profile;
mod delete_policy;
mod delete_policy_version;
mod delete_role;
mod delete_role_permissions_boundary;
mod delete_role_policy;
mod delete_service_linked_role;
mod delete_user;
mod delete_user_permissions_boundary;
mod delete_user_policy;
mod detach_group_policy;
mod detach_role_policy;
mod detach_user_policy;
mod get_access_key_last_used;
mod get_account_authorization_details;
mod get_account_summary;
mod get_context_keys_for_custom_policy;
mod get_context_keys_for_principal_policy;
mod get_group;
mod get_group_policy;
mod get_instance_profile;
mod get_policy;
mod get_policy_version;
mod get_role;
mod get_role_policy;
mod get_service_linked_role_deletion_status;
mod get_user;
mod get_user_policy;
mod list_access_keys;
mod list_account_aliases;
mod list_attached_group_policies;
mod list_attached_role_policies;
mod list_attached_user_policies;
mod list_entities_for_policy;
mod list_group_policies;
mod list_groups;
mod list_groups_for_user;
mod list_instance_profile_tags;
mod list_instance_profiles;
mod list_instance_profiles_for_role;
mod list_policies;
mod list_policy_tags;
mod list_policy_versions;
mod list_role_policies;
mod list_role_tags;
mod list_roles;
mod list_user_policies;
mod list_user_tags;
mod list_users;
pub mod page;
#[cfg(test)]
mod policy_tests;
mod put_group_policy;
mod put_role_permissions_boundary;
mod put_role_policy;
mod put_user_permissions_boundary;
mod put_user_policy;
mod remove_role_from_instance_profile;
mod remove_user_from_group;
pub mod request;
mod set_default_policy_version;
mod shape;
mod simulate_custom_policy;
mod simulate_principal_policy;
mod simulation;
#[cfg(test)]
mod simulation_tests;
mod tag_instance_profile;
mod tag_policy;
mod tag_role;
mod tag_user;
#[cfg(test)]
mod tests;
mod untag_instance_profile;
mod untag_policy;
mod untag_role;
mod untag_user;
mod update_access_key;
mod update_assume_role_policy;
mod update_group;
mod update_role;
mod update_role_description;
mod update_user;
#[cfg(test)]
mod user_tests;

use crate::error::ApiError;
use crate::service::QueryAction;

/// The API version that clients send.
pub const VERSION: &str = "2010-05-08";

/// The namespace of answers.
pub const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// Every IAM action, by name.
pub const ACTIONS: &[QueryAction] = &[
    QueryAction { name: "AddRoleToInstanceProfile", run: add_role_to_instance_profile::run },
    QueryAction { name: "AddUserToGroup", run: add_user_to_group::run },
    QueryAction { name: "AttachGroupPolicy", run: attach_group_policy::run },
    QueryAction { name: "AttachRolePolicy", run: attach_role_policy::run },
    QueryAction { name: "AttachUserPolicy", run: attach_user_policy::run },
    QueryAction { name: "CreateAccessKey", run: create_access_key::run },
    QueryAction { name: "CreateAccountAlias", run: create_account_alias::run },
    QueryAction { name: "CreateGroup", run: create_group::run },
    QueryAction { name: "CreateInstanceProfile", run: create_instance_profile::run },
    QueryAction { name: "CreatePolicy", run: create_policy::run },
    QueryAction { name: "CreatePolicyVersion", run: create_policy_version::run },
    QueryAction { name: "CreateRole", run: create_role::run },
    QueryAction { name: "CreateServiceLinkedRole", run: create_service_linked_role::run },
    QueryAction { name: "CreateUser", run: create_user::run },
    QueryAction { name: "DeleteAccessKey", run: delete_access_key::run },
    QueryAction { name: "DeleteAccountAlias", run: delete_account_alias::run },
    QueryAction { name: "DeleteGroup", run: delete_group::run },
    QueryAction { name: "DeleteGroupPolicy", run: delete_group_policy::run },
    QueryAction { name: "DeleteInstanceProfile", run: delete_instance_profile::run },
    QueryAction { name: "DeletePolicy", run: delete_policy::run },
    QueryAction { name: "DeletePolicyVersion", run: delete_policy_version::run },
    QueryAction { name: "DeleteRole", run: delete_role::run },
    QueryAction { name: "DeleteRolePermissionsBoundary", run: delete_role_permissions_boundary::run },
    QueryAction { name: "DeleteRolePolicy", run: delete_role_policy::run },
    QueryAction { name: "DeleteServiceLinkedRole", run: delete_service_linked_role::run },
    QueryAction { name: "DeleteUser", run: delete_user::run },
    QueryAction { name: "DeleteUserPermissionsBoundary", run: delete_user_permissions_boundary::run },
    QueryAction { name: "DeleteUserPolicy", run: delete_user_policy::run },
    QueryAction { name: "DetachGroupPolicy", run: detach_group_policy::run },
    QueryAction { name: "DetachRolePolicy", run: detach_role_policy::run },
    QueryAction { name: "DetachUserPolicy", run: detach_user_policy::run },
    QueryAction { name: "GetAccessKeyLastUsed", run: get_access_key_last_used::run },
    QueryAction { name: "GetAccountAuthorizationDetails", run: get_account_authorization_details::run },
    QueryAction { name: "GetAccountSummary", run: get_account_summary::run },
    QueryAction { name: "GetContextKeysForCustomPolicy", run: get_context_keys_for_custom_policy::run },
    QueryAction { name: "GetContextKeysForPrincipalPolicy", run: get_context_keys_for_principal_policy::run },
    QueryAction { name: "GetGroup", run: get_group::run },
    QueryAction { name: "GetGroupPolicy", run: get_group_policy::run },
    QueryAction { name: "GetInstanceProfile", run: get_instance_profile::run },
    QueryAction { name: "GetPolicy", run: get_policy::run },
    QueryAction { name: "GetPolicyVersion", run: get_policy_version::run },
    QueryAction { name: "GetRole", run: get_role::run },
    QueryAction { name: "GetRolePolicy", run: get_role_policy::run },
    QueryAction {
        name: "GetServiceLinkedRoleDeletionStatus",
        run: get_service_linked_role_deletion_status::run,
    },
    QueryAction { name: "GetUser", run: get_user::run },
    QueryAction { name: "GetUserPolicy", run: get_user_policy::run },
    QueryAction { name: "ListAccessKeys", run: list_access_keys::run },
    QueryAction { name: "ListAccountAliases", run: list_account_aliases::run },
    QueryAction { name: "ListAttachedGroupPolicies", run: list_attached_group_policies::run },
    QueryAction { name: "ListAttachedRolePolicies", run: list_attached_role_policies::run },
    QueryAction { name: "ListAttachedUserPolicies", run: list_attached_user_policies::run },
    QueryAction { name: "ListEntitiesForPolicy", run: list_entities_for_policy::run },
    QueryAction { name: "ListGroupPolicies", run: list_group_policies::run },
    QueryAction { name: "ListGroups", run: list_groups::run },
    QueryAction { name: "ListGroupsForUser", run: list_groups_for_user::run },
    QueryAction { name: "ListInstanceProfileTags", run: list_instance_profile_tags::run },
    QueryAction { name: "ListInstanceProfiles", run: list_instance_profiles::run },
    QueryAction { name: "ListInstanceProfilesForRole", run: list_instance_profiles_for_role::run },
    QueryAction { name: "ListPolicies", run: list_policies::run },
    QueryAction { name: "ListPolicyTags", run: list_policy_tags::run },
    QueryAction { name: "ListPolicyVersions", run: list_policy_versions::run },
    QueryAction { name: "ListRolePolicies", run: list_role_policies::run },
    QueryAction { name: "ListRoleTags", run: list_role_tags::run },
    QueryAction { name: "ListRoles", run: list_roles::run },
    QueryAction { name: "ListUserPolicies", run: list_user_policies::run },
    QueryAction { name: "ListUserTags", run: list_user_tags::run },
    QueryAction { name: "ListUsers", run: list_users::run },
    QueryAction { name: "PutGroupPolicy", run: put_group_policy::run },
    QueryAction { name: "PutRolePermissionsBoundary", run: put_role_permissions_boundary::run },
    QueryAction { name: "PutRolePolicy", run: put_role_policy::run },
    QueryAction { name: "PutUserPermissionsBoundary", run: put_user_permissions_boundary::run },
    QueryAction { name: "PutUserPolicy", run: put_user_policy::run },
    QueryAction { name: "RemoveRoleFromInstanceProfile", run: remove_role_from_instance_profile::run },
    QueryAction { name: "RemoveUserFromGroup", run: remove_user_from_group::run },
    QueryAction { name: "SetDefaultPolicyVersion", run: set_default_policy_version::run },
    QueryAction { name: "SimulateCustomPolicy", run: simulate_custom_policy::run },
    QueryAction { name: "SimulatePrincipalPolicy", run: simulate_principal_policy::run },
    QueryAction { name: "TagInstanceProfile", run: tag_instance_profile::run },
    QueryAction { name: "TagPolicy", run: tag_policy::run },
    QueryAction { name: "TagRole", run: tag_role::run },
    QueryAction { name: "TagUser", run: tag_user::run },
    QueryAction { name: "UntagInstanceProfile", run: untag_instance_profile::run },
    QueryAction { name: "UntagPolicy", run: untag_policy::run },
    QueryAction { name: "UntagRole", run: untag_role::run },
    QueryAction { name: "UntagUser", run: untag_user::run },
    QueryAction { name: "UpdateAccessKey", run: update_access_key::run },
    QueryAction { name: "UpdateAssumeRolePolicy", run: update_assume_role_policy::run },
    QueryAction { name: "UpdateGroup", run: update_group::run },
    QueryAction { name: "UpdateRole", run: update_role::run },
    QueryAction { name: "UpdateRoleDescription", run: update_role_description::run },
    QueryAction { name: "UpdateUser", run: update_user::run },
];

/// Gives an error the HTTP status that its code has in IAM.
pub fn with_status(error: ApiError) -> ApiError {
    let status = match error.code.as_ref() {
        "AccessDenied" => 403,
        "NoSuchEntity" => 404,
        "EntityAlreadyExists" | "DeleteConflict" | "LimitExceeded" | "ConcurrentModification" => 409,
        _ => return error,
    };
    error.with_status(status)
}
