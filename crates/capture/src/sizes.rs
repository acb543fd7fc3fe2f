//! How large the kernel's tables are.

use crate::error::CaptureError;

/// How much the kernel's tables hold, for all interfaces together. Memory is
/// taken at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Flows of one window; there are two such tables, about 170 bytes a flow
    /// in each.
    pub flows: u32,
    /// Tracked connections, about 170 bytes each.
    pub connections: u32,
    /// Interface numbers.
    pub interfaces: u32,
    /// Fragmented datagrams whose first fragment is remembered; the oldest are
    /// forgotten.
    pub fragments: u32,
}

impl Default for Sizes {
    /// About 70 MB of kernel memory.
    fn default() -> Self {
        Self { flows: 131_072, connections: 131_072, interfaces: 1024, fragments: 4096 }
    }
}

impl Sizes {
    pub(crate) fn check(self) -> Result<Self, CaptureError> {
        const LIMIT: u32 = 1 << 26;
        for (what, value) in [
            ("flows", self.flows),
            ("connections", self.connections),
            ("interfaces", self.interfaces),
            ("fragments", self.fragments),
        ] {
            if value == 0 || value > LIMIT {
                return Err(CaptureError::BadSize { what, value, limit: LIMIT });
            }
        }
        Ok(self)
    }
}
