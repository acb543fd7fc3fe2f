//! Signed requests to services for which no SDK is needed: one PUT, one POST.
//!
//! Source: IAM user guide, "AWS Signature Version 4 for API requests".

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use std::error::Error;
use std::time::SystemTime;

type Failed = Box<dyn Error + Send + Sync>;

/// A request that shall be signed.
#[derive(Debug)]
pub(crate) struct Unsigned<'a> {
    /// As credential scopes name it: `s3`.
    pub service: &'static str,
    pub region: &'a str,
    pub method: &'static str,
    pub url: &'a str,
    /// All of them are signed; `host` is added.
    pub headers: Vec<(&'static str, String)>,
    pub body: &'a [u8],
}

impl Unsigned<'_> {
    /// The headers to send, the signature's own among them.
    pub fn sign(self, credentials: &Credentials, at: SystemTime) -> Result<Vec<(String, String)>, Failed> {
        let Self { service, region, method, url, headers, body } = self;
        let mut settings = SigningSettings::default();
        if service == "s3" {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        }
        let uri: http::Uri = url.parse()?;
        let host = uri.authority().map(|authority| authority.as_str().to_owned()).unwrap_or_default();
        let mut all: Vec<(String, String)> = vec![("host".to_owned(), host)];
        all.extend(headers.into_iter().map(|(name, value)| (name.to_owned(), value)));
        let identity = credentials.clone().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(service)
            .time(at)
            .settings(settings)
            .build()?
            .into();
        let lent = all.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let signable = SignableRequest::new(method, url, lent, SignableBody::Bytes(body))?;
        let (instructions, _) = sign(signable, &params)?.into_parts();
        let added: Vec<(String, String)> =
            instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        all.extend(added);
        Ok(all)
    }
}
