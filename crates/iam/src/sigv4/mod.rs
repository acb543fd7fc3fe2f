//! AWS Signature Version 4 as a server sees it.
//!
//! ```text
//! CanonicalRequest = METHOD \n URI \n query \n headers \n SignedHeaders \n payload hash
//! StringToSign     = AWS4-HMAC-SHA256 \n X-Amz-Date \n scope \n hex(sha256(CanonicalRequest))
//! signing key      = HMAC(HMAC(HMAC(HMAC("AWS4" + secret, date), region), service), "aws4_request")
//! signature        = hex(HMAC(signing key, StringToSign))
//! ```
//!
//! [`parse()`] reads what a request claims (the key id to look up, the service to
//! route to), [`verify()`] decides whether it is true. In between the caller finds
//! the secret of the key; what it finds wrong with the key (unknown, expired,
//! wrong session token) is a [`SigError`] as well, so that [`errors`] can say all
//! of it in the words of each protocol.
//!
//! Not for: signing; SigV4a; the chunk signatures of S3's `aws-chunked` bodies,
//! of which only the first request is verified here.
//!
//! Source: IAM user guide, "Create a signed AWS API request"; S3 API reference,
//! "Authenticating Requests (AWS Signature Version 4)".

pub mod canonical;
pub mod clock;
pub mod errors;
pub mod parse;
pub mod verify;

#[cfg(test)]
mod tests;

pub use errors::{ErrorProtocol, SigError, SignatureMismatch, WireError};
pub use parse::{CredentialScope, SignatureForm, SignedRequest, parse};
pub use verify::{Expected, check_session_token, verify};

use std::fmt;

/// The one algorithm that is understood.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The last part of every credential scope.
pub const TERMINATOR: &str = "aws4_request";

/// How far a signature's date may be from the server's, in seconds: 15 minutes.
pub const MAX_SKEW_SECONDS: i64 = 15 * 60;

/// The longest life of a presigned URL, in seconds: 7 days.
pub const MAX_EXPIRES_SECONDS: u32 = 604_800;

/// An HTTP request as it came over the wire, before any decoding. Its `Debug`
/// shows neither query nor headers, where tokens are, nor the body.
#[derive(Clone, Copy)]
pub struct RequestParts<'a> {
    /// `GET`, `POST`, …
    pub method: &'a str,
    /// The path as sent, percent-encoding and all, without the query.
    pub path: &'a str,
    /// What follows the `?`, as sent; empty without one.
    pub query: &'a str,
    /// In the order in which they came; names in any case. HTTP/2 requests need
    /// their `:authority` here as `host`.
    pub headers: &'a [(&'a str, &'a [u8])],
    pub payload: Payload<'a>,
}

/// The body of a request, or what is left to know of it.
#[derive(Clone, Copy)]
pub enum Payload<'a> {
    Body(&'a [u8]),
    /// SHA-256 of a body that has been read already.
    Sha256([u8; 32]),
}

impl fmt::Debug for RequestParts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestParts({} {})", self.method, self.path)
    }
}

impl RequestParts<'_> {
    /// The values of a header, in order.
    pub(crate) fn header_values<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'b [u8]> {
        self.headers.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    /// The only value of a header, as text. None without the header, or when it
    /// comes more than once or is no UTF-8.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
        match (values.next(), values.next()) {
            (Some((_, value)), None) => std::str::from_utf8(value).ok().map(str::trim),
            _ => None,
        }
    }
}
