//! Weir's own service: what AWS has no action for. Signed like the others,
//! with `weir` as the service of the credential scope.
//!
//! Wire: JSON 1.1, target prefix `Weir_20261101`.

mod attach_interface;
mod detach_interface;
mod list_interfaces;

use crate::service::JsonAction;

/// The prefix of `X-Amz-Target`.
pub const TARGET: &str = "Weir_20261101";

/// Every action, by name.
pub const ACTIONS: &[JsonAction] = &[
    JsonAction { name: "AttachInterface", run: attach_interface::run },
    JsonAction { name: "DetachInterface", run: detach_interface::run },
    JsonAction { name: "ListInterfaces", run: list_interfaces::run },
];
