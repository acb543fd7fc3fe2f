//! Firehose, as log delivery reaches it: PutRecordBatch of one JSON line a
//! record, with a session of the service-linked role, or of a role of another
//! account. Who is not the service cannot assume the former, and puts records
//! with keys of its own.
//!
//! Of a batch that was taken in part only the rest is sent again, while this
//! process lives: Firehose itself is at least once.
//!
//! Sources: Firehose API, PutRecordBatch; VPC user guide, "Publish flow logs to
//! Amazon Data Firehose".

use crate::destination::{Destination, Receipt, SendError};
use crate::http::{Http, HttpError};
use crate::logs::PublisherConfig;
use crate::retry::classify;
use crate::session::{OnBehalf, Sessions};
use crate::sign::Unsigned;
use crate::spool::{Header, SpoolFile};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use weir_types::arn::{Arn, partition_of};
use weir_types::flow_log::DeliveryError;
use weir_types::id::FlowLogId;
use weir_types::orders;

/// Source: Firehose API, `PutRecordBatch`.
const MAX_RECORDS: usize = 500;
const MAX_BYTES: usize = 4 << 20;
const MAX_RECORD_BYTES: usize = 1_024_000;

const PUT: &str = "firehose:PutRecordBatch";

/// The destination type `kinesis-data-firehose`.
pub struct Firehose {
    config: PublisherConfig,
    http: Http,
    sessions: Sessions,
    /// Records that were taken of a file that was not wholly so.
    progress: Mutex<HashMap<FlowLogId, (Header, BTreeSet<usize>)>>,
}

impl Firehose {
    pub fn new(config: PublisherConfig, http: Http) -> Self {
        Self { config, http, sessions: Sessions::default(), progress: Mutex::default() }
    }

    /// Puts records for a log group's subscription, with its role. All or an error.
    pub async fn put_all(
        &self,
        role: &Arn,
        stream: &Arn,
        source_arn: &str,
        records: Vec<Vec<u8>>,
    ) -> Result<(), SendError> {
        let name = format!("{role} {stream}");
        let behalf = OnBehalf {
            region: &stream.region,
            account: &stream.account,
            arn: source_arn.to_owned(),
            session: "subscription".to_owned(),
        };
        let credentials = self.sessions.get(&self.config, &name, std::slice::from_ref(role), &behalf).await?;
        let refused =
            self.put(&credentials, stream, &records).await.inspect_err(|_| self.sessions.forget(&name))?;
        match refused.first() {
            None => Ok(()),
            Some((_, code)) => Err(rate_limited(stream, code)),
        }
    }

    async fn credentials(
        &self,
        name: &str,
        roles: &[Arn],
        behalf: &OnBehalf<'_>,
    ) -> Result<Credentials, SendError> {
        let of_service = |role: &Arn| role.resource.starts_with("role/aws-service-role/");
        if self.config.is_service || !roles.iter().all(of_service) {
            return self.sessions.get(&self.config, name, roles, behalf).await;
        }
        self.config.credentials.provide_credentials().await.map_err(|error| SendError {
            kind: DeliveryError::AccessError,
            operation: PUT,
            object: behalf.arn.clone(),
            code: None,
            source: Some(Box::new(error)),
        })
    }

    /// One request. The records that were not taken, with their codes.
    async fn put(
        &self,
        credentials: &Credentials,
        stream: &Arn,
        records: &[Vec<u8>],
    ) -> Result<Vec<(usize, String)>, SendError> {
        let failed = |code: Option<String>, source: Box<dyn std::error::Error + Send + Sync>| SendError {
            kind: classify(code.as_deref()),
            operation: PUT,
            object: stream.to_string(),
            code,
            source: Some(source),
        };
        let name = stream.resource.strip_prefix("deliverystream/").unwrap_or(&stream.resource);
        let data: Vec<Value> = records.iter().map(|data| json!({"Data": STANDARD.encode(data)})).collect();
        let body = json!({"DeliveryStreamName": name, "Records": data}).to_string().into_bytes();
        let region = &stream.region;
        let url = match &self.config.endpoint_url {
            Some(endpoint) => format!("{}/", endpoint.trim_end_matches('/')),
            None => {
                let ending = if partition_of(region) == "aws-cn" { ".cn" } else { "" };
                format!("https://firehose.{region}.amazonaws.com{ending}/")
            }
        };
        let headers = vec![
            ("content-type", "application/x-amz-json-1.1".to_owned()),
            ("x-amz-target", "Firehose_20150804.PutRecordBatch".to_owned()),
        ];
        let unsigned =
            Unsigned { service: "firehose", region, method: "POST", url: &url, headers, body: &body };
        let headers = unsigned.sign(credentials, SystemTime::now()).map_err(|error| failed(None, error))?;
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .filter(|(name, _)| name != "host")
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let answer = self.http.send(http::Method::POST, &url, &headers, body).await;
        let answer = answer.map_err(|error| failed(code(&error), Box::new(error)))?;
        let answer: Value = serde_json::from_slice(&answer).map_err(|error| failed(None, Box::new(error)))?;
        if answer["FailedPutCount"].as_u64().unwrap_or_default() == 0 {
            return Ok(Vec::new());
        }
        let answers = answer["RequestResponses"].as_array().map(Vec::as_slice).unwrap_or_default();
        let refused = answers
            .iter()
            .enumerate()
            .filter_map(|(at, one)| Some((at, one["ErrorCode"].as_str()?.to_owned())));
        Ok(refused.collect())
    }

