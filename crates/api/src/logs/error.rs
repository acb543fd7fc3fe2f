//! The store's errors as AWS's: the one place where they get a status.
//!
//! Every fault of the client is 400 in this service, also "not found" and
//! "already exists".

use crate::error::{ApiError, chain};
use weir_logs::LogsError;

impl From<LogsError> for ApiError {
    fn from(error: LogsError) -> Self {
        let cause = (!error.is_client_fault()).then(|| chain(&error));
        let status = if error.is_client_fault() { 400 } else { 500 };
        let mut told = Self::new(error.code(), error.to_string()).with_status(status);
        told.cause = cause;
        told
    }
}

/// `InvalidParameterException`.
pub fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterException", message)
}

/// `ResourceNotFoundException` for a log group, also for one of another account
/// or region, which nobody learns of here.
pub fn no_group() -> ApiError {
    ApiError::new("ResourceNotFoundException", "The specified log group does not exist.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::Arc;

    #[test]
    fn codes_and_statuses() {
        for (error, code, status) in [
            (LogsError::ResourceNotFound("m"), "ResourceNotFoundException", 400),
            (LogsError::ResourceAlreadyExists("m"), "ResourceAlreadyExistsException", 400),
            (LogsError::InvalidParameter("m".into()), "InvalidParameterException", 400),
            (LogsError::LimitExceeded("m"), "LimitExceededException", 400),
            (LogsError::TooManyTags("m"), "TooManyTagsException", 400),
            (LogsError::Validation("m"), "ValidationException", 400),
        ] {
            let told = ApiError::from(error);
            assert_eq!((told.code.as_ref(), told.status, told.message.as_str()), (code, status, "m"));
            assert_eq!(told.cause, None);
        }
    }

    #[test]
    fn what_the_disk_said_is_for_the_log_only() {
        let source = Arc::new(io::Error::other("no space left on device"));
        let told = ApiError::from(LogsError::ServiceUnavailable { doing: "write", source });
        assert_eq!((told.code.as_ref(), told.status), ("ServiceUnavailableException", 500));
        assert!(!told.message.contains("no space"), "{}", told.message);
        assert!(told.cause.unwrap().ends_with("no space left on device"));
    }
}
