//! Requests signed by AWS's own signer (the `aws-sigv4` crate) must verify.

use super::*;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use proptest::prelude::*;
use std::time::{Duration, SystemTime};

/// What S3's clients encode in a path segment.
const ENCODED: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(super) const ACCESS_KEY: &str = "AKIAIOSFODNN7EXAMPLE";
pub(super) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
pub(super) const SIGNED_AT: i64 = 1_620_122_400;
pub(super) const NOW: UnixMillis = UnixMillis(SIGNED_AT * 1000);

#[derive(Debug, Clone)]
pub(super) struct Signer {
    pub(super) service: String,
    pub(super) token: Option<String>,
    /// Seconds, of a presigned URL.
    pub(super) expires: Option<u64>,
}

impl Signer {
    /// Signs as the SDKs do for this service, and returns the request as sent.
    pub(super) fn sign(&self, request: &OwnedRequest) -> OwnedRequest {
        let is_s3 = self.service == "s3";
        let mut settings = SigningSettings::default();
        if is_s3 {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        if let Some(expires) = self.expires {
            settings.signature_location = SignatureLocation::QueryParams;
            settings.expires_in = Some(Duration::from_secs(expires));
        }
        let identity = Credentials::new(ACCESS_KEY, SECRET, self.token.clone(), None, "test").into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name(&self.service)
            .time(SystemTime::UNIX_EPOCH + Duration::from_secs(SIGNED_AT as u64))
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let host = request.header("host");
        let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
        let uri = format!("http://{host}{}{query}", request.path);
        let headers = request.headers.iter().map(|(n, v)| (n.as_str(), std::str::from_utf8(v).unwrap()));
        let body = if is_s3 && self.expires.is_some() {
            SignableBody::UnsignedPayload
        } else {
            SignableBody::Bytes(&request.body)
        };
        let signable = SignableRequest::new(&request.method, uri, headers, body).unwrap();
        let (added_headers, added_params) = sign(signable, &params).unwrap().into_parts().0.into_parts();
        let mut sent = request.clone();
        for header in added_headers {
            sent.set_header(header.name(), header.value());
        }
        for (name, value) in added_params {
            let value = percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC);
            let separator = if sent.query.is_empty() { "" } else { "&" };
            sent.query += &format!("{separator}{name}={value}");
        }
        sent
    }
}

/// A path as an HTTP client sends it: percent-encoded bytes, characters that are
/// allowed as they are, empty and dot segments.
fn path() -> impl Strategy<Value = String> {
    prop::collection::vec("([a-zA-Z0-9._~:@!$'()*+,;=-]|%[0-9A-F]{2}){0,6}|\\.|\\.\\.", 0..5)
        .prop_map(|segments| format!("/{}", segments.join("/")))
}

/// An S3 path, of which everything but the unreserved characters is encoded.
fn s3_path() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 0..6), 0..5).prop_map(|segments| {
        let segments: Vec<String> = segments
            .iter()
            .map(|bytes| percent_encoding::percent_encode(bytes, ENCODED).to_string())
            .collect();
        format!("/{}", segments.join("/"))
    })
}

/// Names given twice, empty values, no `=` at all, encoded UTF-8, `+`.
fn query() -> impl Strategy<Value = String> {
    let name = "[a-c]([A-Z.~-]|%20|%C3%A9|%2B|\\+){0,2}";
    let value = "(=([a-z0-9/:=+*'~-]|%20|%C3%A9|%26|%3D|%2F){0,5})?";
    prop::collection::vec((name, value).prop_map(|(n, v)| n + &v), 0..5).prop_map(|p| p.join("&"))
}

fn headers() -> impl Strategy<Value = Vec<(String, String)>> {
    // Values with runs of spaces inside and around; names that come twice.
    prop::collection::vec(("x-(amz-)?[a-b]", " {0,2}[a-z,;=\"]{0,3} {0,3}[a-z0-9]{0,3} {0,2}"), 0..4)
}

fn any_request() -> impl Strategy<Value = (OwnedRequest, Signer)> {
    let token = prop::option::of("[A-Za-z0-9/+=]{1,40}");
    let expires = prop::option::of(1_u64..=604_800);
    let who = (prop::sample::select(vec!["ec2", "logs", "sts", "s3"]), token, expires);
    let what = (prop::sample::select(vec!["GET", "POST", "PUT", "DELETE", "HEAD"]), query(), headers());
    (who, what, path(), s3_path(), prop::collection::vec(any::<u8>(), 0..50)).prop_map(
        |((service, token, expires), (method, query, headers), path, s3_path, body)| {
            let mut sent = vec![("Host".to_owned(), b"127.0.0.1:4566".to_vec())];
            sent.extend(headers.into_iter().map(|(name, value)| (name, value.into_bytes())));
            let path = if service == "s3" { s3_path } else { path };
            let request = OwnedRequest { method: method.to_owned(), path, query, headers: sent, body };
            (request, Signer { service: service.to_owned(), token, expires })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    #[test]
    fn what_aws_signs_is_verified((request, signer) in any_request()) {
        let sent = signer.sign(&request);
        let signed = match sent.check(SECRET, NOW) {
            Ok(signed) => signed,
            Err(SigError::SignatureDoesNotMatch(mismatch)) => {
                return Err(TestCaseError::fail(mismatch.canonical_request));
            }
            Err(other) => return Err(TestCaseError::fail(other.to_string())),
        };
        prop_assert_eq!(&signed.access_key_id, ACCESS_KEY);
        prop_assert_eq!(signed.scope.to_string(), format!("20210504/us-east-1/{}/aws4_request", signer.service));
        prop_assert_eq!(signed.session_token.as_ref().map(|t| t.expose().to_owned()), signer.token);
        prop_assert_eq!(
            signed.form,
            signer.expires.map_or(SignatureForm::Header, |e| SignatureForm::Presigned { expires_seconds: e as u32 })
        );
        prop_assert!(sent.check("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEZ", NOW).is_err());
    }

    /// Nothing that a client sends may panic.
    #[test]
    fn any_authorization_is_answered(
        authorization in prop::option::of("(AWS4-HMAC-SHA256 ?)?(Credential=|Signature=|SignedHeaders=|[a-z/,; =]){0,8}"),
        query in "(X-Amz-(Signature|Date|Expires|Credential|SignedHeaders|Algorithm)=[a-z0-9/%TZ]{0,20}&){0,7}",
        date in "\\PC{0,20}",
    ) {
        let mut request = OwnedRequest {
            method: "GET".to_owned(),
            path: "/".to_owned(),
            query,
            headers: vec![("x-amz-date".to_owned(), date.into_bytes())],
            body: Vec::new(),
        };
        if let Some(value) = authorization {
            request.set_header("authorization", &value);
        }
        prop_assert!(request.check(SECRET, NOW).is_err());
    }
}
