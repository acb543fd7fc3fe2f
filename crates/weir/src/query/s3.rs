//! Objects of an S3 bucket: listed and read with signed requests, in path style.
//!
//! Source: Amazon S3 API reference, ListObjectsV2 and GetObject; "Signature
//! calculations for the authorization header".

use crate::client::{xml_text, xml_texts};
use crate::commands::connect::Address;
use crate::records::inputs::is_of_another_service;
use anyhow::{Context, Result, anyhow, bail};
use async_trait::async_trait;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use hyper::body::Bytes;
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;
use weir_forward::{Http, HttpError};
use weir_query::{Kind, Object, Source};

/// More is asked for in several requests.
const REQUEST_BYTES: u64 = 4 << 20;

/// A bucket and who reads it.
struct Bucket {
    http: Http,
    /// `https://host/bucket`
    url: String,
    host: String,
    region: String,
    credentials: Credentials,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bucket").field(&self.url).finish()
    }
}

/// The objects below a prefix that may be flow logs.
///
/// # Errors
/// The bucket cannot be listed, or has none.
pub async fn list(address: &Address, bucket: &str, prefix: &str) -> Result<Vec<Object>> {
    let Address { url, region, access_key_id, secret_access_key, session_token } = address;
    let endpoint = url.trim_end_matches('/');
    let reader = Arc::new(Bucket {
        http: Http::new()?,
        url: format!("{endpoint}/{}", escaped(bucket, "")),
        host: endpoint.split_once("://").map_or(endpoint, |(_, host)| host).to_owned(),
        region: region.clone(),
        credentials: Credentials::from_keys(access_key_id, secret_access_key, session_token.clone()),
    });
    let source: Arc<dyn Source> = Arc::clone(&reader) as Arc<dyn Source>;
    let mut objects = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let mut query = format!("?list-type=2&prefix={}", escaped(prefix, ""));
        if let Some(token) = &token {
            query = format!(
                "?continuation-token={}&list-type=2&prefix={}",
                escaped(token, ""),
                escaped(prefix, "")
            );
        }
        let answer = reader.get(&query, None).await.map_err(refused)?;
        let answer = std::str::from_utf8(&answer).context("the list of objects is not UTF-8")?;
        let keys = xml_texts(answer, "Key");
        let sizes = xml_texts(answer, "Size");
        if keys.len() != sizes.len() {
            bail!("the list of objects makes no sense");
        }
        for (key, size) in keys.into_iter().zip(sizes) {
            let name = key.rsplit('/').next().unwrap_or_default();
            let is_left_out =
                name.is_empty() || name.starts_with(['.', '_']) || name == "aws-logs-write-test";
            if is_left_out || is_of_another_service(Path::new(&key)) {
                continue;
            }
            objects.push(Object {
                source: Arc::clone(&source),
                name: format!("s3://{bucket}/{key}"),
                bytes: size.parse().context("the size of an object is no number")?,
                kind: Kind::of_name(&key),
                key,
                partition: Vec::new(),
                seconds: None,
            });
        }
        token = xml_text(answer, "NextContinuationToken");
        if token.is_none() {
            break;
        }
    }
    if objects.is_empty() {
        bail!("there are no flow logs");
    }
    Ok(objects)
}

fn refused(error: HttpError) -> anyhow::Error {
    match &error {
        HttpError::Refused { body, .. } => match (xml_text(body, "Code"), xml_text(body, "Message")) {
            (Some(code), Some(message)) => anyhow!("{code}: {message}"),
            _ => error.into(),
        },
        _ => error.into(),
    }
}

impl Bucket {
    async fn get(&self, place: &str, range: Option<&Range<u64>>) -> Result<Bytes, HttpError> {
        let url = format!("{}{place}", self.url);
        let unsigned = |error: &dyn fmt::Display| HttpError::Url(format!("{url} ({error})"));
        let range = range.map(|range| format!("bytes={}-{}", range.start, range.end.saturating_sub(1)));
        let mut headers = vec![("host", self.host.as_str())];
        headers.extend(range.as_deref().map(|range| ("range", range)));
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let identity = self.credentials.clone().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("s3")
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .map_err(|error| unsigned(&error))?
            .into();
        let request = SignableRequest::new("GET", &url, headers.iter().copied(), SignableBody::Bytes(b""))
            .map_err(|error| unsigned(&error))?;
        let (instructions, _) = sign(request, &params).map_err(|error| unsigned(&error))?.into_parts();
        let mut sent: Vec<(&str, &str)> = instructions.headers().collect();
        sent.extend(range.as_deref().map(|range| ("range", range)));
        self.http.send(http::Method::GET, &url, &sent, Vec::new()).await
    }
}

#[async_trait]
impl Source for Bucket {
    async fn read(&self, key: &str, range: Range<u64>) -> io::Result<Bytes> {
        let place = format!("/{}", escaped(key, "/"));
        let mut whole = Vec::new();
        let mut start = range.start;
        while start < range.end {
            let end = range.end.min(start + REQUEST_BYTES);
            let bytes = self
                .get(&place, Some(&(start..end)))
                .await
                .map_err(|error| io::Error::other(refused(error)))?;
            if bytes.is_empty() {
                break;
            }
            start += bytes.len() as u64;
            if whole.is_empty() && start >= range.end {
                return Ok(bytes);
            }
            whole.extend_from_slice(&bytes);
        }
        Ok(Bytes::from(whole))
    }
}

/// Everything but unreserved characters and `kept` as `%XX`.
fn escaped(text: &str, kept: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        let letter = char::from(byte);
        if byte.is_ascii_alphanumeric()
            || "-._~".contains(letter)
            || (byte.is_ascii() && kept.contains(letter))
        {
            escaped.push(letter);
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_escaped_as_signatures_want_it() {
        assert_eq!(escaped("a/b=c d+é~.gz", "/"), "a/b%3Dc%20d%2B%C3%A9~.gz");
        assert_eq!(escaped("a/b", ""), "a%2Fb");
    }
}
