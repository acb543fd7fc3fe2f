//! Delivery streams: records that were put, to buckets and HTTP endpoints.
//!
//! ```text
//! PutRecord ─▶ Buffers, synced ─▶ size or age reached ─▶ segment, closed ─▶ processing
//!                                 ├─▶ S3: one object, with a session of the stream's role
//!                                 └─▶ HTTP: one request; given up: to the bucket
//! acknowledged: the segment goes; failed: backoff, again, for a day
//! ```
//!
//! An object's key follows from its segment, so that a repeat overwrites itself.
//!
//! Source: Firehose developer guide, "Understand data delivery".

pub mod buffer;
mod endpoint;
mod key;
pub mod target;

use crate::destination::SendError;
use crate::http::Http;
use crate::logs::PublisherConfig;
use crate::publisher::Clock;
use crate::retry::Backoff;
use crate::s3::put::{Put, put_object};
use crate::session::{OnBehalf, Sessions};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use buffer::{Buffers, Record, Segment};
use endpoint::Endpoint;
use flate2::write::GzEncoder;
use key::KeyParts;
use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use target::{HttpTarget, Order, S3Target, Target};
use weir_types::flow_log::DeliveryError;

/// How often ages are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Source: Firehose developer guide, "Handle data delivery failure": 24 hours.
const GIVE_UP_MS: i64 = 24 * 60 * 60 * 1000;

/// What the deliverer works with.
pub struct Parts {
    pub buffers: Arc<Buffers>,
    /// All streams that there are.
    pub orders: Box<dyn Fn() -> Vec<Order> + Send + Sync>,
    /// With the keys of `firehose.amazonaws.com`.
    pub config: PublisherConfig,
    /// Roles are assumed; not so by an emulator, which takes any key.
    pub assumes_roles: bool,
    pub http: Http,
    pub now: Clock,
}

/// Delivers streams. Clones are the same.
#[derive(Clone)]
pub struct Streams(Arc<Shared>);

struct Shared {
    parts: Parts,
    sessions: Sessions,
    /// By stream; held while it delivers.
    busy: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Attempts>>>>,
}

/// How delivering a stream's first segment goes.
#[derive(Debug, Default)]
struct Attempts {
    backoff: Backoff,
    failures: u32,
    failing_since_ms: Option<i64>,
    not_before_ms: i64,
    /// The bucket that gets everything has it.
    is_backed_up: bool,
}

