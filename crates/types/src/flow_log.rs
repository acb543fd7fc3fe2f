//! Flow log vocabulary that several crates share.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

use crate::net::Action;

/// Which records a flow log wants. Source: EC2 API, CreateFlowLogs, `TrafficType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TrafficType {
    Accept,
    Reject,
    All,
}

impl TrafficType {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "ACCEPT",
            Self::Reject => "REJECT",
            Self::All => "ALL",
        }
    }

    /// Whether a record with this action is wanted.
    pub fn wants(self, action: Action) -> bool {
        match self {
            Self::Accept => action == Action::Accept,
            Self::Reject => action == Action::Reject,
            Self::All => true,
        }
    }
}

impl fmt::Display for TrafficType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for TrafficType {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "ACCEPT" => Ok(Self::Accept),
            "REJECT" => Ok(Self::Reject),
            "ALL" => Ok(Self::All),
            _ => Err(()),
        }
    }
}

/// What an object in S3 is. Source: EC2 API, DestinationOptionsRequest, `FileFormat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileFormat {
    /// Lines, gzipped.
    #[default]
    PlainText,
    Parquet,
}

impl FileFormat {
    /// `plain-text`, `parquet`
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PlainText => "plain-text",
            Self::Parquet => "parquet",
        }
    }
}

/// The `DeliverLogsErrorMessage` of a flow log whose delivery fails.
/// Source: EC2 API, FlowLog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DeliveryError {
    RateLimited,
    AccessError,
    UnknownError,
    /// The destination failed for so long that the spool is full: the oldest
    /// windows have become SKIPDATA. Not among AWS's.
    RecordsSkipped,
}

impl DeliveryError {
    /// The text in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RateLimited => "Rate limited",
            Self::AccessError => "Access error",
            Self::UnknownError => "Unknown error",
            Self::RecordsSkipped => "Records skipped",
        }
    }
}
