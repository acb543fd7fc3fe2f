//! CreateFlowLogs: one flow log for each resource, as far as they can be had.

use super::spec::{Kind, Spec};
use super::{CreateFlowLogs, FlowLog, FlowLogConfig, LogDestination};
use crate::error::{ControlError, Result};
use crate::network_interface::{self, NetworkInterface};
use crate::state::Cx;
use crate::subnet::{self, Subnet};
use crate::vpc::{self, Vpc};
use crate::{client_token, random, region, tags};
use serde::{Deserialize, Serialize};
use weir_types::id::FlowLogId;

/// Flow logs per resource. Source: VPC user guide, "Amazon VPC quotas".
const PER_RESOURCE_LIMIT: usize = 250;

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Created {
    pub flow_log_ids: Vec<FlowLogId>,
    pub unsuccessful: Vec<Unsuccessful>,
}

/// A resource (or flow log) for which the request could not be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsuccessful {
    pub resource_id: String,
    pub code: String,
    pub message: String,
}

impl Unsuccessful {
    pub(super) fn new(resource_id: &str, error: ControlError) -> Self {
        let (code, message) = match error {
            ControlError::Fault { code, message } => (code, message),
            other => ("InternalError", other.to_string()),
        };
        Self { resource_id: resource_id.to_owned(), code: code.to_owned(), message }
    }
}

/// Makes a flow log for each resource of the request. Resources that cannot
/// have it are answered as unsuccessful; if that is all of them, the fault of
/// the first one is the answer.
///
/// Errors: those of the request's texts (see spec 7.2); the resources'
/// `NotFound`; `FlowLogAlreadyExists`; `FlowLogsLimitExceeded`;
/// `IdempotentParameterMismatch`.
pub fn create(cx: Cx<'_>, request: &CreateFlowLogs) -> Result<Created> {
    region::ensure(cx)?;
    let spec = request.spec(cx.scope)?;
    client_token::once(cx, "CreateFlowLogs", request.client_token.as_deref(), request, || {
        apply(cx, &spec, &request.tags)
    })
}

fn apply(cx: Cx<'_>, spec: &Spec, tags: &[(String, String)]) -> Result<Created> {
    let mut created = Created { flow_log_ids: Vec::new(), unsuccessful: Vec::new() };
    let mut first_fault = None;
    for resource in &spec.resources {
        match create_one(cx, spec, resource, tags) {
            Ok(id) => created.flow_log_ids.push(id),
            Err(ControlError::Fault { code, message }) => {
                let fault = || ControlError::fault(code, message.clone());
                created.unsuccessful.push(Unsuccessful::new(resource, fault()));
                first_fault.get_or_insert_with(fault);
            }
            Err(other) => return Err(other),
        }
    }
    match first_fault {
        Some(fault) if created.flow_log_ids.is_empty() => Err(fault),
        _ => Ok(created),
    }
}

fn create_one(cx: Cx<'_>, spec: &Spec, resource: &str, tags: &[(String, String)]) -> Result<FlowLogId> {
    match spec.kind {
        Kind::Vpc => vpc::FAULTS.find::<Vpc>(cx, resource).map(drop)?,
        Kind::Subnet => subnet::FAULTS.find::<Subnet>(cx, resource).map(drop)?,
        Kind::NetworkInterface => {
            network_interface::FAULTS.find::<NetworkInterface>(cx, resource).map(drop)?;
        }
        Kind::Transit(kind) => return Err(super::spec::not_supported(&format!("ResourceType {kind}"))),
    }
    let others: Vec<FlowLog> = cx.tx.list_in(cx.scope, resource)?;
    if others.iter().any(|other| is_same(&other.config, &spec.config)) {
        let message = "Error. There is an existing Flow Log with the same configuration and log destination.";
        return Err(ControlError::fault("FlowLogAlreadyExists", message));
    }
    if others.len() >= PER_RESOURCE_LIMIT {
        let message = format!(
            "The maximum number of flow logs ({PER_RESOURCE_LIMIT}) for {resource} has been reached."
        );
        return Err(ControlError::fault("FlowLogsLimitExceeded", message));
    }
    let id = FlowLogId::from_random(random::bits()?);
    let flow_log = FlowLog {
        id: id.clone(),
        resource: resource.to_owned(),
        config: spec.config.clone(),
        created: cx.now,
        delivery_error: None,
    };
    cx.tx.put(cx.scope, &flow_log)?;
    tags::set(cx, id.as_str(), tags)?;
    Ok(id)
}

/// Whether two flow logs of a resource would write the same records to the
/// same place. The role and how the group was named make no difference.
fn is_same(a: &FlowLogConfig, b: &FlowLogConfig) -> bool {
    is_same_place(&a.destination, &b.destination)
        && a.traffic_type == b.traffic_type
        && a.log_format == b.log_format
        && a.max_aggregation_interval_s == b.max_aggregation_interval_s
        && a.tag_fields == b.tag_fields
}

fn is_same_place(a: &LogDestination, b: &LogDestination) -> bool {
    match (a, b) {
        (
            LogDestination::CloudWatchLogs { log_group: a, .. },
            LogDestination::CloudWatchLogs { log_group: b, .. },
        ) => a == b,
        (LogDestination::S3 { arn: a, options: of_a }, LogDestination::S3 { arn: b, options: of_b }) => {
            a.trim_end_matches('/') == b.trim_end_matches('/') && of_a == of_b
        }
        (
            LogDestination::KinesisDataFirehose { arn: a, .. },
            LogDestination::KinesisDataFirehose { arn: b, .. },
        ) => a == b,
        _ => false,
    }
}
