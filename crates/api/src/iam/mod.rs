//! IAM: roles and their policies.
//!
//! Wire: AWS query protocol, version 2010-05-08. IAM is global: its resources
//! rest under [`weir_control::Scope::GLOBAL`].

use crate::service::QueryAction;

/// The API version that clients send.
pub const VERSION: &str = "2010-05-08";

/// The namespace of answers.
pub const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// Every IAM action, by name.
pub const ACTIONS: &[QueryAction] = &[];
