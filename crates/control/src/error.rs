//! Why an action could not be done.

/// The outcome of a control-plane function.
pub type Result<T> = std::result::Result<T, ControlError>;

/// Why an action could not be done. Knows AWS's error codes, because they are
/// the domain's words for faults, and nothing of HTTP.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The caller's fault. Nothing was changed.
    #[error("{code}: {message}")]
    Fault {
        /// AWS's error code, such as `InvalidVpcID.NotFound`.
        code: &'static str,
        /// AWS's text for it, shown to the caller.
        message: String,
    },
    /// The state could not be read or written; the transaction was undone.
    #[error("failed to {operation} the state database")]
    State {
        operation: &'static str,
        #[source]
        source: crate::state::StoreError,
    },
    /// The state's database cannot be reached. Nothing was changed.
    #[error("cannot reach the state's database, {server}: {reason}")]
    Unreachable {
        /// Host and port.
        server: String,
        reason: String,
    },
    /// A stored resource cannot be read; most likely a newer Weir wrote it.
    #[error("stored {kind} {id} cannot be read by this version of Weir")]
    Unreadable {
        kind: &'static str,
        id: String,
        #[source]
        source: serde_json::Error,
    },
    /// The operating system gave no random numbers.
    #[error("the operating system gave no random numbers")]
    Random,
}

impl ControlError {
    /// A fault of the caller.
    pub fn fault(code: &'static str, message: impl Into<String>) -> Self {
        Self::Fault { code, message: message.into() }
    }
}
