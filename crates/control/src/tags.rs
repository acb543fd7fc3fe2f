//! Tags of EC2 resources. Source: EC2 user guide, "Tag your resources".

use crate::error::{ControlError, Result};
use crate::state::Cx;
use std::collections::BTreeMap;

/// Tags per resource.
const LIMIT: usize = 50;

/// Sets tags, replacing values of keys that are there. The caller has checked
/// that the resource exists.
///
/// Errors: `TagLimitExceeded`, `InvalidParameterValue` for keys that are empty,
/// too long or reserved.
pub fn set(cx: Cx<'_>, id: &str, tags: &[(String, String)]) -> Result<()> {
    for (key, value) in tags {
        if key.is_empty() || key.chars().count() > 127 {
            let message = format!(
                "Tag key '{key}' is invalid. Tag keys must be between 1 and 127 characters in length"
            );
            return Err(ControlError::fault("InvalidParameterValue", message));
        }
        if value.chars().count() > 255 {
            let message = format!("Tag value exceeds the maximum length of 255 characters for key '{key}'");
            return Err(ControlError::fault("InvalidParameterValue", message));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            let message = "Tag keys starting with 'aws:' are reserved for internal use";
            return Err(ControlError::fault("InvalidParameterValue", message));
        }
        cx.tx.put_tag(cx.scope, id, key, value)?;
    }
    if cx.tx.tags(cx.scope, id)?.len() > LIMIT {
        let message = format!("The maximum number of tags ({LIMIT}) for resource {id} has been reached");
        return Err(ControlError::fault("TagLimitExceeded", message));
    }
    Ok(())
}

/// Removes tags by key, or by key and value. Tags that are not there are no error.
pub fn remove(cx: Cx<'_>, id: &str, tags: &[(String, Option<String>)]) -> Result<()> {
    for (key, value) in tags {
        cx.tx.delete_tag(cx.scope, id, key, value.as_deref())?;
    }
    Ok(())
}

/// The tags of a resource in key order.
pub fn of(cx: Cx<'_>, id: &str) -> Result<Vec<(String, String)>> {
    Ok(cx.tx.tags(cx.scope, id)?.into_iter().collect())
}

/// The tags of these resources by id, of those that have some, each in key order.
pub fn of_each<'a>(
    cx: Cx<'_>,
    ids: impl IntoIterator<Item = &'a str>,
) -> Result<BTreeMap<String, Vec<(String, String)>>> {
    let ids: Vec<&str> = ids.into_iter().collect();
    let found = cx.tx.tags_of(cx.scope, &ids)?;
    Ok(found.into_iter().map(|(id, tags)| (id, tags.into_iter().collect())).collect())
}
