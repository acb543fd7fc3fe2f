//! The error an action answers with, before a protocol renders it.

use std::borrow::Cow;
use weir_control::ControlError;
use weir_iam::sigv4::WireError;

/// An AWS error: code and message for the caller, a cause for the log.
#[derive(Debug)]
pub struct ApiError {
    /// AWS's error code, such as `InvalidVpcID.NotFound`.
    pub code: Cow<'static, str>,
    /// HTTP status. Services change it for codes that have one of their own.
    pub status: u16,
    /// For the caller.
    pub message: String,
    /// For the log only.
    pub cause: Option<String>,
    /// Further members of a JSON answer: an object.
    pub details: Option<serde_json::Value>,
}

impl ApiError {
    /// A fault of the caller, HTTP 400.
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { code: code.into(), status: 400, message: message.into(), cause: None, details: None }
    }

    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// A fault of ours, HTTP 500: the caller gets a general text, the log the cause.
    pub fn internal(cause: impl ToString) -> Self {
        Self {
            code: "InternalError".into(),
            status: 500,
            message: "An internal error has occurred".into(),
            cause: Some(cause.to_string()),
            details: None,
        }
    }

    /// A required parameter of a query protocol is not there.
    pub fn missing_parameter(name: &str) -> Self {
        Self::new("MissingParameter", format!("The request must contain the parameter {name}"))
    }
}

impl From<ControlError> for ApiError {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::Fault { code: "InternalError", message } => Self::internal(message),
            ControlError::Fault { code, message } => Self::new(code, message),
            ControlError::Unreachable { .. } => Self {
                cause: Some(chain(&error)),
                ..Self::new("ServiceUnavailable", "The service is temporarily unavailable. Please try again.")
                    .with_status(503)
            },
            other => Self::internal(chain(&other)),
        }
    }
}

/// A failed sign-in or a denial.
impl From<WireError> for ApiError {
    fn from(error: WireError) -> Self {
        Self::new(error.code, error.message).with_status(error.status)
    }
}

/// An error and its sources in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}
