//! Why a request is not believed, and how each protocol says so.
//!
//! A [`SigError`] names the situation; [`wire`] turns it into the code, HTTP
//! status and message that clients of that protocol know. Messages begin and end
//! as AWS's do. Details that only S3 sends are in [`WireError::details`].
//!
//! Source: "Common errors" of the IAM, EC2, CloudWatch Logs and S3 API references.

use super::{MAX_SKEW_SECONDS, TERMINATOR, clock};
use std::fmt;
use thiserror::Error;
use weir_types::time::UnixMillis;

/// What is wrong with a request's credentials or signature. `Display` is for
/// logs; clients get [`wire`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SigError {
    #[error("the request has no credentials")]
    MissingAuthentication,
    #[error("the Authorization header is malformed: {0}")]
    MalformedAuthorization(String),
    #[error("the presigned query is malformed: {0}")]
    MalformedQuery(String),
    /// SigV4a (`AWS4-ECDSA-P256-SHA256`), SigV2 (`AWS`) and whatever else.
    #[error("the signature algorithm '{0}' is not supported; sign with AWS4-HMAC-SHA256")]
    UnsupportedAlgorithm(String),
    /// No such key, or one that is `Inactive`: found by the caller.
    #[error("the access key id is unknown or inactive")]
    UnknownAccessKey,
    /// Missing for temporary credentials, not theirs, or given with long-term ones.
    #[error("the session token does not belong to the access key")]
    InvalidSessionToken,
    /// Temporary credentials are past their `Expiration`: found by the caller.
    #[error("the temporary credentials have expired")]
    CredentialsExpired,
    #[error("the credential scope ends in '{0}', not 'aws4_request'")]
    WrongTerminator(String),
    #[error("the credential scope has region '{given}', not {expected}")]
    WrongRegion { given: String, expected: String },
    #[error("the credential scope has service '{given}', not '{expected}'")]
    WrongService { given: String, expected: String },
    #[error("the credential scope has date '{given}' but the request was signed at {signed_at}")]
    WrongScopeDate { given: String, signed_at: String },
    #[error("the request was signed more than 15 minutes ago")]
    Expired { signed_at: UnixMillis, now: UnixMillis },
    #[error("the request was signed more than 15 minutes in the future")]
    NotYetCurrent { signed_at: UnixMillis, now: UnixMillis },
    #[error("the presigned URL has expired")]
    PresignedExpired { signed_at: UnixMillis, expires_seconds: u32, now: UnixMillis },
    #[error("the host header is not signed")]
    HostNotSigned,
    #[error("headers are not signed: {}", .0.join(", "))]
    HeadersNotSigned(Vec<String>),
    /// S3 only.
    #[error("the header x-amz-content-sha256 is missing")]
    MissingContentSha256,
    /// S3 only.
    #[error("the header x-amz-content-sha256 is neither a hash nor a known word")]
    InvalidContentSha256,
    /// S3 only; other services answer with a signature that does not match.
    #[error("the body's SHA-256 is {server}, not {client}")]
    ContentSha256Mismatch { client: String, server: String },
    #[error("the signature does not match")]
    SignatureDoesNotMatch(Box<SignatureMismatch>),
}

/// What the server computed, to find the difference with. Its `Debug` leaves out
/// the canonical request, which holds the session token.
#[derive(Clone, PartialEq, Eq)]
pub struct SignatureMismatch {
    pub canonical_request: String,
    pub string_to_sign: String,
    /// As the client sent it.
    pub provided: String,
}

impl fmt::Debug for SignatureMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignatureMismatch")
            .field("string_to_sign", &self.string_to_sign)
            .finish_non_exhaustive()
    }
}

/// The families of error codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorProtocol {
    /// awsQuery: iam, sts.
    Query,
    /// ec2Query.
    Ec2,
    /// awsJson: logs, athena, firehose.
    Json,
    /// restXml: s3.
    S3,
}

/// An error as a client sees it, to be rendered by its protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireError {
    pub code: &'static str,
    /// HTTP status.
    pub status: u16,
    pub message: String,
    /// Further elements of S3's `Error`, such as `StringToSign`. For the client
    /// only: `CanonicalRequest` holds its session token, so do not log them.
    pub details: Vec<(&'static str, String)>,
}

impl WireError {
    fn new(code: &'static str, status: u16, message: impl Into<String>) -> Self {
        Self { code, status, message: message.into(), details: Vec::new() }
    }
}

const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
const MISMATCH_S3: &str = "The request signature we calculated does not match the signature you provided. Check your key and signing method.";
const INVALID_TOKEN: &str = "The security token included in the request is invalid.";
const EXPIRED_TOKEN: &str = "The security token included in the request is expired";
const EC2_FAILURE: &str = "AWS was not able to validate the provided access credentials";

