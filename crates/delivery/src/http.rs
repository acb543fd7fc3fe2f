//! A small HTTP client with TLS: one request, one answer, one deadline.

use ::http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use std::time::Duration;

/// How long one request may take, unless it says otherwise.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most bytes of an answer that are read.
const ANSWER: usize = 8 << 20;

/// Why there is no good answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum HttpError {
    #[error("'{0}' is not an http:// or https:// URL")]
    Url(String),
    #[error("no answer: {0}")]
    NoAnswer(String),
    #[error("answered {status}: {body}")]
    Refused { status: StatusCode, body: String },
}

/// The client. Clones share connections.
#[derive(Clone)]
pub struct Http(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

impl Http {
    /// Certificates are checked against the operating system's store.
    ///
    /// Errors: there is no TLS at all.
    pub fn new() -> Result<Self, HttpError> {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let builder = HttpsConnectorBuilder::new();
        let https = match builder.with_provider_and_native_roots(provider.clone()) {
            Ok(builder) => builder.https_or_http().enable_http1().build(),
            Err(error) => {
                tracing::warn!(%error, "no certificate store: https destinations cannot be reached");
                let config = ClientConfig::builder_with_provider(Arc::new(provider));
                let config = config.with_safe_default_protocol_versions();
                let config = config.map_err(|error| HttpError::NoAnswer(error.to_string()))?;
                let config = config.with_root_certificates(RootCertStore::empty()).with_no_client_auth();
                let builder = HttpsConnectorBuilder::new().with_tls_config(config);
                builder.https_or_http().enable_http1().build()
            }
        };
        Ok(Self(Client::builder(TokioExecutor::new()).build(https)))
    }

    /// Sends a request; anything but a success is an error.
    pub async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Bytes, HttpError> {
        self.send_within(PATIENCE, method, url, headers, body).await
    }

    /// As [`Self::send`], with another deadline.
    pub async fn send_within(
        &self,
        patience: Duration,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Bytes, HttpError> {
        let bad = || HttpError::Url(url.to_owned());
        let uri: Uri = url.parse().map_err(|_| bad())?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(bad());
        }
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(|_| bad())?;
        let exchange = async {
            let no_answer = |error: &dyn std::error::Error| HttpError::NoAnswer(chain(error));
            let answer = self.0.request(request).await.map_err(|error| no_answer(&error))?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), ANSWER).collect().await;
            let body = body.map_err(|error| no_answer(error.as_ref()))?.to_bytes();
            if status.is_success() {
                return Ok(body);
            }
            let body = String::from_utf8_lossy(&body).chars().take(300).collect();
            Err(HttpError::Refused { status, body })
        };
        let late = |_| Err(HttpError::NoAnswer(format!("none within {} s", patience.as_secs())));
        tokio::time::timeout(patience, exchange).await.unwrap_or_else(late)
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}
