//! STS: who am I, and temporary credentials.
//!
//! Wire: AWS query protocol, version 2011-06-15.

mod assume_role;
mod decode_authorization_message;
mod get_access_key_info;
mod get_caller_identity;
mod get_federation_token;
mod get_session_token;
#[cfg(test)]
mod session_tests;
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
    QueryAction { name: "DecodeAuthorizationMessage", run: decode_authorization_message::run },
    QueryAction { name: "GetAccessKeyInfo", run: get_access_key_info::run },
    QueryAction { name: "GetCallerIdentity", run: get_caller_identity::run },
    QueryAction { name: "GetFederationToken", run: get_federation_token::run },
    QueryAction { name: "GetSessionToken", run: get_session_token::run },
];
