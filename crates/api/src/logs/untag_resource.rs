//! UntagResource: removes tags of a group or a destination. Keys that are not there do not matter.

use super::tagged::Tagged;
use super::{arn, required, tags};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;
use std::collections::BTreeMap;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    required::check(members, &["resourceArn", "tagKeys"])?;
    let resource = Tagged::of(call, members)?;
    let keys = tags::required_keys(members, "tagKeys", 0)?;
    resource.permit(call, "UntagResource", &BTreeMap::new(), &keys)?;
    let (scope, logs) = (arn::store_scope(&call.scope), &call.services.logs);
    match resource {
        Tagged::Group(group) => logs.untag_log_group(&scope, &group, keys)?,
        Tagged::Destination(name) => logs.untag_destination(&scope, &name, keys)?,
    }
    Ok(None)
}