/// The error that a client of `protocol` gets.
pub fn wire(error: &SigError, protocol: ErrorProtocol) -> WireError {
    match protocol {
        ErrorProtocol::Query => query(error),
        ErrorProtocol::Ec2 => ec2(error),
        ErrorProtocol::Json => json(error),
        ErrorProtocol::S3 => s3(error),
    }
}

/// A denial with its message from
/// [`crate::Decision::access_denied_message`] or [`crate::decision::not_authorized_message`].
pub fn access_denied(protocol: ErrorProtocol, message: &str) -> WireError {
    match protocol {
        ErrorProtocol::Query | ErrorProtocol::S3 => WireError::new("AccessDenied", 403, message),
        ErrorProtocol::Ec2 => WireError::new(
            "UnauthorizedOperation",
            403,
            format!("You are not authorized to perform this operation. {message}"),
        ),
        ErrorProtocol::Json => WireError::new("AccessDeniedException", 400, message),
    }
}

/// EC2's answer to a `DryRun` request that would have been carried out.
pub fn dry_run_operation() -> WireError {
    WireError::new("DryRunOperation", 412, "Request would have succeeded, but DryRun flag is set.")
}

fn query(error: &SigError) -> WireError {
    match error {
        SigError::MissingAuthentication => {
            WireError::new("MissingAuthenticationToken", 403, "Request is missing Authentication Token")
        }
        SigError::UnknownAccessKey | SigError::InvalidSessionToken => {
            WireError::new("InvalidClientTokenId", 403, INVALID_TOKEN)
        }
        SigError::CredentialsExpired => WireError::new("ExpiredToken", 403, EXPIRED_TOKEN),
        SigError::MalformedAuthorization(_)
        | SigError::MalformedQuery(_)
        | SigError::UnsupportedAlgorithm(_) => WireError::new("IncompleteSignature", 400, message(error)),
        _ => WireError::new("SignatureDoesNotMatch", 403, message(error)),
    }
}

fn ec2(error: &SigError) -> WireError {
    match error {
        SigError::Expired { .. }
        | SigError::NotYetCurrent { .. }
        | SigError::PresignedExpired { .. }
        | SigError::CredentialsExpired => WireError::new("RequestExpired", 400, "Request has expired."),
        SigError::MissingAuthentication
        | SigError::UnknownAccessKey
        | SigError::InvalidSessionToken
        | SigError::SignatureDoesNotMatch(_) => WireError::new("AuthFailure", 401, EC2_FAILURE),
        _ => WireError::new("AuthFailure", 401, message(error)),
    }
}

fn json(error: &SigError) -> WireError {
    let (code, message) = match error {
        SigError::MissingAuthentication => {
            ("MissingAuthenticationTokenException", "Missing Authentication Token".to_owned())
        }
        SigError::UnknownAccessKey | SigError::InvalidSessionToken => {
            ("UnrecognizedClientException", INVALID_TOKEN.to_owned())
        }
        SigError::CredentialsExpired => ("ExpiredTokenException", EXPIRED_TOKEN.to_owned()),
        SigError::MalformedAuthorization(_)
        | SigError::MalformedQuery(_)
        | SigError::UnsupportedAlgorithm(_) => ("IncompleteSignatureException", message(error)),
        _ => ("InvalidSignatureException", message(error)),
    };
    WireError::new(code, 400, message)
}

