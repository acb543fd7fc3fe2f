//! Tags of streams, as requests give them.

use super::stream::required;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::Value;
use weir_control::delivery_stream::TAGS_LIMIT;

/// `Tags`; none if the member is absent.
///
/// Errors: `ValidationException`.
pub fn given(members: Members<'_>) -> Result<Vec<(String, String)>, ApiError> {
    let list = members.list("Tags")?.unwrap_or_default();
    let invalid = |message: String| ApiError::new("ValidationException", message);
    if list.len() > TAGS_LIMIT {
        return Err(invalid(format!(
            "1 validation error detected: Value at 'tags' failed to satisify contstraint: Member must have length less than or equal to {TAGS_LIMIT}"
        )));
    }
    let mut tags = Vec::new();
    for (item, number) in list.iter().zip(1..) {
        let none = serde_json::Map::new();
        let tag = Members::new(item.as_object().unwrap_or(&none));
        let (key, value) = (required(tag, "Key")?, tag.text("Value")?.unwrap_or_default());
        for (text, member, longest) in [(key, "key", 128), (value, "value", 256)] {
            if text.chars().count() > longest {
                return Err(invalid(format!(
                    "1 validation error detected: Value '{text}' at 'tags.{number}.member.{member}' failed to satisfy constraint: Member must have length less than or equal to {longest}"
                )));
            }
            if !text.chars().all(|c| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@%\\".contains(c)) {
                return Err(invalid(format!(
                    "1 validation error detected: Value '{text}' at 'tags.{number}.member.{member}' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\p{{L}}\\p{{Z}}\\p{{N}}_.:/=+\\-@%]*"
                )));
            }
        }
        if key.starts_with("aws:") {
            return Err(ApiError::new("InvalidArgumentException", "Tag keys must not begin with aws:"));
        }
        tags.push((key.to_owned(), value.to_owned()));
    }
    Ok(tags)
}

/// Whether the caller may set these tags with `action`.
///
/// Errors: `AccessDeniedException`.
pub fn permit(call: &Call<'_>, action: &str, arn: &str, tags: &[(String, String)]) -> Result<(), ApiError> {
    let named: Vec<(String, &str)> =
        tags.iter().map(|(key, value)| (format!("aws:RequestTag/{key}"), value.as_str())).collect();
    let mut context: Vec<(&str, &str)> = named.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    context.extend(tags.iter().map(|(key, _)| ("aws:TagKeys", key.as_str())));
    call.authorize(&format!("firehose:{action}"), arn, &context)
}

/// As ListTagsForDeliveryStream shows one.
pub fn shown((key, value): &(String, String)) -> Value {
    serde_json::json!({"Key": key, "Value": value})
}