    fn progress(&self) -> MutexGuard<'_, HashMap<FlowLogId, (Header, BTreeSet<usize>)>> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn rate_limited(stream: &Arn, code: &str) -> SendError {
    SendError {
        kind: DeliveryError::RateLimited,
        operation: PUT,
        object: stream.to_string(),
        code: Some(code.to_owned()),
        source: None,
    }
}

impl Destination for Firehose {
    async fn send(&self, file: &SpoolFile) -> Result<Receipt, SendError> {
        let orders::Destination::KinesisDataFirehose { stream, roles } = &file.header.destination else {
            return Err(SendError::misrouted(PUT, file));
        };
        let Header { flow_log, account, region, .. } = &file.header;
        let name = flow_log.to_string();
        let behalf = OnBehalf {
            region,
            account,
            arn: Arn::new("logs", region, account, format!("delivery:{flow_log}")).to_string(),
            session: format!("log-delivery-{flow_log}"),
        };
        let credentials = self.credentials(&name, roles, &behalf).await?;
        let events = file.streams.iter().flat_map(|stream| &stream.events);
        let lines = events.map(|event| format!("{}\n", json!({"message": event.message})).into_bytes());
        let lines: Vec<Vec<u8>> = lines.collect();
        let known = self.progress().get(flow_log).filter(|(of, _)| *of == file.header).cloned();
        let mut done = known.map(|(_, done)| done).unwrap_or_default();
        for batch in batches(&lines, &done) {
            let records: Vec<Vec<u8>> = batch.iter().filter_map(|&at| lines.get(at).cloned()).collect();
            let refused = match self.put(&credentials, stream, &records).await {
                Ok(refused) => refused,
                Err(error) => {
                    if error.kind == DeliveryError::AccessError {
                        self.sessions.forget(&name);
                    }
                    return Err(error);
                }
            };
            let lost: BTreeSet<usize> = refused.iter().map(|(at, _)| *at).collect();
            done.extend(batch.iter().enumerate().filter(|(at, _)| !lost.contains(at)).map(|(_, &line)| line));
            self.progress().insert(flow_log.clone(), (file.header.clone(), done.clone()));
            if let Some((_, code)) = refused.first() {
                return Err(rate_limited(stream, code));
            }
        }
        self.progress().remove(flow_log);
        let rejected = lines.iter().filter(|line| line.len() > MAX_RECORD_BYTES).count() as u64;
        Ok(Receipt { delivered: lines.len() as u64 - rejected, rejected })
    }

    fn forget(&self, flow_log: &FlowLogId) {
        self.sessions.forget(flow_log.as_str());
        self.progress().remove(flow_log);
    }
}

/// Lines that are still to be sent, as numbers, in requests.
fn batches(lines: &[Vec<u8>], done: &BTreeSet<usize>) -> Vec<Vec<usize>> {
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut bytes = 0;
    for (at, line) in lines.iter().enumerate() {
        if done.contains(&at) || line.len() > MAX_RECORD_BYTES {
            continue;
        }
        match batches.last_mut() {
            Some(batch) if batch.len() < MAX_RECORDS && bytes + line.len() <= MAX_BYTES => {
                batch.push(at);
                bytes += line.len();
            }
            _ => {
                batches.push(vec![at]);
                bytes = line.len();
            }
        }
    }
    batches
}

fn code(error: &HttpError) -> Option<String> {
    let HttpError::Refused { body, .. } = error else { return None };
    let answer: Value = serde_json::from_str(body).ok()?;
    let code = answer["__type"].as_str()?;
    Some(code.rsplit('#').next().unwrap_or(code).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_keep_both_limits_and_leave_out_what_was_taken() {
        let lines = |count: usize, size: usize| vec![vec![b'x'; size]; count];
        let sizes = |lines: &[Vec<u8>], done: &[usize]| {
            let done = done.iter().copied().collect();
            batches(lines, &done).iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(sizes(&lines(1001, 10), &[]), [500, 500, 1]);
        assert_eq!(sizes(&lines(9, 1 << 19), &[]), [8, 1]);
        assert_eq!(sizes(&lines(3, MAX_RECORD_BYTES + 1), &[]), [0; 0]);
        assert_eq!(batches(&lines(4, 1), &BTreeSet::from([0, 2])), [vec![1, 3]]);
    }
}
