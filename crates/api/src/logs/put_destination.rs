//! PutDestination: names a Kinesis or Firehose stream for subscription filters.

use super::destination::{check, render};
use super::error::invalid;
use super::{arn, required, tags};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_logs::LogDestination;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let [name, target, role] = required::texts(members, ["destinationName", "targetArn", "roleArn"])?;
    let destination = LogDestination {
        name: name.to_owned(),
        target_arn: target.to_owned(),
        role_arn: role.to_owned(),
        tags: tags::map(members, "tags")?,
        ..Default::default()
    };
    call.authorize("logs:PutDestination", &arn::destination(&call.scope, name), &[])?;
    let is_stream = [":kinesis:", ":firehose:"].iter().any(|vendor| target.contains(vendor));
    if !is_stream && !call.services.settings.emulator {
        return Err(invalid("targetArn must be the ARN of a Kinesis stream or a Firehose stream."));
    }
    if is_stream {
        check(call, target, Some(role))?;
    }
    let scope = arn::store_scope(&call.scope);
    let kept = call.services.logs.put_destination(&scope, destination, call.now)?;
    Ok(Some(json!({ "destination": render(call, &kept) })))
}
