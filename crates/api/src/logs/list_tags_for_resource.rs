//! ListTagsForResource: the tags of a group or a destination, by its ARN.

use super::tagged::Tagged;
use super::{arn, tags};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;
use std::collections::BTreeMap;

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let resource = Tagged::of(call, members)?;
    resource.permit(call, "ListTagsForResource", &BTreeMap::new(), &[])?;
    let (scope, logs) = (arn::store_scope(&call.scope), &call.services.logs);
    let found = match resource {
        Tagged::Group(group) => logs.log_group_tags(&scope, &group)?,
        Tagged::Destination(name) => logs.destination_tags(&scope, &name)?,
    };
    Ok(Some(tags::render(&found)))
}