fn s3(error: &SigError) -> WireError {
    let (code, status, text) = match error {
        SigError::MissingAuthentication => ("AccessDenied", 403, "Access Denied".to_owned()),
        SigError::UnknownAccessKey | SigError::InvalidSessionToken => (
            "InvalidAccessKeyId",
            403,
            "The AWS Access Key Id you provided does not exist in our records.".to_owned(),
        ),
        SigError::CredentialsExpired => ("ExpiredToken", 400, "The provided token has expired.".to_owned()),
        SigError::Expired { .. } | SigError::NotYetCurrent { .. } => (
            "RequestTimeTooSkewed",
            403,
            "The difference between the request time and the current time is too large.".to_owned(),
        ),
        SigError::PresignedExpired { .. } => ("AccessDenied", 403, "Request has expired".to_owned()),
        SigError::HostNotSigned | SigError::HeadersNotSigned(_) => (
            "AccessDenied",
            403,
            "There were headers present in the request which were not signed".to_owned(),
        ),
        SigError::MissingContentSha256 => ("InvalidRequest", 400, message(error)),
        SigError::InvalidContentSha256 => ("InvalidArgument", 400, message(error)),
        SigError::ContentSha256Mismatch { .. } => ("XAmzContentSHA256Mismatch", 400, message(error)),
        SigError::SignatureDoesNotMatch(_) => ("SignatureDoesNotMatch", 403, MISMATCH_S3.to_owned()),
        SigError::MalformedQuery(_) => ("AuthorizationQueryParametersError", 400, message(error)),
        SigError::MalformedAuthorization(_)
        | SigError::UnsupportedAlgorithm(_)
        | SigError::WrongTerminator(_)
        | SigError::WrongRegion { .. }
        | SigError::WrongService { .. }
        | SigError::WrongScopeDate { .. } => ("AuthorizationHeaderMalformed", 400, message(error)),
    };
    let details = match error {
        SigError::HostNotSigned => vec![("HeadersNotSigned", "host".to_owned())],
        SigError::HeadersNotSigned(names) => vec![("HeadersNotSigned", names.join(", "))],
        SigError::ContentSha256Mismatch { client, server } => {
            vec![("ClientComputedContentSHA256", client.clone()), ("S3ComputedContentSHA256", server.clone())]
        }
        SigError::SignatureDoesNotMatch(mismatch) => vec![
            ("StringToSign", mismatch.string_to_sign.clone()),
            ("SignatureProvided", mismatch.provided.clone()),
            ("CanonicalRequest", mismatch.canonical_request.clone()),
        ],
        SigError::WrongRegion { expected, .. } => vec![("Region", expected.clone())],
        _ => Vec::new(),
    };
    WireError { details, ..WireError::new(code, status, text) }
}

/// The texts that most protocols share.
fn message(error: &SigError) -> String {
    let minutes = |seconds: i64| format!("{} min.", seconds / 60);
    match error {
        SigError::MissingAuthentication => "Missing Authentication Token".to_owned(),
        SigError::MalformedAuthorization(what) | SigError::MalformedQuery(what) => what.clone(),
        SigError::UnsupportedAlgorithm(algorithm) => {
            format!("Unsupported AWS 'algorithm': '{algorithm}' (only AWS4-HMAC-SHA256 for now). ")
        }
        SigError::UnknownAccessKey | SigError::InvalidSessionToken => INVALID_TOKEN.to_owned(),
        SigError::CredentialsExpired => EXPIRED_TOKEN.to_owned(),
        SigError::WrongTerminator(given) => format!(
            "Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{given}'. "
        ),
        SigError::WrongRegion { given, .. } => {
            format!("Credential should be scoped to a valid region, not '{given}'. ")
        }
        SigError::WrongService { expected, .. } => {
            format!("Credential should be scoped to correct service: '{expected}'. ")
        }
        SigError::WrongScopeDate { given, signed_at } => format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{given}' != '{}', from '{signed_at}'.",
            signed_at.get(..8).unwrap_or_default()
        ),
        SigError::Expired { signed_at, now } => format!(
            "Signature expired: {} is now earlier than {} ({} - {})",
            clock::basic(*signed_at),
            clock::basic(now.plus_seconds(-MAX_SKEW_SECONDS)),
            clock::basic(*now),
            minutes(MAX_SKEW_SECONDS)
        ),
        SigError::NotYetCurrent { signed_at, now } => format!(
            "Signature not yet current: {} is still later than {} ({} + {})",
            clock::basic(*signed_at),
            clock::basic(now.plus_seconds(MAX_SKEW_SECONDS)),
            clock::basic(*now),
            minutes(MAX_SKEW_SECONDS)
        ),
        SigError::PresignedExpired { signed_at, expires_seconds, now } => {
            let expires_seconds = i64::from(*expires_seconds);
            format!(
                "Signature expired: {} is now earlier than {} ({} - {})",
                clock::basic(*signed_at),
                clock::basic(now.plus_seconds(-expires_seconds)),
                clock::basic(*now),
                minutes(expires_seconds)
            )
        }
        SigError::HostNotSigned => {
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.".to_owned()
        }
        SigError::HeadersNotSigned(names) => {
            format!("'{}' must be a 'SignedHeader' in the AWS Authorization.", names.join("', '"))
        }
        SigError::MissingContentSha256 => {
            "Missing required header for this request: x-amz-content-sha256".to_owned()
        }
        SigError::InvalidContentSha256 => {
            "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD or a valid sha256 value.".to_owned()
        }
        SigError::ContentSha256Mismatch { .. } => {
            "The provided 'x-amz-content-sha256' header does not match what was computed.".to_owned()
        }
        SigError::SignatureDoesNotMatch(_) => MISMATCH.to_owned(),
    }
}
