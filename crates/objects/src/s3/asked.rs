//! What any request may ask for beside its operation: a bucket's owner, a version
//! of an object, protection that is not here.
//!
//! Who ignores such a header or parameter answers for another bucket, another
//! version or another kind of storage than the client believes.

use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

/// Headers for what is not here: what they ask for would be promised and not be so.
const REFUSED: [&str; 6] = [
    "x-amz-server-side-encryption-customer-",
    "x-amz-copy-source-server-side-encryption-customer-",
    "x-amz-object-lock-",
    // Of directory buckets.
    "x-amz-if-match-last-modified-time",
    "x-amz-if-match-size",
    "x-amz-write-offset-bytes",
];

/// The answer to headers that no general purpose bucket, or none here, knows.
pub(super) fn not_implemented() -> S3Error {
    s3_error!(NotImplemented, "A header you provided implies functionality that is not implemented")
}

/// Errors: `NotImplemented`; `InvalidArgument` or `NoSuchVersion` for a version.
pub(super) fn check(headers: &http::HeaderMap, query: Option<&str>) -> S3Result<()> {
    let is_refused = |name: &http::HeaderName| REFUSED.iter().any(|start| name.as_str().starts_with(start));
    let locks =
        headers.get("x-amz-bucket-object-lock-enabled").is_some_and(|value| is_true(value.as_bytes()));
    if locks || headers.keys().any(is_refused) {
        return Err(not_implemented());
    }
    let mut parameters = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    match parameters.find(|(name, _)| name == "versionId") {
        Some((_, id)) => version(&id),
        None => Ok(()),
    }
}

fn is_true(value: &[u8]) -> bool {
    value.eq_ignore_ascii_case(b"true")
}

/// Buckets never had versions, so every object is the version `null`.
///
/// Errors: `InvalidArgument`, `NoSuchVersion`.
pub(super) fn version(id: &str) -> S3Result<()> {
    let is_known_form =
        id.len() == 32 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    match id {
        "null" => Ok(()),
        "" => Err(s3_error!(InvalidArgument, "Version id cannot be the empty string")),
        _ if is_known_form => Err(s3_error!(NoSuchVersion, "The specified version does not exist.")),
        _ => Err(s3_error!(InvalidArgument, "Invalid version id specified")),
    }
}

/// Errors: `AccessDenied` if the header names another account than the owner's.
pub(super) fn owner(headers: &http::HeaderMap, header: &str, account: &str) -> S3Result<()> {
    match headers.get(header) {
        Some(expected) if expected.as_bytes() != account.as_bytes() => {
            Err(S3Error::with_message(S3ErrorCode::AccessDenied, "Access Denied"))
        }
        _ => Ok(()),
    }
}

/// Whom the client believes the bucket to be of.
pub(super) const OWNER: &str = "x-amz-expected-bucket-owner";
/// The same of the bucket that is copied from.
pub(super) const SOURCE_OWNER: &str = "x-amz-source-expected-bucket-owner";
