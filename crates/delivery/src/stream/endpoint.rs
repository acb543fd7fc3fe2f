//! One request to an HTTP endpoint, and what of it goes to a bucket.
//!
//! Source: Firehose developer guide, "Understand HTTP endpoint delivery request
//! and response specifications".

use super::buffer::{Record, Segment};
use super::target::{HttpTarget, Order};
use crate::http::{Http, HttpError};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io::Write;
use std::time::Duration;

/// Source: "Understand HTTP endpoint delivery request and response
/// specifications": three minutes.
const PATIENCE: Duration = Duration::from_mins(3);

pub(super) struct Endpoint<'a> {
    pub http: &'a Http,
    pub order: &'a Order,
    pub target: &'a HttpTarget,
}

impl Endpoint<'_> {
    /// Sends the records; the answer must name the request. A repeat has the
    /// same request id.
    pub async fn send(&self, segment: Segment, records: &[Record], now_ms: i64) -> Result<(), HttpError> {
        let Self { http, order, target } = self;
        let hash = Sha256::digest(format!("{} {}", order.key, segment.number));
        let request_id: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let data: Vec<Value> =
            records.iter().map(|record| json!({"data": STANDARD.encode(&record.data)})).collect();
        let body = json!({"requestId": request_id, "timestamp": now_ms, "records": data}).to_string();
        let body = if target.gzip { gzip(body.as_bytes()) } else { body.into_bytes() };
        let attributes = json!({"commonAttributes": target.attributes}).to_string();
        let source = order.arn.to_string();
        let mut headers = vec![
            ("content-type", "application/json"),
            ("x-amz-firehose-protocol-version", "1.0"),
            ("x-amz-firehose-request-id", request_id.as_str()),
            ("x-amz-firehose-source-arn", source.as_str()),
        ];
        if let Some(key) = &target.access_key {
            headers.push(("x-amz-firehose-access-key", key));
        }
        if !target.attributes.is_empty() {
            headers.push(("x-amz-firehose-common-attributes", &attributes));
        }
        if target.gzip {
            headers.push(("content-encoding", "gzip"));
        }
        let answer = http.send_within(PATIENCE, http::Method::POST, &target.url, &headers, body).await?;
        let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
        match answer["requestId"].as_str() {
            Some(id) if id == request_id => Ok(()),
            _ => Err(HttpError::NoAnswer("the answer does not have the request's id".to_owned())),
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), flate2::Compression::default());
    // Writing to a Vec cannot fail.
    drop(out.write_all(bytes));
    out.finish().unwrap_or_default()
}

/// What the bucket has of records that the endpoint did not take: one JSON line
/// each, the record in base64.
pub(super) fn failed_lines(records: &[Record], error: &str, attempts: u32, now_ms: i64) -> Vec<u8> {
    let line = |record: &Record| {
        let line = json!({
            "attemptsMade": attempts,
            "arrivalTimestamp": record.arrived_ms,
            "errorCode": "HttpEndpoint.DestinationException",
            "errorMessage": error,
            "attemptEndingTimestamp": now_ms,
            "rawData": STANDARD.encode(&record.data),
        });
        format!("{line}\n")
    };
    records.iter().map(line).collect::<String>().into_bytes()
}
