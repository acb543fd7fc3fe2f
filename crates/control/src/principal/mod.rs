//! Principals: the roles of the account, and the access keys that requests are
//! signed with.
//!
//! ```text
//! role        account, aws-global   by id AROA…, by name in lower case   trust policy, inline policies
//! access-key  no account            by id AKIA… or ASIA…                 root | service | role session
//! ```
//!
//! Not for: deciding (that is [`weir_iam`]) and verifying signatures. Faults
//! have IAM's codes: `NoSuchEntity`, `EntityAlreadyExists`, `DeleteConflict`,
//! `MalformedPolicyDocument`, `LimitExceeded`, `ValidationError`.
//!
//! Source: IAM API reference; IAM user guide, "IAM and AWS STS quotas".

pub mod access_key;
pub mod policies;
pub mod role;
pub mod role_policy;
pub mod role_tag;
pub mod session;
#[cfg(test)]
mod tests;
pub mod validate;

pub use access_key::{AccessKey, Credential, Owner, credential, root_access_key, service_access_key};
pub use policies::policies;
pub use role::Role;
pub use session::{Session, assume};
