//! What a place for records has to be able to do.

use crate::spool::SpoolFile;
use std::error::Error;
use std::future::Future;
use weir_types::flow_log::DeliveryError;
use weir_types::id::FlowLogId;
use weir_types::orders;

/// A kind of place where flow logs go.
///
/// A file may be sent again after its acknowledgement was lost: a destination
/// makes the repeat harmless where its service allows that.
pub trait Destination: Send + Sync + 'static {
    /// Sends all records of a file. `Ok` is the acknowledgement: the caller
    /// then removes the file. The future may be dropped at any await.
    fn send(&self, file: &SpoolFile) -> impl Future<Output = Result<Receipt, SendError>> + Send;

    /// How long windows are held back, to be sent as one. `None`: each at once,
    /// and alone.
    fn hold(&self, _destination: &orders::Destination) -> Option<Hold> {
        None
    }

    /// Lets go of what it keeps for a flow log that was deleted.
    fn forget(&self, _flow_log: &FlowLogId) {}
}

/// Windows are sent together that end in the same period of the same slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// What a destination names by its beginning. Seconds, from the epoch on.
    pub slot_s: i64,
    /// How often a slot is sent: a period begins with each slot. Seconds.
    pub period_s: i64,
    /// Windows of this size go before their time. Bytes in the spool.
    pub max_bytes: u64,
}

impl Hold {
    /// The slot and the period in it that a window belongs to, and when that
    /// period is over. Unix seconds.
    pub fn period(&self, window_end_s: i64) -> (i64, i64, i64) {
        let (slot_s, period_s) = (self.slot_s.max(1), self.period_s.max(1));
        let slot = window_end_s.div_euclid(slot_s) * slot_s;
        let begun = slot + (window_end_s - slot) / period_s * period_s;
        (slot, begun, begun.saturating_add(period_s).min(slot.saturating_add(slot_s)))
    }
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

impl SendError {
    /// A file that came to a destination of another type: a bug.
    pub(crate) fn misrouted(operation: &'static str, file: &SpoolFile) -> Self {
        Self {
            kind: DeliveryError::UnknownError,
            operation,
            object: file.header.flow_log.to_string(),
            code: None,
            source: Some("the flow log has another destination".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_belong_to_the_period_that_they_end_in() {
        let hold = |period_s| Hold { slot_s: 300, period_s, max_bytes: 0 };
        for (period_s, end, expected) in [
            (300, 0, (0, 0, 300)),
            (300, 299, (0, 0, 300)),
            (300, 300, (300, 300, 600)),
            (60, 359, (300, 300, 360)),
            (60, 360, (300, 360, 420)),
            (200, 250, (0, 200, 300)),
            (0, 7, (0, 7, 8)),
            (300, -1, (-300, -300, 0)),
        ] {
            assert_eq!(hold(period_s).period(end), expected, "{period_s} {end}");
        }
    }
}
