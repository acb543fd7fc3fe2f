//! Principals: the users, groups and roles of the account with their policies,
//! and the access keys that requests are signed with.
//!
//! ```text
//! user, group, role  account, aws-global   by id, by name in lower case   inline and attached policies
//! managed-policy     account, aws-global   by id ANPA…, by name           versions; AWS's are compiled in
//! instance-profile   account, aws-global   by id AIPA…, by name           a role
//! access-key         no account            by id AKIA… or ASIA…           root | user | service | session
//! ```
//!
//! Not for: deciding (that is [`weir_iam`]) and verifying signatures. Faults
//! have IAM's codes: `NoSuchEntity`, `EntityAlreadyExists`, `DeleteConflict`,
//! `MalformedPolicyDocument`, `LimitExceeded`, `ValidationError`.
//!
//! Source: IAM API reference; IAM user guide, "IAM and AWS STS quotas".

pub mod access_key;
pub mod alias;
pub mod attachment;
pub mod aws_managed;
pub mod group;
pub mod iam_tag;
pub mod identity;
pub mod inline_policy;
pub mod instance_profile;
pub mod managed_policy;
pub mod message_key;
pub mod policies;
pub mod policy_version;
pub mod role;
pub mod service_linked_role;
pub mod session;
pub mod subject;
#[cfg(test)]
mod tests;
pub mod user;
pub mod user_key;
pub mod validate;

pub use access_key::{AccessKey, Credential, Owner, credential, root_access_key, service_access_key};
pub use group::Group;
pub use identity::{IamIdentity, Identity};
pub use instance_profile::InstanceProfile;
pub use managed_policy::ManagedPolicy;
pub use policies::policies;
pub use role::Role;
pub use session::{Session, assume};
pub use subject::Subject;
pub use user::User;
