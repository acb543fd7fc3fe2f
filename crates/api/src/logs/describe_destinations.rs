//! DescribeDestinations: by a prefix of their names.

use super::arn;
use super::destination::render;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    // A capital letter, as in AWS's model.
    let prefix = members.text("DestinationNamePrefix")?;
    let all = arn::destination(&call.scope, &format!("{}*", prefix.unwrap_or_default()));
    call.authorize("logs:DescribeDestinations", &all, &[])?;
    let found = call.services.logs.describe_destinations(
        &arn::store_scope(&call.scope),
        prefix,
        members.integer("limit")?,
        members.text("nextToken")?,
    )?;
    let shown: Vec<Value> = found.destinations.iter().map(|kept| render(call, kept)).collect();
    let mut answer = json!({ "destinations": shown });
    if let Some(token) = found.next_token {
        answer["nextToken"] = json!(token);
    }
    Ok(Some(answer))
}
