//! CloudWatch Logs: groups, streams and events, over the embedded store.
//!
//! Wire: JSON 1.1, target prefix `Logs_20140328`.

use crate::service::JsonAction;

/// The prefix of `X-Amz-Target`.
pub const TARGET: &str = "Logs_20140328";

/// Every action, by name.
pub const ACTIONS: &[JsonAction] = &[];
