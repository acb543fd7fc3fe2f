//! Which flow log goes where: by the type of its destination.

use crate::destination::{Destination, Hold, Receipt, SendError};
use crate::firehose::Firehose;
use crate::logs::CloudWatchLogs;
use crate::s3::S3;
use crate::spool::SpoolFile;
use weir_types::id::FlowLogId;
use weir_types::orders;

/// All destinations.
pub struct Routes {
    pub logs: CloudWatchLogs,
    pub s3: S3,
    pub firehose: Firehose,
}

impl Destination for Routes {
    async fn send(&self, file: &SpoolFile) -> Result<Receipt, SendError> {
        match &file.header.destination {
            orders::Destination::CloudWatchLogs { .. } => self.logs.send(file).await,
            orders::Destination::S3 { .. } => self.s3.send(file).await,
            orders::Destination::KinesisDataFirehose { .. } => self.firehose.send(file).await,
        }
    }

    fn hold(&self, destination: &orders::Destination) -> Option<Hold> {
        match destination {
            orders::Destination::S3 { .. } => self.s3.hold(destination),
            _ => None,
        }
    }

    fn forget(&self, flow_log: &FlowLogId) {
        self.logs.forget(flow_log);
        self.firehose.forget(flow_log);
    }
}
