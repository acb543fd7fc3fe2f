//! TagResource: adds tags to a group or a destination, and replaces values of keys that are there.

use super::tagged::Tagged;
use super::{arn, required, tags};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    required::check(members, &["resourceArn", "tags"])?;
    let resource = Tagged::of(call, members)?;
    let tags = tags::required_map(members, "tags")?;
    resource.permit(call, "TagResource", &tags, &[])?;
    let (scope, logs) = (arn::store_scope(&call.scope), &call.services.logs);
    match resource {
        Tagged::Group(group) => logs.tag_log_group(&scope, &group, tags)?,
        Tagged::Destination(name) => logs.tag_destination(&scope, &name, tags)?,
    }
    Ok(None)
}
