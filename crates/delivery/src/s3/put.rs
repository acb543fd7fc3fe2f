//! One PutObject, signed.
//!
//! Source: S3 API, PutObject.

use crate::destination::SendError;
use crate::http::{Http, HttpError};
use crate::retry::classify;
use crate::sign::Unsigned;
use aws_credential_types::Credentials;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::error::Error;
use std::time::{Duration, SystemTime};
use weir_types::arn::partition_of;

/// What stays as it is in the path of a URL that is signed for S3.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// How long the PUT of one object may take.
const PATIENCE: Duration = Duration::from_mins(5);

/// Where an object goes.
pub(crate) struct Put<'a> {
    pub http: &'a Http,
    /// `None` is AWS's own of the region.
    pub endpoint_url: Option<&'a str>,
    pub credentials: &'a Credentials,
    pub region: &'a str,
    pub bucket: &'a str,
    pub key: &'a str,
    pub headers: Vec<(&'static str, String)>,
}

/// Stores an object; one under the same key is replaced.
pub(crate) async fn put_object(put: Put<'_>, body: Vec<u8>) -> Result<(), SendError> {
    let Put { http, endpoint_url, credentials, region, bucket, key, headers } = put;
    let path = utf8_percent_encode(key, PLAIN);
    let url = match endpoint_url {
        Some(endpoint) => format!("{}/{bucket}/{path}", endpoint.trim_end_matches('/')),
        None => {
            let ending = if partition_of(region) == "aws-cn" { ".cn" } else { "" };
            format!("https://s3.{region}.amazonaws.com{ending}/{bucket}/{path}")
        }
    };
    let unsigned = Unsigned { service: "s3", region, method: "PUT", url: &url, headers, body: &body };
    let headers = unsigned.sign(credentials, SystemTime::now());
    let headers = headers.map_err(|error| failed(bucket, key, None, error))?;
    // The client sets the host from the URL.
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .filter(|(name, _)| name != "host")
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let sent = http.send_within(PATIENCE, http::Method::PUT, &url, &headers, body).await;
    sent.map(drop).map_err(|error| failed(bucket, key, code(&error), Box::new(error)))
}

pub(super) fn failed(
    bucket: &str,
    key: &str,
    code: Option<String>,
    source: Box<dyn Error + Send + Sync>,
) -> SendError {
    SendError {
        kind: classify(code.as_deref()),
        operation: "s3:PutObject",
        object: format!("{bucket}/{key}"),
        code,
        source: Some(source),
    }
}

/// The code in S3's answer.
pub(super) fn code(error: &HttpError) -> Option<String> {
    let HttpError::Refused { status, body } = error else { return None };
    let code = body.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    match code {
        Some((code, _)) => Some(code.to_owned()),
        None if *status == http::StatusCode::FORBIDDEN => Some("AccessDenied".to_owned()),
        None => None,
    }
}
