//! Errors that s3s raises itself have a code and no message; clients show
//! "Unknown" then. The texts are AWS's.
//!
//! Source: S3 API, "Error responses", list of error codes.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::BodyExt;
use s3s::Body;

const MESSAGES: &[(&str, &str)] = &[
    ("AccessDenied", "Access Denied"),
    ("AuthorizationHeaderMalformed", "The authorization header that you provided is not valid."),
    (
        "BadDigest",
        "The Content-MD5 or checksum value that you specified did not match what the server received.",
    ),
    ("EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size."),
    ("ExpiredToken", "The provided token has expired."),
    (
        "IncompleteBody",
        "You did not provide the number of bytes specified by the Content-Length HTTP header.",
    ),
    ("InvalidArgument", "Invalid Argument"),
    ("InvalidBucketName", "The specified bucket is not valid."),
    ("InvalidDigest", "The Content-MD5 or checksum value that you specified is not valid."),
    ("InvalidPart", "One or more of the specified parts could not be found."),
    ("InvalidRange", "The requested range is not satisfiable"),
    ("InvalidRequest", "Invalid Request"),
    ("InvalidURI", "The specified URI couldn't be parsed."),
    ("KeyTooLongError", "Your key is too long"),
    (
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    ),
    ("MethodNotAllowed", "The specified method is not allowed against this resource."),
    ("MissingContentLength", "You must provide the Content-Length HTTP header."),
    ("NotImplemented", "A header you provided implies functionality that is not implemented"),
    ("RequestTimeTooSkewed", "The difference between the request time and the current time is too large."),
    (
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    ),
    (
        "XAmzContentSHA256Mismatch",
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
    ),
];

/// The answer with the message of its code, if it is an error that lacks one.
pub(super) async fn told(response: http::Response<Body>) -> http::Response<Body> {
    let is_xml = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().ends_with(b"/xml"));
    if response.status().as_u16() < 400 || !is_xml {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(body) = body.collect().await else { return http::Response::from_parts(parts, Body::empty()) };
    let body = with_message(body.to_bytes());
    parts.headers.remove(CONTENT_LENGTH);
    http::Response::from_parts(parts, Body::from(body))
}

fn with_message(body: Bytes) -> Bytes {
    let Ok(text) = std::str::from_utf8(&body) else { return body };
    let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    let Some((code, _)) = code.filter(|_| !text.contains("<Message>")) else { return body };
    let message = MESSAGES.iter().find(|(known, _)| *known == code).map_or(code, |(_, message)| *message);
    Bytes::from(text.replacen("</Code>", &format!("</Code><Message>{message}</Message>"), 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_added_where_there_is_none() {
        for (body, expected) in [
            (
                "<Error><Code>InvalidRange</Code></Error>",
                "<Error><Code>InvalidRange</Code><Message>The requested range is not satisfiable</Message></Error>",
            ),
            ("<Error><Code>Odd</Code></Error>", "<Error><Code>Odd</Code><Message>Odd</Message></Error>"),
            (
                "<Error><Code>A</Code><Message>b</Message></Error>",
                "<Error><Code>A</Code><Message>b</Message></Error>",
            ),
            ("nothing", "nothing"),
        ] {
            assert_eq!(with_message(Bytes::from(body)), expected);
        }
    }
}
