//! What can go wrong: [`LogsError`] for a request, [`StoreError`] for opening.
//!
//! The texts of [`LogsError`] are AWS's, full stops and capitals included,
//! wherever AWS's text is known.

use std::io;
use std::sync::Arc;

/// Why a request failed. One variant per AWS error code; the `Display` text is
/// the `message` for the client. The source, if there is one, is for our own
/// log only.
///
/// Source: CloudWatch Logs API reference, "Common errors" and each action.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LogsError {
    /// The group or stream is not there.
    #[error("{0}")]
    ResourceNotFound(&'static str),
    /// As [`LogsError::ResourceNotFound`], with a text that names it.
    #[error("{0}")]
    NotFound(String),
    /// A group or stream of this name is there already.
    #[error("{0}")]
    ResourceAlreadyExists(&'static str),
    /// A member has a value that AWS refuses.
    #[error("{0}")]
    InvalidParameter(String),
    /// Too many of a kind.
    #[error("{0}")]
    LimitExceeded(&'static str),
    /// More tags than a resource may have.
    #[error("{0}")]
    TooManyTags(&'static str),
    /// The request contradicts the state of the resource.
    #[error("{0}")]
    Validation(&'static str),
    /// The action is not possible now.
    #[error("{0}")]
    InvalidOperation(&'static str),
    /// The disk failed or is full. Nothing was acknowledged; the same request
    /// may be sent again.
    #[error("The service is unavailable: the log store could not {doing}.")]
    ServiceUnavailable {
        /// `write` or `read`.
        doing: &'static str,
        #[source]
        source: Arc<io::Error>,
    },
}

impl LogsError {
    pub(crate) const NO_GROUP: Self = Self::ResourceNotFound("The specified log group does not exist.");
    pub(crate) const NO_STREAM: Self = Self::ResourceNotFound("The specified log stream does not exist.");
    pub(crate) const GROUP_EXISTS: Self =
        Self::ResourceAlreadyExists("The specified log group already exists");
    pub(crate) const STREAM_EXISTS: Self =
        Self::ResourceAlreadyExists("The specified log stream already exists");

    pub(crate) fn bad_token() -> Self {
        Self::InvalidParameter("The specified nextToken is invalid.".into())
    }

    pub(crate) fn write(source: io::Error) -> Self {
        Self::ServiceUnavailable { doing: "write", source: Arc::new(source) }
    }

    pub(crate) fn read(source: io::Error) -> Self {
        Self::ServiceUnavailable { doing: "read", source: Arc::new(source) }
    }

    /// The name of AWS's exception shape, as in `__type`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ResourceNotFound(_) | Self::NotFound(_) => "ResourceNotFoundException",
            Self::ResourceAlreadyExists(_) => "ResourceAlreadyExistsException",
            Self::InvalidParameter(_) => "InvalidParameterException",
            Self::LimitExceeded(_) => "LimitExceededException",
            Self::TooManyTags(_) => "TooManyTagsException",
            Self::Validation(_) => "ValidationException",
            Self::InvalidOperation(_) => "InvalidOperationException",
            Self::ServiceUnavailable { .. } => "ServiceUnavailableException",
        }
    }

    /// Whether the client is at fault (400), not the store (500).
    pub fn is_client_fault(&self) -> bool {
        !matches!(self, Self::ServiceUnavailable { .. })
    }
}

/// Why a store could not be opened. Nothing was changed on disk, except that
/// an unfinished last write may have been cut off.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refused a file operation.
    #[error("could not {doing} {path}")]
    Io {
        doing: &'static str,
        path: String,
        #[source]
        source: io::Error,
    },
    /// Another process has the folder open.
    #[error("the log store in {dir} is in use by another process; stop it or choose another folder")]
    InUse { dir: String },
    /// Bytes in the middle of a log file are not what was written. Events that
    /// were acknowledged would be lost by going on, so the store stays closed.
    #[error(
        "{file} is damaged at byte {offset}: {what}; restore the file from a backup, or move it away \
         together with all later log files to go on without their events"
    )]
    Damaged { file: String, offset: u64, what: &'static str },
    /// A log file that the store did not remove itself is gone.
    #[error("{file} is missing; restore it from a backup: its events cannot be read without it")]
    Missing { file: String },
    /// The file was written by a version of Weir that this one does not know.
    #[error("{file} has format version {version}, this program reads version {known}; use a newer weir")]
    Version { file: String, version: u8, known: u8 },
}
