//! Flow logs: creation, description, deletion, delivery status.
//!
//! Invariants: a flow log's configuration never changes; no two flow logs of a
//! resource have the same configuration and destination; a flow log goes with
//! its resource.
//!
//! Source: EC2 API, `CreateFlowLogs`, `DescribeFlowLogs`, `DeleteFlowLogs`,
//! `FlowLog`; VPC user guide, "Logging IP traffic using VPC Flow Logs".

mod create;
mod destination;
pub mod integration;
mod spec;

pub use create::{Created, Unsuccessful, create};
pub use spec::{CreateFlowLogs, DestinationOptionsRequest, TagFieldRequest};

use crate::error::{ControlError, Result};
use crate::region;
use crate::state::{Cx, Exact, Resource};
use serde::{Deserialize, Serialize};
use weir_types::arn::Arn;
pub use weir_types::flow_log::FileFormat;
use weir_types::flow_log::{DeliveryError, TrafficType};
use weir_types::id::FlowLogId;
use weir_types::time::UnixMillis;

/// A flow log of one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowLog {
    pub id: FlowLogId,
    /// A VPC, subnet or network interface. The prefix says which.
    pub resource: String,
    pub config: FlowLogConfig,
    pub created: UnixMillis,
    /// Why the newest delivery failed; `None` after one that succeeded, and
    /// before the first.
    pub delivery_error: Option<DeliveryError>,
}

/// What a flow log does. Never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowLogConfig {
    pub traffic_type: TrafficType,
    pub destination: LogDestination,
    /// The template: the default one if none was given.
    pub log_format: String,
    /// Seconds: 60 or 600.
    pub max_aggregation_interval_s: u32,
    /// Whose tags the tag fields of the format show.
    pub tag_fields: Vec<TagField>,
}

/// Where records go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "type")]
pub enum LogDestination {
    CloudWatchLogs {
        log_group: String,
        /// The group's ARN, if the flow log was made with one.
        arn: Option<String>,
        role: Arn,
        /// `DeliverCrossAccountRole`.
        cross_account_role: Option<Arn>,
    },
    S3 {
        /// The bucket's ARN, with a folder or without, as the caller wrote it.
        arn: String,
        /// `None` if the caller gave none.
        options: Option<DestinationOptions>,
    },
    KinesisDataFirehose {
        /// The stream's.
        arn: Arn,
        /// Both or neither.
        role: Option<Arn>,
        cross_account_role: Option<Arn>,
    },
}

impl LogDestination {
    /// The `LogDestinationType`: `cloud-watch-logs`, `s3`, `kinesis-data-firehose`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::CloudWatchLogs { .. } => "cloud-watch-logs",
            Self::S3 { .. } => "s3",
            Self::KinesisDataFirehose { .. } => "kinesis-data-firehose",
        }
    }

    /// The log group, if it is one.
    pub fn log_group(&self) -> Option<&str> {
        match self {
            Self::CloudWatchLogs { log_group, .. } => Some(log_group),
            _ => None,
        }
    }
}

/// How objects in S3 are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DestinationOptions {
    pub file_format: FileFormat,
    pub hive_compatible_partitions: bool,
    pub per_hour_partition: bool,
}

/// Tags that a format shows, of one type of resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagField {
    /// `network-interface`, `instance` or `auto-scaling-group`.
    pub resource_type: String,
    /// One or two.
    pub keys: Vec<String>,
}

/// The parent of a flow log is its resource.
impl Resource for FlowLog {
    const KIND: &'static str = "flow-log";
    fn id(&self) -> &str {
        self.id.as_str()
    }
    fn parent(&self) -> Option<&str> {
        Some(&self.resource)
    }
    const INDEX: crate::state::Index =
        crate::state::Index { id: "flow-log-id", parent: "resource-id", keys: &["log-group-name"] };
    fn keys(&self) -> Vec<(&'static str, String)> {
        let log_group = self.config.destination.log_group();
        log_group.map(|log_group| ("log-group-name", log_group.to_owned())).into_iter().collect()
    }
}

/// As [`select`]; for no ids only those that may pass the filters, which the
/// caller still applies.
pub fn select_narrowed(cx: Cx<'_>, ids: &[&str], filters: &[Exact]) -> Result<Vec<FlowLog>> {
    match ids {
        [] => cx.tx.narrowed(cx.scope, filters),
        ids => select(cx, ids),
    }
}

/// The flow logs with these ids, by id; all of them for none.
///
/// Errors: `InvalidFlowLogId.NotFound`, `InvalidParameterValue`.
pub fn select(cx: Cx<'_>, ids: &[&str]) -> Result<Vec<FlowLog>> {
    if ids.is_empty() {
        return cx.tx.list(cx.scope);
    }
    let (mut found, unknown) = split(cx, ids)?;
    if !unknown.is_empty() {
        return Err(not_found(&unknown));
    }
    found.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(found)
}

/// Removes flow logs. Records, log group and streams stay. Ids that nothing has
/// are answered as unsuccessful.
///
/// Errors: `InvalidParameterValue`.
pub fn delete(cx: Cx<'_>, ids: &[&str]) -> Result<Vec<Unsuccessful>> {
    region::ensure(cx)?;
    let (found, unknown) = split(cx, ids)?;
    for flow_log in found {
        cx.tx.delete::<FlowLog>(cx.scope, flow_log.id.as_str())?;
    }
    Ok(unknown.iter().map(|id| Unsuccessful::new(id, not_found(&[id]))).collect())
}

/// The flow logs with these ids, each once, and the ids that nothing has.
fn split<'a>(cx: Cx<'_>, ids: &[&'a str]) -> Result<(Vec<FlowLog>, Vec<&'a str>)> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let (mut found, mut unknown) = (Vec::new(), Vec::new());
    for id in ids {
        if id.parse::<FlowLogId>().is_err() {
            let message =
                format!("1 validation error detected: Value '{id}' at 'flowLogId' has an invalid format");
            return Err(ControlError::fault("InvalidParameterValue", message));
        }
        match cx.tx.get(cx.scope, id)? {
            Some(flow_log) => found.push(flow_log),
            None => unknown.push(id),
        }
    }
    Ok((found, unknown))
}

/// `InvalidFlowLogId.NotFound` for these ids.
pub fn not_found(ids: &[&str]) -> ControlError {
    let message = format!(
        "These flow log ids in the input list are not found: [TotalCount: {}] {}",
        ids.len(),
        ids.join(" ")
    );
    ControlError::fault("InvalidFlowLogId.NotFound", message)
}

/// Removes the flow logs of a resource that goes.
pub(crate) fn resource_deleted(cx: Cx<'_>, resource: &str) -> Result<()> {
    for flow_log in cx.tx.list_in::<FlowLog>(cx.scope, resource)? {
        cx.tx.delete::<FlowLog>(cx.scope, flow_log.id.as_str())?;
        tracing::info!(flow_log = %flow_log.id, resource, "a flow log goes with its resource");
    }
    Ok(())
}

/// Notes how the newest delivery went. A flow log that is gone is no error:
/// its last records may still be on their way.
pub fn set_delivery_status(
    cx: Cx<'_>,
    id: &FlowLogId,
    outcome: std::result::Result<(), DeliveryError>,
) -> Result<()> {
    let Some(mut flow_log) = cx.tx.get::<FlowLog>(cx.scope, id.as_str())? else { return Ok(()) };
    let error = outcome.err();
    // Unchanged is unwritten, so that a delivery makes no new generation.
    if flow_log.delivery_error != error {
        flow_log.delivery_error = error;
        cx.tx.put(cx.scope, &flow_log)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
