//! The stream that a request names, and who may do what to it.

use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use weir_control::delivery_stream::{self, DeliveryStream};

pub fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidArgumentException", message.into())
}

/// A member that must be there.
///
/// Errors: `ValidationException`.
pub fn required<'a>(members: Members<'a>, name: &str) -> Result<&'a str, ApiError> {
    members.text(name)?.ok_or_else(|| {
        let (first, rest) = name.split_at(1);
        let message = format!(
            "1 validation error detected: Value null at '{}{rest}' failed to satisfy constraint: Member must not be null",
            first.to_ascii_lowercase()
        );
        ApiError::new("ValidationException", message)
    })
}

/// `DeliveryStreamName`, if it can be one.
///
/// Errors: `ValidationException`.
pub fn name(members: Members<'_>) -> Result<&str, ApiError> {
    required(members, "DeliveryStreamName")
}

/// Whether a text can name a stream. Source: Firehose API, `DeliveryStreamName`.
pub fn check_name(name: &str) -> Result<(), ApiError> {
    let is_right = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
    let told = if !(1..=64).contains(&name.len()) {
        "Member must have length less than or equal to 64, and greater than or equal to 1"
    } else if !name.bytes().all(is_right) {
        "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
    } else {
        return Ok(());
    };
    let message = format!(
        "1 validation error detected: Value '{name}' at 'deliveryStreamName' failed to satisfy constraint: {told}"
    );
    Err(ApiError::new("ValidationException", message))
}

/// Whether the caller may do `action` to the stream; its tags count.
///
/// Errors: `AccessDeniedException`.
pub fn permit(call: &Call<'_>, action: &str, name: &str) -> Result<(), ApiError> {
    let known = call.transact(|cx| cx.tx.get::<DeliveryStream>(cx.scope, name))?;
    let tags = known.map(|stream| stream.tags).unwrap_or_default();
    let context: Vec<(String, String)> =
        tags.into_iter().map(|(key, value)| (format!("aws:ResourceTag/{key}"), value)).collect();
    let context: Vec<(&str, &str)> =
        context.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let arn = call.arn("firehose", format!("deliverystream/{name}"));
    call.authorize(&format!("firehose:{action}"), &arn, &context)
}

/// The stream, if the caller may do `action` to it.
///
/// Errors: `AccessDeniedException`, `ResourceNotFoundException`.
pub fn permitted(call: &Call<'_>, action: &str, name: &str) -> Result<DeliveryStream, ApiError> {
    permit(call, action, name)?;
    call.transact(|cx| delivery_stream::find(cx, name))
}
