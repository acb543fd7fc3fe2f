//! IAM: roles and their policies.
//!
//! Wire: AWS query protocol, version 2010-05-08. IAM is global: its resources
//! rest under [`weir_control::Scope::GLOBAL`]. Policy documents come as text and
//! go out URL-encoded (RFC 3986).

mod create_role;
mod delete_role;
mod delete_role_policy;
mod get_role;
mod get_role_policy;
mod list_attached_role_policies;
mod list_instance_profiles_for_role;
mod list_role_policies;
mod list_role_tags;
mod list_roles;
pub mod page;
mod put_role_policy;
pub mod request;
mod tag_role;
#[cfg(test)]
mod tests;
mod untag_role;
mod update_assume_role_policy;
mod update_role;
mod update_role_description;

use crate::error::ApiError;
use crate::service::QueryAction;

/// The API version that clients send.
pub const VERSION: &str = "2010-05-08";

/// The namespace of answers.
pub const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// Every IAM action, by name.
pub const ACTIONS: &[QueryAction] = &[
    QueryAction { name: "CreateRole", run: create_role::run },
    QueryAction { name: "DeleteRole", run: delete_role::run },
    QueryAction { name: "DeleteRolePolicy", run: delete_role_policy::run },
    QueryAction { name: "GetRole", run: get_role::run },
    QueryAction { name: "GetRolePolicy", run: get_role_policy::run },
    QueryAction { name: "ListAttachedRolePolicies", run: list_attached_role_policies::run },
    QueryAction { name: "ListInstanceProfilesForRole", run: list_instance_profiles_for_role::run },
    QueryAction { name: "ListRolePolicies", run: list_role_policies::run },
    QueryAction { name: "ListRoleTags", run: list_role_tags::run },
    QueryAction { name: "ListRoles", run: list_roles::run },
    QueryAction { name: "PutRolePolicy", run: put_role_policy::run },
    QueryAction { name: "TagRole", run: tag_role::run },
    QueryAction { name: "UntagRole", run: untag_role::run },
    QueryAction { name: "UpdateAssumeRolePolicy", run: update_assume_role_policy::run },
    QueryAction { name: "UpdateRole", run: update_role::run },
    QueryAction { name: "UpdateRoleDescription", run: update_role_description::run },
];

/// Gives an error the HTTP status that its code has in IAM.
pub fn with_status(error: ApiError) -> ApiError {
    let status = match error.code.as_ref() {
        "NoSuchEntity" => 404,
        "EntityAlreadyExists" | "DeleteConflict" | "LimitExceeded" | "ConcurrentModification" => 409,
        _ => return error,
    };
    error.with_status(status)
}
