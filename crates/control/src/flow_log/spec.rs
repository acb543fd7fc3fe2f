//! What CreateFlowLogs is asked for, as typed and as meant.
//!
//! [`CreateFlowLogs`] holds the texts of the request; [`Spec`] is what they
//! mean once every rule about their combinations is kept.

use super::{FlowLogConfig, LogDestination, TagField};
use crate::error::{ControlError, Result};
use crate::state::Scope;
use serde::Serialize;
use weir_flow::field::Family;
use weir_flow::format::LogFormat;
use weir_types::arn::Arn;
use weir_types::flow_log::TrafficType;

/// Resources in one request.
const RESOURCES_LIMIT: usize = 300;

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
    /// Whether DestinationOptions were given; they are for S3 only.
    pub has_destination_options: bool,
    pub tag_fields: Vec<TagFieldRequest>,
    pub tags: Vec<(String, String)>,
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
}

/// A checked request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spec {
    pub kind: Kind,
    /// Each once, in the order of the request.
    pub resources: Vec<String>,
    pub config: FlowLogConfig,
}

fn invalid(message: impl Into<String>) -> ControlError {
    ControlError::fault("InvalidParameter", message)
}

fn invalid_value(message: impl Into<String>) -> ControlError {
    ControlError::fault("InvalidParameterValue", message)
}

fn missing(parameter: &str) -> ControlError {
    let message = format!(
        "The request must include the {parameter} parameter. Add the required parameter and retry the request."
    );
    ControlError::fault("MissingParameter", message)
}

fn not_supported_yet(what: &str) -> ControlError {
    ControlError::fault(
        "UnsupportedOperation",
        format!("{what} is not supported yet by this version of Weir"),
    )
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
            other @ ("TransitGateway"
            | "TransitGatewayAttachment"
            | "RegionalNatGateway"
            | "CoreNetwork"
            | "CoreNetworkEdge"
            | "CoreNetworkAttachment") => Err(not_supported_yet(&format!("ResourceType {other}"))),
            other => Err(invalid_value(format!("Value ({other}) for parameter resourceType is invalid."))),
        }
    }

    fn destination(&self, scope: &Scope) -> Result<LogDestination> {
        let kind = self.log_destination_type.as_deref().unwrap_or("cloud-watch-logs");
        let is_s3 = kind == "s3";
        match kind {
            "cloud-watch-logs" => self.cloud_watch_logs(scope),
            "s3" | "kinesis-data-firehose" if self.log_group_name.is_some() => {
                Err(invalid("LogDestination type must be cloud-watch-logs if LogGroupName is provided."))
            }
            "s3" | "kinesis-data-firehose" if self.log_destination.is_none() => {
                Err(invalid("LogDestination can't be empty if LogGroupName is not provided."))
            }
            "s3" if self.deliver_logs_permission_arn.is_some() => {
                Err(invalid("DeliverLogsPermissionArn is not applicable for s3 delivery"))
            }
            _ if !is_s3 && self.has_destination_options => Err(only_for_s3()),
            "s3" | "kinesis-data-firehose" => Err(not_supported_yet(&format!("LogDestinationType {kind}"))),
            other => {
                Err(invalid_value(format!("Value ({other}) for parameter logDestinationType is invalid.")))
            }
        }
    }

    fn cloud_watch_logs(&self, scope: &Scope) -> Result<LogDestination> {
        let (log_group, arn) = match (self.log_group_name.as_deref(), self.log_destination.as_deref()) {
            (None, None) => {
                return Err(invalid("LogDestination can't be empty if LogGroupName is not provided."));
            }
            (Some(_), Some(_)) => {
                return Err(invalid("Please only provide LogGroupName or only provide LogDestination."));
            }
            (Some(name), None) => (name.to_owned(), None),
            (None, Some(arn)) => (log_group_of(arn, scope)?, Some(arn.to_owned())),
        };
        if !is_log_group_name(&log_group) {
            return Err(invalid(format!(
                "LogGroupName '{log_group}' is invalid: use 1 to 512 of the characters a-z, A-Z, 0-9, _ - / . #"
            )));
        }
        let role = self.deliver_logs_permission_arn.as_deref().ok_or_else(|| {
            invalid("DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs.")
        })?;
        let role = role_of(role, "DeliverLogsPermissionArn", Some(scope))?;
        let cross_account_role = self.deliver_cross_account_role.as_deref();
        let cross_account_role =
            cross_account_role.map(|arn| role_of(arn, "DeliverCrossAccountRole", None)).transpose()?;
        if self.has_destination_options {
            return Err(only_for_s3());
        }
        Ok(LogDestination::CloudWatchLogs { log_group, arn, role, cross_account_role })
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

fn only_for_s3() -> ControlError {
    invalid("DestinationOptions can only be provided if LogDestinationType is s3.")
}

/// The group that an ARN names: `arn:aws:logs:REGION:ACCOUNT:log-group:NAME`,
/// with or without the `:*` that DescribeLogGroups shows.
fn log_group_of(text: &str, scope: &Scope) -> Result<String> {
    let arn: Option<Arn> = text.parse().ok().filter(|arn: &Arn| arn.service == "logs");
    let named = arn.as_ref().and_then(|arn| arn.resource.strip_prefix("log-group:"));
    let (Some(arn), Some(name)) = (&arn, named) else {
        return Err(invalid(format!("LogDestination: {text} is not the ARN of a log group")));
    };
    if arn.region != scope.region || arn.account != scope.account {
        return Err(invalid(format!(
            "LogDestination: {text} is not a log group of account {} in {}",
            scope.account, scope.region
        )));
    }
    Ok(name.strip_suffix(":*").unwrap_or(name).to_owned())
}

/// Source: CloudWatch Logs API, CreateLogGroup, `logGroupName`.
fn is_log_group_name(text: &str) -> bool {
    (1..=512).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'/' | b'.' | b'#'))
}

/// `owner`: the account that the role must be of.
fn role_of(text: &str, parameter: &str, owner: Option<&Scope>) -> Result<Arn> {
    let arn: Option<Arn> = text.parse().ok();
    let is_role = |arn: &Arn| {
        arn.service == "iam" && arn.resource.strip_prefix("role/").is_some_and(|name| !name.is_empty())
    };
    let Some(arn) = arn.filter(is_role) else {
        return Err(invalid(format!("{parameter}: '{text}' is not the ARN of a role")));
    };
    match owner {
        Some(scope) if arn.account != scope.account => {
            Err(invalid(format!("{parameter}: '{text}' is not a role of account {}", scope.account)))
        }
        _ => Ok(arn),
    }
}
