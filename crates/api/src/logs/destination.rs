//! Where subscription filters send to, as the server can reach it, and
//! destinations as the actions show them.

use super::error::invalid;
use crate::call::Call;
use crate::error::ApiError;
use serde_json::{Value, json};
use weir_logs::LogDestination;

/// Tests destinations; what the server is started with knows how.
pub trait Destinations: Send + Sync {
    /// Sends a test to the destination, with the filter's role. The error says
    /// what is wrong, for the log.
    fn test(&self, destination: &str, role: Option<&str>) -> Result<(), String>;
}

/// A server that reaches none.
pub struct NoDestinations;

impl Destinations for NoDestinations {
    fn test(&self, destination: &str, _: Option<&str>) -> Result<(), String> {
        Err(format!("this server sends nothing to {destination}"))
    }
}

/// A destination as DescribeDestinations shows it.
pub(super) fn render(call: &Call<'_>, destination: &LogDestination) -> Value {
    let mut shown = json!({
        "destinationName": destination.name,
        "targetArn": destination.target_arn,
        "roleArn": destination.role_arn,
        "arn": super::arn::destination(&call.scope, &destination.name),
        "creationTime": destination.created,
    });
    if let Some(policy) = &destination.access_policy {
        shown["accessPolicy"] = json!(policy);
    }
    shown
}

/// Checks what AWS checks when a filter is made: the role, and that a test
/// message arrives.
///
/// Errors: `InvalidParameterException` in AWS's words, then the reason;
/// `AccessDeniedException` if the caller may not pass the role.
pub fn check(call: &Call<'_>, arn: &str, role: Option<&str>) -> Result<(), ApiError> {
    let vendor = arn.split(':').nth(2).unwrap_or_default();
    let is_stream = ["kinesis", "firehose"].contains(&vendor);
    if is_stream && role.is_none() {
        return Err(invalid(format!("destinationArn for vendor {vendor} cannot be used without roleArn")));
    }
    if vendor == "logs" {
        let scope = super::arn::store_scope(&call.scope);
        // Its stream and its role were checked when it was put.
        call.services.logs.log_destination_by_arn(&scope, arn)?;
        return role.map_or(Ok(()), |role| call.pass_role(role, "logs.amazonaws.com"));
    }
    let known = is_stream || vendor == "lambda" || arn.starts_with("weir:opensearch:");
    if !known {
        return Err(invalid(
            "Invalid destinationArn: a Lambda function, a Kinesis stream, a Firehose stream, a destination or weir:opensearch:URL/INDEX.",
        ));
    }
    if let Some(role) = role {
        call.pass_role(role, "logs.amazonaws.com")?;
    }
    if call.services.settings.emulator {
        return Ok(());
    }
    let told = match vendor {
        "kinesis" => {
            "Could not deliver test message to specified Kinesis stream. Check if the given kinesis stream is in ACTIVE state."
        }
        "firehose" => {
            "Could not deliver test message to specified Firehose stream. Check if the given Firehose stream is in ACTIVE state."
        }
        "lambda" => {
            "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your function."
        }
        _ => "Could not reach the OpenSearch endpoint.",
    };
    let failed = |reason: String| invalid(format!("{told} ({reason})"));
    if let Some(role) = role {
        let source = call.arn("logs", "*");
        let context =
            [("aws:SourceAccount", call.scope.account.as_str()), ("aws:SourceArn", source.as_str())];
        if !call.service_may_assume(role, "logs.amazonaws.com", &context)? {
            return Err(failed("logs.amazonaws.com cannot assume the role".into()));
        }
    }
    call.services.destinations.test(arn, role).map_err(failed)
}
