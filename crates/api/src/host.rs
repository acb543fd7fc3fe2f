//! What the services need of the host they run on: its agent.

use std::time::Duration;
use weir_types::id::EniId;

/// The agent half of this process, as the services see it. Attachments are
/// part of the account's state; the agent follows them like every other change.
pub trait Host: Send + Sync {
    /// Whether this host can capture at all. The error says what is missing
    /// (capability, kernel) and what to do.
    fn ready(&self) -> Result<(), String>;

    /// Waits until the agent has followed every change up to `generation`, at
    /// most `patience`; whether it has.
    fn wait_applied(&self, generation: u64, patience: Duration) -> bool;

    /// Why an interface that should be attached is not; `None` if it is.
    fn problem(&self, interface: &EniId) -> Option<String>;
}

/// A host that cannot capture.
pub struct NoHost {
    /// Why, and what to do about it.
    pub reason: String,
}

impl Host for NoHost {
    fn ready(&self) -> Result<(), String> {
        Err(self.reason.clone())
    }

    fn wait_applied(&self, _: u64, _: Duration) -> bool {
        true
    }

    fn problem(&self, _: &EniId) -> Option<String> {
        Some(self.reason.clone())
    }
}
