//! What CreateFlowLogs is asked for, as typed and as meant.
//!
//! [`CreateFlowLogs`] holds the texts of the request; [`Spec`] is what they
//! mean once every rule about their combinations is kept.

use super::{FlowLogConfig, TagField};
use crate::error::{ControlError, Result};
use crate::state::Scope;
use serde::Serialize;
use weir_flow::field::Family;
use weir_flow::format::LogFormat;
use weir_types::flow_log::TrafficType;

/// Resources in one request.
const RESOURCES_LIMIT: usize = 300;

/// Kinds of resources whose traffic is not accepted or rejected.
const TRANSIT: [&str; 5] =
    ["TransitGateway", "TransitGatewayAttachment", "CoreNetwork", "CoreNetworkEdge", "CoreNetworkAttachment"];

/// The same for [`TRANSIT`].
const TRANSIT_LIMIT: usize = 25;

/// The parameters as the caller wrote them.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CreateFlowLogs {
    #[serde(skip)]
    pub client_token: Option<String>,
    pub resource_ids: Vec<String>,
    pub resource_type: Option<String>,
    pub traffic_type: Option<String>,
    pub log_destination_type: Option<String>,
    pub log_destination: Option<String>,
    pub log_group_name: Option<String>,
    pub deliver_logs_permission_arn: Option<String>,
    pub deliver_cross_account_role: Option<String>,
    pub log_format: Option<String>,
    pub max_aggregation_interval_s: Option<i64>,
    /// They are for S3 only.
    pub destination_options: Option<DestinationOptionsRequest>,
    pub tag_fields: Vec<TagFieldRequest>,
    pub tags: Vec<(String, String)>,
}

/// `DestinationOptions` as the caller wrote them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DestinationOptionsRequest {
    pub file_format: Option<String>,
    pub hive_compatible_partitions: Option<bool>,
    pub per_hour_partition: Option<bool>,
}

/// One item of `TagFieldSpecification`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TagFieldRequest {
    pub resource_type: String,
    pub tag_keys: Vec<String>,
}

/// A kind of resource that can have flow logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Vpc,
    Subnet,
    NetworkInterface,
    /// Transit gateways and their like, by AWS's word.
    Transit(&'static str),
}

/// A checked request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spec {
    pub kind: Kind,
    /// Each once, in the order of the request.
    pub resources: Vec<String>,
    pub config: FlowLogConfig,
}

pub(super) fn invalid(message: impl Into<String>) -> ControlError {
    ControlError::fault("InvalidParameter", message)
}

pub(super) fn invalid_value(message: impl Into<String>) -> ControlError {
    ControlError::fault("InvalidParameterValue", message)
}

fn missing(parameter: &str) -> ControlError {
    let message = format!(
        "The request must include the {parameter} parameter. Add the required parameter and retry the request."
    );
    ControlError::fault("MissingParameter", message)
}

pub(super) fn not_supported(what: &str) -> ControlError {
    ControlError::fault("UnsupportedOperation", format!("{what} is not supported by this version of Weir"))
}

impl CreateFlowLogs {
    /// Whether the request keeps every rule that needs no look at the state.
    ///
    /// Errors: `MissingParameter`, `InvalidParameter`, `InvalidParameterValue`,
    /// `UnsupportedOperation`.
    pub fn check(&self, scope: &Scope) -> Result<()> {
        self.spec(scope).map(drop)
    }