impl Streams {
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Shared { parts, sessions: Sessions::default(), busy: Mutex::default() }))
    }

    /// Delivers until it is dropped.
    pub async fn run(&self) {
        loop {
            let waiting = self.0.parts.buffers.waiting();
            if !waiting.is_empty() {
                let shared = self.0.clone();
                let orders = tokio::task::spawn_blocking(move || (shared.parts.orders)()).await;
                for order in orders.unwrap_or_default() {
                    if waiting.contains(&order.key) {
                        let shared = self.0.clone();
                        tokio::spawn(async move { shared.deliver(&order, false).await });
                    }
                }
            }
            tokio::select! {
                () = self.0.parts.buffers.changed() => {
                    // Many puts are one look.
                    tokio::time::sleep(LOOK / 10).await;
                }
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Delivers what a stream has now, whatever its hints say.
    pub async fn flush(&self, key: &str) {
        let shared = self.0.clone();
        let orders = tokio::task::spawn_blocking(move || (shared.parts.orders)()).await;
        if let Some(order) = orders.unwrap_or_default().into_iter().find(|order| order.key == key) {
            self.0.deliver(&order, true).await;
        }
    }
}

impl Shared {
    /// Delivers the stream's segments that are due, in order.
    async fn deliver(&self, order: &Order, all: bool) {
        let turn = {
            let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
            busy.entry(order.key.clone()).or_default().clone()
        };
        let mut attempts = if all {
            turn.lock().await
        } else {
            match turn.try_lock() {
                Ok(attempts) => attempts,
                Err(_) => return,
            }
        };
        let hints = order.target.hints();
        for segment in self.parts.buffers.segments(&order.key) {
            let now_ms = (self.parts.now)().0;
            let is_due = all || segment.bytes >= hints.bytes || now_ms - segment.first_ms >= hints.ms;
            if !is_due || (!all && now_ms < attempts.not_before_ms) {
                return;
            }
            match self.segment(order, segment, &mut attempts).await {
                Ok(()) => *attempts = Attempts::default(),
                Err(error) => {
                    let since = *attempts.failing_since_ms.get_or_insert(now_ms);
                    attempts.failures = attempts.failures.saturating_add(1);
                    let pause = attempts.backoff.next_pause(error.kind, 0.5);
                    attempts.not_before_ms =
                        now_ms.saturating_add(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX));
                    if now_ms - since < GIVE_UP_MS {
                        tracing::warn!(stream = order.name, %error, code = error.code, "a delivery stream cannot deliver, retrying");
                        return;
                    }
                    tracing::error!(stream = order.name, %error, bytes = segment.bytes, "given up after a day: records are lost");
                    *attempts = Attempts::default();
                    self.remove(order, segment).await;
                }
            }
        }
    }

    async fn segment(
        &self,
        order: &Order,
        segment: Segment,
        attempts: &mut Attempts,
    ) -> Result<(), SendError> {
        let (buffers, key) = (self.parts.buffers.clone(), order.key.clone());
        let taken = tokio::task::spawn_blocking(move || buffers.take(&key, segment.number)).await;
        let records = match taken {
            Ok(Ok(records)) => records,
            Ok(Err(error)) => return Err(failed(order, Box::new(error))),
            Err(error) => return Err(failed(order, Box::new(error))),
        };
        if let Target::S3(S3Target { source_backup: Some(backup), .. }) = &order.target
            && !attempts.is_backed_up
            && !records.is_empty()
        {
            self.to_s3(order, backup, segment, &records).await?;
            attempts.is_backed_up = true;
        }
        let records = order.target.processing().apply(records);
        if !records.is_empty() {
            match &order.target {
                Target::S3(s3) => self.to_s3(order, s3, segment, &records).await?,
                Target::Http(http) => self.to_http(order, http, segment, &records, attempts).await?,
            }
            tracing::info!(stream = order.name, records = records.len(), "delivered");
        }
        self.remove(order, segment).await;
        Ok(())
    }

    async fn to_s3(
        &self,
        order: &Order,
        target: &S3Target,
        segment: Segment,
        records: &[Record],
    ) -> Result<(), SendError> {
        let body: Vec<u8> = records.iter().flat_map(|record| &record.data).copied().collect();
        self.object(order, target, segment, (&target.prefix, ""), body).await
    }

    /// The endpoint, and the bucket for what it does not take in time.
    async fn to_http(
        &self,
        order: &Order,
        target: &HttpTarget,
        segment: Segment,
        records: &[Record],
        attempts: &mut Attempts,
    ) -> Result<(), SendError> {
        // First, so that an endpoint that took the records does not get them again
        // because the bucket fails.
        if target.backs_up_all && !attempts.is_backed_up {
            self.to_s3(order, &target.backup, segment, records).await?;
            attempts.is_backed_up = true;
        }
        let now_ms = (self.parts.now)().0;
        let endpoint = Endpoint { http: &self.parts.http, order, target };
        let error = match endpoint.send(segment, records, now_ms).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if now_ms - attempts.failing_since_ms.unwrap_or(now_ms) < target.retry_ms {
            return Err(failed(order, Box::new(error)));
        }
        let error_text = error.to_string();
        tracing::warn!(
            stream = order.name,
            error = error_text,
            "an HTTP endpoint is given up: to the bucket"
        );
        let lines = endpoint::failed_lines(records, &error_text, attempts.failures.saturating_add(1), now_ms);
        let prefix = match target.backup.error_prefix.as_str() {
            "" => format!("{}http-endpoint-failed/", target.backup.prefix),
            given => given.to_owned(),
        };
        self.object(order, &target.backup, segment, (&prefix, "http-endpoint-failed"), lines).await
    }

    async fn object(
        &self,
        order: &Order,
        target: &S3Target,
        segment: Segment,
        (prefix, error_type): (&str, &str),
        body: Vec<u8>,
    ) -> Result<(), SendError> {
        let credentials = self.credentials(order, target).await?;
        let seed = format!("{} {}{}", order.key, segment.number, target.seed);
        let ending = match (&target.extension, target.gzip) {
            (Some(extension), _) => extension.as_str(),
            (None, true) => ".gz",
            (None, false) => "",
        };
        let key = KeyParts {
            prefix,
            error_type,
            stream: &order.name,
            version: order.version,
            at_ms: segment.first_ms,
            seed: &seed,
            ending,
        };
        let body = if target.gzip {
            let packed = tokio::task::spawn_blocking(move || {
                let mut out = GzEncoder::new(Vec::new(), flate2::Compression::default());
                out.write_all(&body)?;
                out.finish()
            });
            packed
                .await
                .map_err(std::io::Error::other)
                .flatten()
                .map_err(|error| failed(order, Box::new(error)))?
        } else {
            body
        };
        let mut headers = vec![
            ("content-type", "application/octet-stream".to_owned()),
            ("x-amz-acl", "bucket-owner-full-control".to_owned()),
        ];
        if target.gzip {
            headers.push(("content-encoding", "gzip".to_owned()));
        }
        if let Some(key) = &target.kms_key {
            headers.push(("x-amz-server-side-encryption", "aws:kms".to_owned()));
            headers.push(("x-amz-server-side-encryption-aws-kms-key-id", key.clone()));
        }
        let put = Put {
            http: &self.parts.http,
            endpoint_url: self.parts.config.endpoint_url.as_deref(),
            credentials: &credentials,
            region: &order.arn.region,
            bucket: &target.bucket,
            key: &key.key(),
            headers,
        };
        put_object(put, body).await.inspect_err(|error| {
            if error.kind == DeliveryError::AccessError {
                self.sessions.forget(&session(order, target));
            }
        })
    }

    /// A session of the stream's role.
    async fn credentials(&self, order: &Order, target: &S3Target) -> Result<Credentials, SendError> {
        let config = &self.parts.config;
        if !self.parts.assumes_roles {
            let own = config.credentials.provide_credentials().await;
            return own.map_err(|error| failed(order, Box::new(error)));
        }
        let behalf = OnBehalf {
            region: &order.arn.region,
            account: &order.arn.account,
            arn: order.arn.to_string(),
            session: "firehose".to_owned(),
        };
        self.sessions.get(config, &session(order, target), target.role.as_slice(), &behalf).await
    }

    async fn remove(&self, order: &Order, segment: Segment) {
        let (buffers, key) = (self.parts.buffers.clone(), order.key.clone());
        let removed = tokio::task::spawn_blocking(move || buffers.remove(&key, segment.number)).await;
        if let Ok(Err(error)) = removed {
            tracing::error!(stream = order.name, %error, "a delivered buffer cannot be removed");
        }
    }
}

/// A stream's buckets may have roles of their own.
fn session(order: &Order, target: &S3Target) -> String {
    format!("{}{}", order.key, target.seed)
}

fn failed(order: &Order, source: Box<dyn std::error::Error + Send + Sync>) -> SendError {
    SendError {
        kind: DeliveryError::UnknownError,
        operation: "deliver",
        object: order.arn.to_string(),
        code: None,
        source: Some(source),
    }
}
