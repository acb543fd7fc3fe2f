//! A small signed client of a Weir endpoint: for `weir attach` and its
//! relatives, and for the demo, which does everything through the public API.
//!
//! Not for: applications; they use AWS's own clients.

use crate::commands::HintExt;
use anyhow::{Context, Result, anyhow, bail};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use std::time::{Duration, SystemTime};

/// Where requests go and who signs them.
#[derive(Clone)]
pub struct Client {
    http: HttpClient<HttpConnector, Full<Bytes>>,
    endpoint: String,
    region: String,
    access_key_id: String,
    secret_access_key: String,
}

/// An error answer of the endpoint.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ServiceError {
    /// AWS's error code.
    pub code: String,
    pub message: String,
}

/// The longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

impl Client {
    /// `endpoint` is `http://host:port`.
    pub fn new(endpoint: &str, region: &str, access_key_id: &str, secret_access_key: &str) -> Self {
        Self {
            http: HttpClient::builder(TokioExecutor::new()).build_http(),
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            region: region.to_owned(),
            access_key_id: access_key_id.to_owned(),
            secret_access_key: secret_access_key.to_owned(),
        }
    }

    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// An action of a query-protocol service (`ec2`, `iam`, `sts`); the answer is XML.
    pub async fn query(&self, service: &str, action: &str, params: &[(&str, &str)]) -> Result<String> {
        let version = match service {
            "ec2" => weir_api::ec2::VERSION,
            "iam" => weir_api::iam::VERSION,
            "sts" => weir_api::sts::VERSION,
            other => bail!("{other} does not speak the query protocol"),
        };
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", action).append_pair("Version", version);
        form.extend_pairs(params);
        let body = form.finish();
        let (status, answer) =
            self.send(service, &[("content-type", "application/x-www-form-urlencoded")], body).await?;
        if status.is_success() {
            return Ok(answer);
        }
        let read = |name| xml_text(&answer, name).unwrap_or_default();
        Err(anyhow!(ServiceError { code: read("Code"), message: read("Message") })
            .context(format!("{service} {action}")))
    }

    /// An action of a JSON service (`logs`, `weir`).
    pub async fn json(&self, service: &str, action: &str, members: &Value) -> Result<Value> {
        let prefix = match service {
            "logs" => weir_api::logs::TARGET,
            "athena" => weir_api::athena::TARGET,
            "glue" => weir_api::glue::TARGET,
            "weir" => weir_api::weir::TARGET,
            other => bail!("{other} does not speak JSON"),
        };
        let target = format!("{prefix}.{action}");
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
        let (status, answer) = self.send(service, &headers, members.to_string()).await?;
        let value: Value = match answer.is_empty() {
            true => Value::Null,
            false => serde_json::from_str(&answer)
                .with_context(|| format!("the answer of {action} is not JSON"))?,
        };
        if status.is_success() {
            return Ok(value);
        }
        let read = |name: &str| value[name].as_str().map(str::to_owned);
        let message = read("message").or(read("Message")).unwrap_or_default();
        Err(anyhow!(ServiceError { code: read("__type").unwrap_or_default(), message }))
    }

    /// An action of a JSON service whose answer is a stream.
    pub async fn stream(&self, service: &str, action: &str, members: &Value) -> Result<Incoming> {
        let target = format!("{}.{action}", weir_api::logs::TARGET);
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
        let answer = self.request(service, &headers, members.to_string()).await?;
        if answer.status().is_success() {
            return Ok(answer.into_body());
        }
        let bytes = answer.into_body().collect().await?.to_bytes();
        let value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let read = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        Err(anyhow!(ServiceError { code: read("__type"), message: read("message") }))
    }

    async fn send(
        &self,
        service: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<(http::StatusCode, String)> {
        let answer = self.request(service, headers, body).await?;
        let status = answer.status();
        let bytes = answer.into_body().collect().await?.to_bytes();
        Ok((status, String::from_utf8_lossy(&bytes).into_owned()))
    }

    async fn request(
        &self,
        service: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<http::Response<Incoming>> {
        let credentials = Credentials::from_keys(&self.access_key_id, &self.secret_access_key, None);
        let identity = credentials.into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let url = format!("{}/", self.endpoint);
        let host = self.endpoint.split_once("://").map_or(self.endpoint.as_str(), |(_, host)| host);
        let mut signed_headers = vec![("host", host)];
        signed_headers.extend_from_slice(headers);
        let signable = SignableRequest::new(
            "POST",
            &url,
            signed_headers.iter().copied(),
            SignableBody::Bytes(body.as_bytes()),
        )?;
        let (instructions, _) = sign(signable, &params)?.into_parts();
        let mut request = http::Request::post(&url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Full::new(Bytes::from(body)))?;
        instructions.apply_to_request_http1x(&mut request);
        tokio::time::timeout(PATIENCE, self.http.request(request))
            .await
            .with_context(|| format!("{} did not answer", self.endpoint))?
            .with_context(|| format!("cannot reach {}", self.endpoint))
            .hint("start it with 'weir serve', or name another one with --endpoint-url or --data-dir")
    }
}

/// The text of the first element with this name.
pub fn xml_text(xml: &str, name: &str) -> Option<String> {
    xml_texts(xml, name).into_iter().next()
}

/// The texts of all elements with this name, up to where the XML is broken.
pub fn xml_texts(xml: &str, name: &str) -> Vec<String> {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(xml);
    let mut found = Vec::new();
    let mut text: Option<String> = None;
    while let Ok(event) = reader.read_event() {
        match (event, &mut text) {
            (Event::Start(tag), None) if tag.local_name().as_ref() == name => text = Some(String::new()),
            (Event::Text(part), Some(text)) => text.push_str(&part),
            (Event::GeneralRef(entity), Some(text)) => {
                let entity: &str = &entity;
                text.push_str(&quick_xml::escape::unescape(&format!("&{entity};")).unwrap_or_default());
            }
            (Event::End(tag), Some(_)) if tag.local_name().as_ref() == name => found.extend(text.take()),
            (Event::Eof, _) => break,
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_element_of_a_name_is_read() {
        let xml = "<r xmlns=\"u\"><a/><vpcId>vpc-1</vpcId><m>x &lt; y &amp; z</m><vpcId>vpc-2</vpcId></r>";
        assert_eq!(xml_text(xml, "vpcId").as_deref(), Some("vpc-1"));
        assert_eq!(xml_text(xml, "m").as_deref(), Some("x < y & z"));
        assert_eq!(xml_text(xml, "none"), None);
        assert_eq!(xml_texts(xml, "vpcId"), ["vpc-1", "vpc-2"]);
    }
}
