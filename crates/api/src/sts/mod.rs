//! STS: who am I, and temporary credentials of a role.
//!
//! Wire: AWS query protocol, version 2011-06-15.

mod assume_role;
mod get_caller_identity;
mod shape;
#[cfg(test)]
mod tests;

use crate::service::QueryAction;

/// The API version that clients send.
pub const VERSION: &str = "2011-06-15";

/// The namespace of answers.
pub const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// Every STS action, by name.
pub const ACTIONS: &[QueryAction] = &[
    QueryAction { name: "AssumeRole", run: assume_role::run },
    QueryAction { name: "GetCallerIdentity", run: get_caller_identity::run },
];
