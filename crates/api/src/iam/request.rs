//! What IAM's and STS's requests have in common.

use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use weir_control::principal::{role, role_tag};

/// All but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A parameter that must be there.
///
/// Errors: `ValidationError`.
pub fn required<'a>(params: &'a Params, name: &str) -> Result<&'a str, ApiError> {
    params.get(name).ok_or_else(|| {
        let mut letters = name.chars();
        let first = letters.next().map(|c| c.to_ascii_lowercase());
        let member: String = first.into_iter().chain(letters).collect();
        let message = format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
        );
        ApiError::new("ValidationError", message)
    })
}

/// `Tags.member.N`
pub fn tags(params: &Params) -> Result<Vec<(String, String)>, ApiError> {
    let read = |tag: &Params| {
        let value = tag.raw("Value").unwrap_or_default().to_owned();
        Ok((required(tag, "Key")?.to_owned(), value))
    };
    let tags = params.structs("Tags");
    at_most_50("tags", tags.len())?;
    tags.iter().map(read).collect()
}

/// A list of tags or of their keys in one request.
///
/// Errors: `ValidationError`.
pub fn at_most_50(member: &str, count: usize) -> Result<(), ApiError> {
    if count <= 50 {
        return Ok(());
    }
    let message = format!(
        "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must have length less than or equal to 50"
    );
    Err(ApiError::new("ValidationError", message))
}

/// A policy document as answers have it.
pub fn encoded(document: &str) -> String {
    utf8_percent_encode(document, ENCODED).to_string()
}

/// The caller may do `action` on the role of this name. Its tags are
/// `aws:ResourceTag/K`; a role that is not there is asked for by its name alone.
pub fn authorize_role(
    call: &Call<'_>,
    action: &str,
    name: &str,
    context: &[(&str, &str)],
) -> Result<(), ApiError> {
    let found = call.transact(|cx| match role::find(cx.tx, &cx.scope.global(), name)? {
        Some(role) => Ok(Some((role.arn.to_string(), role_tag::of(cx, &role)?))),
        None => Ok(None),
    })?;
    let (arn, tags) = found.unwrap_or_else(|| (role::arn(&call.scope, "/", name).to_string(), Vec::new()));
    let mut own = tag_keys("aws:ResourceTag", &tags);
    own.extend(tag_keys("iam:ResourceTag", &tags));
    let mut keys = lent(&own);
    keys.extend_from_slice(context);
    call.authorize(action, &arn, &keys)
}

/// `aws:RequestTag/K` and `aws:TagKeys` of tags that a request brings.
pub fn request_tag_keys(tags: &[(String, String)]) -> Vec<(String, String)> {
    let mut keys = tag_keys("aws:RequestTag", tags);
    keys.extend(tags.iter().map(|(key, _)| ("aws:TagKeys".to_owned(), key.clone())));
    keys
}

/// Context keys as [`Call::authorize`] takes them.
pub fn lent(keys: &[(String, String)]) -> Vec<(&str, &str)> {
    keys.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

fn tag_keys(kind: &str, tags: &[(String, String)]) -> Vec<(String, String)> {
    tags.iter().map(|(key, value)| (format!("{kind}/{key}"), value.clone())).collect()
}
