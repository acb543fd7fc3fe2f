//! ARNs of groups and streams, and the store's scope.
//!
//! | form | for |
//! |---|---|
//! | `log-group:NAME` | `logGroupArn`, tags, identifiers |
//! | `log-group:NAME:*` | `arn` of a group, as policies name it |
//! | `log-group:NAME:log-stream:STREAM` | a stream |
//! | `destination:NAME` | a destination of subscription filters |
//! | `log-group:NAME:log-stream:` | what AWS asks policies about a group |
//! | `log-group::log-stream:` | what AWS asks policies about all groups |
//!
//! The last two are AWS's own texts, seen in its AccessDenied messages: a
//! policy for `log-group:NAME:*` allows the first, one for `log-group:*` both,
//! and one for `log-group:NAME`, without the end, neither.
//!
//! Source: CloudWatch Logs user guide, "CloudWatch Logs resources and operations".

use weir_control::Scope;

/// The same account and region, as the log store has them.
pub fn store_scope(scope: &Scope) -> weir_logs::Scope {
    weir_logs::Scope::new(scope.account.clone(), scope.region.clone())
}

/// `logGroupArn`: without an end.
pub fn group(scope: &Scope, group: &str) -> String {
    scope.arn("logs", format!("log-group:{group}")).to_string()
}

/// `arn` of a group: with `:*`.
pub fn group_and_streams(scope: &Scope, group: &str) -> String {
    scope.arn("logs", format!("log-group:{group}:*")).to_string()
}

/// A destination of subscription filters.
pub fn destination(scope: &Scope, name: &str) -> String {
    scope.arn("logs", format!("destination:{name}")).to_string()
}

/// A stream; without a name, its group as policies are asked about it.
pub fn stream(scope: &Scope, group: &str, stream: &str) -> String {
    scope.arn("logs", format!("log-group:{group}:log-stream:{stream}")).to_string()
}
