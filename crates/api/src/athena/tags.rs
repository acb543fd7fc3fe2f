//! Tags and what has them.

use super::required::invalid;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use weir_control::athena;

/// The member `Tags`.
pub fn read(members: Members<'_>) -> Result<Vec<(String, String)>, ApiError> {
    let mut tags = Vec::new();
    for tag in members.list("Tags")?.unwrap_or_default() {
        let text = |name: &str| tag.get(name).and_then(serde_json::Value::as_str);
        let key = text("Key").ok_or_else(|| invalid("A tag must have a Key"))?;
        tags.push((key.to_owned(), text("Value").unwrap_or_default().to_owned()));
    }
    Ok(tags)
}

/// The id (`workgroup/NAME`) of what an ARN names.
///
/// Errors: `InvalidRequestException` if it is not there.
pub fn resource(call: &Call<'_>, arn: &str) -> Result<String, ApiError> {
    let prefix = call.arn("athena", "");
    let found = arn.strip_prefix(&prefix).map(str::to_owned);
    let there = match &found {
        Some(id) => call.transact(|cx| athena::has_tags(cx, id))?,
        None => false,
    };
    match found {
        Some(id) if there => Ok(id),
        _ => Err(invalid(format!("Athena Resource, {arn} Does Not Exist"))),
    }
}
