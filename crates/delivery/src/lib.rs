//! Spool and publishers: windows of records to their destination, acknowledged
//! or retried.
//!
//! ```text
//! agent ─ SpoolFile ─▶ Spool (fsynced)  ─▶ Publisher ─▶ Destination (CloudWatch Logs, S3, Firehose)
//!           then only may the kernel's       │   one task per flow log, in window order
//!           counters be cleared              ├─▶ acknowledged: the file goes
//!                                            └─▶ failed: StatusSink, backoff, again
//! ```
//!
//! For: [`spool`] (files between the capture and the network), [`publisher`]
//! (who sends what when), [`destination`] (the trait), [`logs`], [`s3`] and [`firehose`]
//! (AWS's services, reached as by any client), [`stream`] (delivery streams), [`route`] (which flow log goes where),
//! [`retry`] and [`http`].
//!
//! Not for: capture (records arrive here as lines), and the decision which flow
//! log wants which record.
//!
//! Invariant: nothing leaves the spool before its destination has acknowledged
//! it, except the files of a flow log that was deleted.
//!
//! ```no_run
//! use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
//! use std::sync::Arc;
//! use weir_delivery::logs::{CloudWatchLogs, PublisherConfig, Timeouts};
//! use weir_delivery::publisher::{DeliveryStatus, Publisher};
//! use weir_delivery::spool::Spool;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let spool = Arc::new(Spool::open("/var/lib/weir/spool", 4 << 30)?);
//! let keys = Credentials::from_keys("AKIA...", "...", None);
//! let destination = CloudWatchLogs::new(PublisherConfig {
//!     endpoint_url: Some("http://127.0.0.1:4566".to_owned()),
//!     credentials: SharedCredentialsProvider::new(keys),
//!     is_service: true,
//!     timeouts: Timeouts::default(),
//! });
//! let report = |status: DeliveryStatus| println!("{} {:?}", status.flow_log, status.result);
//! let publisher = Publisher::new(Arc::clone(&spool), destination, report);
//! let running = tokio::spawn({
//!     let publisher = publisher.clone();
//!     async move { publisher.run().await }
//! });
//! // The agent: spool.write(&file)?, then clear the window's counters.
//! // Roles or policies changed: publisher.retry_now(); a flow log is gone: publisher.forget(&id)?.
//! publisher.stop();
//! running.await?;
//! # Ok(())
//! # }
//! ```

#[cfg(test)]
mod crash_tests;
pub mod destination;
pub mod firehose;
pub mod http;
pub mod logs;
pub mod publisher;
pub mod retry;
pub mod route;
pub mod s3;
mod session;
mod sign;
pub mod spool;
pub mod stream;
