//! What the services need of the host they run on: its agent.

use std::time::Duration;
use weir_types::orders::Attachment;

/// The agent half of this process, as the services see it. A server without
/// capture (no root, or only a control plane) refuses to attach and says why.
pub trait Host: Send + Sync {
    /// Attaches a network interface to a device now. The error says what is
    /// missing (device, capability, kernel) and what to do.
    fn attach(&self, attachment: &Attachment) -> Result<(), String>;

    /// Undoes [`Host::attach`]; nothing happens if it is not attached.
    fn detach(&self, interface: &weir_types::id::EniId) -> Result<(), String>;

    /// Waits until every change up to `generation` is enforced, at most
    /// `patience`; whether it is.
    fn wait_applied(&self, generation: u64, patience: Duration) -> bool;
}

/// A host that cannot capture.
pub struct NoHost {
    /// Why, and what to do about it.
    pub reason: String,
}

impl Host for NoHost {
    fn attach(&self, _: &Attachment) -> Result<(), String> {
        Err(self.reason.clone())
    }

    fn detach(&self, _: &weir_types::id::EniId) -> Result<(), String> {
        Ok(())
    }

    fn wait_applied(&self, _: u64, _: Duration) -> bool {
        true
    }
}
