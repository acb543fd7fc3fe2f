//! What a place for records has to be able to do.

use crate::spool::SpoolFile;
use std::error::Error;
use std::future::Future;
use weir_types::flow_log::DeliveryError;
use weir_types::id::FlowLogId;

/// A kind of place where flow logs go.
///
/// A file may be sent again after its acknowledgement was lost: a destination
/// makes the repeat harmless where its service allows that.
pub trait Destination: Send + Sync + 'static {
    /// Sends all records of a file. `Ok` is the acknowledgement: the caller
    /// then removes the file. The future may be dropped at any await.
    fn send(&self, file: &SpoolFile) -> impl Future<Output = Result<Receipt, SendError>> + Send;

    /// Lets go of what it keeps for a flow log that was deleted.
    fn forget(&self, _flow_log: &FlowLogId) {}
}

/// What became of an acknowledged file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Receipt {
    /// Records that the destination stored.
    pub delivered: u64,
    /// Records that it will never take: too old, too new, too large.
    pub rejected: u64,
}

/// A file that was not, or not wholly, delivered. It is sent again later.
#[derive(Debug, thiserror::Error)]
#[error("failed to {operation} on {object}{}", code_text(.code.as_deref()))]
pub struct SendError {
    /// What DescribeFlowLogs says.
    pub kind: DeliveryError,
    /// The AWS action: `sts:AssumeRole`.
    pub operation: &'static str,
    /// The role, the log group or the stream.
    pub object: String,
    /// The error code of AWS; none when there was no answer.
    pub code: Option<String>,
    #[source]
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

fn code_text(code: Option<&str>) -> String {
    code.map(|code| format!(": {code}")).unwrap_or_default()
}