    /// Checks everything that needs no look at the state.
    ///
    /// Errors: `MissingParameter`, `InvalidParameter`, `InvalidParameterValue`,
    /// `UnsupportedOperation`.
    pub(super) fn spec(&self, scope: &Scope) -> Result<Spec> {
        if self.resource_ids.is_empty() {
            return Err(missing("ResourceIds"));
        }
        if self.resource_ids.len() > RESOURCES_LIMIT {
            return Err(invalid_value(format!("ResourceIds must have at most {RESOURCES_LIMIT} items")));
        }
        let kind = self.kind()?;
        if let Kind::Transit(kind) = kind {
            return Err(self.transit_fault(kind));
        }
        let traffic_type = self.traffic_type.as_deref().ok_or_else(|| missing("TrafficType"))?;
        let traffic_type: TrafficType = traffic_type.parse().map_err(|()| {
            invalid_value(format!(
                "Value ({traffic_type}) for parameter trafficType is invalid. Use ACCEPT, REJECT or ALL."
            ))
        })?;
        let max_aggregation_interval_s = match self.max_aggregation_interval_s {
            None | Some(600) => 600,
            Some(60) => 60,
            Some(_) => return Err(invalid("Invalid Flow Log Max Aggregation Interval")),
        };
        let destination = self.destination(scope)?;
        let (log_format, tag_fields) = (self.format()?, self.tag_fields()?);
        let mut resources: Vec<String> = Vec::new();
        for id in &self.resource_ids {
            if !resources.contains(id) {
                resources.push(id.clone());
            }
        }
        let config =
            FlowLogConfig { traffic_type, destination, log_format, max_aggregation_interval_s, tag_fields };
        Ok(Spec { kind, resources, config })
    }

    fn kind(&self) -> Result<Kind> {
        match self.resource_type.as_deref().ok_or_else(|| missing("ResourceType"))? {
            "VPC" => Ok(Kind::Vpc),
            "Subnet" => Ok(Kind::Subnet),
            "NetworkInterface" => Ok(Kind::NetworkInterface),
            "RegionalNatGateway" => Err(not_supported("ResourceType RegionalNatGateway")),
            other if TRANSIT.contains(&other) => {
                Ok(Kind::Transit(TRANSIT.into_iter().find(|known| *known == other).unwrap_or_default()))
            }
            other => Err(invalid_value(format!("Value ({other}) for parameter resourceType is invalid."))),
        }
    }

    /// What is wrong with a request for a resource that Weir does not have: what
    /// AWS would find first.
    fn transit_fault(&self, kind: &str) -> ControlError {
        if self.resource_ids.len() > TRANSIT_LIMIT {
            return invalid_value(format!("ResourceIds must have at most {TRANSIT_LIMIT} items"));
        }
        if self.traffic_type.is_some() {
            return invalid(format!("TrafficType is not applicable for ResourceType {kind}"));
        }
        match self.max_aggregation_interval_s {
            None | Some(60) => not_supported(&format!("ResourceType {kind}")),
            Some(_) => invalid(format!("MaxAggregationInterval must be 60 for ResourceType {kind}")),
        }
    }

    fn format(&self) -> Result<String> {
        let Some(text) = &self.log_format else { return Ok(LogFormat::DEFAULT.to_owned()) };
        let refused = |why: &dyn std::fmt::Display| {
            invalid_value(format!(
                "1 validation error detected: Value '{text}' at 'logFormat' has an invalid format: {why}"
            ))
        };
        let format = LogFormat::parse(text).map_err(|error| refused(&error))?;
        let foreign = format.fields().iter().find(|field| field.family() == Family::TransitGateway);
        match foreign {
            Some(field) => Err(refused(&format!("'{field}' is a field of transit gateway flow logs"))),
            None => Ok(format.to_string()),
        }
    }

    fn tag_fields(&self) -> Result<Vec<TagField>> {
        if self.tag_fields.len() > 3 {
            return Err(invalid_value("TagFieldSpecifications must have at most 3 items"));
        }
        let mut fields: Vec<TagField> = Vec::new();
        for TagFieldRequest { resource_type, tag_keys } in &self.tag_fields {
            if !["network-interface", "instance", "auto-scaling-group"].contains(&resource_type.as_str()) {
                let message = format!("Value ({resource_type}) for parameter resourceType is invalid.");
                return Err(invalid_value(message));
            }
            if fields.iter().any(|field| field.resource_type == *resource_type) {
                return Err(invalid_value(format!("TagFieldSpecifications name {resource_type} twice")));
            }
            let key_fits = |key: &String| (1..=128).contains(&key.chars().count());
            if !(1..=2).contains(&tag_keys.len()) || !tag_keys.iter().all(key_fits) {
                let message =
                    format!("TagKeys of {resource_type} must be 1 or 2 keys of 1 to 128 characters");
                return Err(invalid_value(message));
            }
            fields.push(TagField { resource_type: resource_type.clone(), keys: tag_keys.clone() });
        }
        Ok(fields)
    }
}
