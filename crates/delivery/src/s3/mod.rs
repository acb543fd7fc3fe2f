//! Amazon S3, as log delivery reaches it: one PUT for each object, as the
//! service `delivery.logs.amazonaws.com` under the bucket's policy.
//!
//! ```text
//! windows of a slot ─▶ lines ─▶ objects of at most 75 MB ─▶ PUT, signed (SigV4)
//!                                key: flow log, slot, content
//! ```
//!
//! The endpoint is Weir's own, any S3-compatible store, or AWS. A repeat has the
//! same key, so it overwrites itself.
//!
//! Sources: VPC user guide, "Publish flow logs to Amazon S3"; S3 API, PutObject.

mod layout;
mod object;
pub(crate) mod put;
#[cfg(test)]
mod tests;

use crate::destination::{Destination, Hold, Receipt, SendError};
use crate::http::Http;
use crate::logs::PublisherConfig;
use crate::spool::{Header, SpoolFile};
use aws_credential_types::provider::ProvideCredentials;
use layout::{Layout, SLOT_S};
use object::{MAX_TEXT_BYTES, Object};
use put::{Put, put_object};
use std::error::Error;
use weir_types::arn::partition_of;
use weir_types::flow_log::DeliveryError;
use weir_types::orders;

/// How to write to buckets.
#[derive(Debug, Clone)]
pub struct S3Config {
    /// Where, and with whose keys: those of `delivery.logs.amazonaws.com`, or of
    /// somebody who may write to the bucket.
    pub publisher: PublisherConfig,
    /// How often a slot is published, in seconds: at most 300.
    pub period_s: u32,
    /// `x-amz-server-side-encryption` of every object: `AES256`, `aws:kms`.
    pub server_side_encryption: Option<String>,
    /// `x-amz-server-side-encryption-aws-kms-key-id`.
    pub kms_key_id: Option<String>,
}

/// The destination type `s3`.
pub struct S3 {
    config: S3Config,
    http: Http,
}

impl S3 {
    pub fn new(config: S3Config, http: Http) -> Self {
        Self { config, http }
    }

    async fn put(&self, header: &Header, bucket: &str, object: Object) -> Result<(), SendError> {
        let Object { key, body } = object;
        let publisher = &self.config.publisher;
        let credentials = publisher.credentials.provide_credentials().await;
        let credentials = credentials.map_err(|error| SendError {
            kind: DeliveryError::AccessError,
            ..put::failed(bucket, &key, None, Box::new(error))
        })?;
        let put = Put {
            http: &self.http,
            endpoint_url: publisher.endpoint_url.as_deref(),
            credentials: &credentials,
            region: &header.region,
            bucket,
            key: &key,
            headers: self.headers(header),
        };
        put_object(put, body).await
    }

    fn headers(&self, header: &Header) -> Vec<(&'static str, String)> {
        let Header { account, region, flow_log, destination, .. } = header;
        let partition = partition_of(region);
        let kind = match destination {
            orders::Destination::S3 { file_format: weir_types::flow_log::FileFormat::PlainText, .. } => {
                "application/x-gzip"
            }
            _ => "application/octet-stream",
        };
        let mut headers = vec![("content-type", kind.to_owned())];
        if self.config.publisher.is_service {
            let source = format!("arn:{partition}:logs:{region}:{account}:delivery:{flow_log}");
            headers.extend([
                // What the bucket's policy asks for.
                ("x-amz-acl", "bucket-owner-full-control".to_owned()),
                ("x-amz-source-account", account.clone()),
                ("x-amz-source-arn", source),
            ]);
        }
        if let Some(algorithm) = &self.config.server_side_encryption {
            headers.push(("x-amz-server-side-encryption", algorithm.clone()));
        }
        if let Some(key) = &self.config.kms_key_id {
            headers.push(("x-amz-server-side-encryption-aws-kms-key-id", key.clone()));
        }
        headers
    }
}

impl Destination for S3 {
    async fn send(&self, file: &SpoolFile) -> Result<Receipt, SendError> {
        let header = &file.header;
        let Some((bucket, layout)) = place(&header.destination) else {
            return Err(SendError::misrouted("s3:PutObject", file));
        };
        for (number, text) in object::texts(file, MAX_TEXT_BYTES).into_iter().enumerate() {
            let (of, prefix) = (header.clone(), layout.prefix.to_owned());
            let Layout { file_format, hive_compatible_partitions, per_hour_partition, .. } = layout;
            // Compression takes a while.
            let made = tokio::task::spawn_blocking(move || {
                let layout =
                    Layout { prefix: &prefix, file_format, hive_compatible_partitions, per_hour_partition };
                object::object(layout, &of, number, &text)
            });
            let failed = |source: Box<dyn Error + Send + Sync>| SendError {
                kind: DeliveryError::UnknownError,
                operation: "s3:PutObject",
                object: bucket.to_owned(),
                code: None,
                source: Some(source),
            };
            let object = match made.await {
                Ok(Ok(object)) => object,
                Ok(Err(error)) => return Err(failed(Box::new(error))),
                Err(error) => return Err(failed(Box::new(error))),
            };
            self.put(header, bucket, object).await?;
        }
        Ok(Receipt { delivered: file.events() as u64, rejected: 0 })
    }

    fn hold(&self, _: &orders::Destination) -> Option<Hold> {
        let period_s = i64::from(self.config.period_s).clamp(1, SLOT_S);
        Some(Hold { slot_s: SLOT_S, period_s, max_bytes: MAX_TEXT_BYTES as u64 })
    }
}

fn place(destination: &orders::Destination) -> Option<(&str, Layout<'_>)> {
    let orders::Destination::S3 {
        bucket,
        prefix,
        file_format,
        hive_compatible_partitions,
        per_hour_partition,
    } = destination
    else {
        return None;
    };
    let layout = Layout {
        prefix,
        file_format: *file_format,
        hive_compatible_partitions: *hive_compatible_partitions,
        per_hour_partition: *per_hour_partition,
    };
    Some((bucket, layout))
}

/// The objects of a file, for tests of what surrounds the way there.
#[cfg(test)]
pub(crate) fn objects_of(file: &SpoolFile, max_bytes: usize) -> Vec<(String, Vec<u8>)> {
    let Some((_, layout)) = place(&file.header.destination) else { return Vec::new() };
    let texts = object::texts(file, max_bytes).into_iter().enumerate();
    let made = texts.filter_map(|(number, text)| object::object(layout, &file.header, number, &text).ok());
    made.map(|object| (object.key, object.body)).collect()
}
