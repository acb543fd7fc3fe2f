//! CloudWatch Logs, as the flow-logs service reaches it: assume the flow log's
//! role, then PutLogEvents. The endpoint is Weir's own or AWS itself.
//!
//! ```text
//! sts:AssumeRole      with the service's own keys and, for the trust policy's
//!                     conditions, x-amz-source-account and x-amz-source-arn
//! logs:PutLogEvents   with the session ─▶ ResourceNotFoundException?
//!                     CreateLogStream ─▶ ResourceNotFoundException?
//!                                        CreateLogGroup, CreateLogStream
//!                     PutLogEvents
//! ```
//!
//! The group comes into being with the first record, never before.
//!
//! Sources: VPC user guide, "Publish flow logs to CloudWatch Logs"; CloudWatch
//! Logs API, PutLogEvents; STS API, AssumeRole.

mod batch;
mod put;

use crate::destination::{Destination, Receipt, SendError};
use crate::session::{EXPIRY_MARGIN, OnBehalf, assume};
use crate::spool::{Header, SpoolFile};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_cloudwatchlogs as cloudwatchlogs;
use batch::{Batch, batches};
use put::Put;
pub(crate) use put::send_error;
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use weir_types::arn::Arn;
use weir_types::flow_log::{DeliveryError, TrafficType};
use weir_types::id::{EniId, FlowLogId};
use weir_types::orders;

/// The stream of an interface: `eni-0123456789abcdef0-all`.
pub fn stream_name(interface: &EniId, traffic_type: TrafficType) -> String {
    format!("{interface}-{}", traffic_type.as_str().to_ascii_lowercase())
}

/// How to reach the services.
#[derive(Debug, Clone)]
pub struct PublisherConfig {
    /// One URL for STS and CloudWatch Logs; `None` is AWS's own of the flow
    /// log's region.
    pub endpoint_url: Option<String>,
    /// Who delivers: the flow-logs service, or whoever runs it where the
    /// destination is outside.
    pub credentials: SharedCredentialsProvider,
    /// They are the service's own: it says for whom it acts, and has roles that
    /// nobody else may assume.
    pub is_service: bool,
    pub timeouts: Timeouts,
}

/// Longest waits for one request.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    pub connect: Duration,
    /// From sending a request to its whole answer.
    pub operation: Duration,
}

impl Timeouts {
    /// The same type for all clients.
    pub(crate) fn config(self) -> cloudwatchlogs::config::timeout::TimeoutConfig {
        cloudwatchlogs::config::timeout::TimeoutConfig::builder()
            .connect_timeout(self.connect)
            .operation_timeout(self.operation)
            .build()
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(3), operation: Duration::from_secs(30) }
    }
}

/// The destination type `cloud-watch-logs`.
#[derive(Debug)]
pub struct CloudWatchLogs {
    config: PublisherConfig,
    /// By flow log: the trust policy may ask for its ARN, so sessions are not shared.
    sessions: Mutex<HashMap<FlowLogId, Session>>,
    /// Batches that were acknowledged of a file that was not, so that they are
    /// not sent twice while this process lives.
    progress: Mutex<HashMap<FlowLogId, Progress>>,
}

#[derive(Debug, Clone)]
struct Session {
    role: Arn,
    logs: cloudwatchlogs::Client,
    until: SystemTime,
}

#[derive(Debug, Clone)]
struct Progress {
    header: Header,
    done: BTreeSet<usize>,
    receipt: Receipt,
}

impl CloudWatchLogs {
    pub fn new(config: PublisherConfig) -> Self {
        Self { config, sessions: Mutex::default(), progress: Mutex::default() }
    }

    async fn session(&self, header: &Header, role: &Arn) -> Result<cloudwatchlogs::Client, SendError> {
        let fresh = |session: &&Session| session.role == *role && session.until > SystemTime::now();
        if let Some(session) = lock(&self.sessions).get(&header.flow_log).filter(fresh) {
            return Ok(session.logs.clone());
        }
        let session = self.assume(header, role).await?;
        let logs = session.logs.clone();
        lock(&self.sessions).insert(header.flow_log.clone(), session);
        Ok(logs)
    }

    /// Assumes the role as the flow-logs service on behalf of the flow log.
    async fn assume(&self, header: &Header, role: &Arn) -> Result<Session, SendError> {
        let Header { flow_log, account, region, .. } = header;
        let behalf = OnBehalf {
            region,
            account,
            arn: Arn::new("ec2", region, account, format!("vpc-flow-log/{flow_log}")).to_string(),
            session: format!("vpc-flow-logs-{flow_log}"),
        };
        let keys = assume(&self.config, None, role, &behalf).await?;
        let expires = keys.expiry();
        let mut config = cloudwatchlogs::Config::builder()
            .behavior_version(cloudwatchlogs::config::BehaviorVersion::latest())
            .region(cloudwatchlogs::config::Region::new(region.clone()))
            .credentials_provider(keys)
            .retry_config(cloudwatchlogs::config::retry::RetryConfig::disabled())
            .timeout_config(self.config.timeouts.config())
            .use_fips(false)
            .use_dual_stack(false);
        config.set_endpoint_url(self.config.endpoint_url.clone());
        Ok(Session {
            role: role.clone(),
            logs: cloudwatchlogs::Client::from_conf(config.build()),
            until: expires.and_then(|at| at.checked_sub(EXPIRY_MARGIN)).unwrap_or_else(SystemTime::now),
        })
    }

    /// What of this very file was acknowledged before.
    fn progress(&self, header: &Header) -> Progress {
        let known = lock(&self.progress).get(&header.flow_log).filter(|p| p.header == *header).cloned();
        known.unwrap_or(Progress {
            header: header.clone(),
            done: BTreeSet::new(),
            receipt: Receipt::default(),
        })
    }
}

impl Destination for CloudWatchLogs {
    async fn send(&self, file: &SpoolFile) -> Result<Receipt, SendError> {
        let orders::Destination::CloudWatchLogs { log_group, role } = &file.header.destination else {
            return Err(SendError::misrouted("logs:PutLogEvents", file));
        };
        let flow_log = &file.header.flow_log;
        let logs = self.session(&file.header, role).await?;
        let (batches, too_large) = batches(&file.streams);
        if too_large > 0 {
            tracing::warn!(%flow_log, log_group, too_large, "records over 1 MiB cannot be delivered");
        }
        let progress = Mutex::new(self.progress(&file.header));
        let todo: Vec<&Batch<'_>> = {
            let progress = lock(&progress);
            batches.iter().filter(|batch| !progress.done.contains(&batch.number)).collect()
        };
        let next = AtomicUsize::new(0);
        // Each worker takes the next batch until none is left or one has failed.
        let worker = || async {
            while let Some(batch) = todo.get(next.fetch_add(1, Ordering::Relaxed)) {
                let put = Put { logs: &logs, header: &file.header, log_group, batch };
                match put.run().await {
                    Ok(rejected) => {
                        let mut progress = lock(&progress);
                        progress.done.insert(batch.number);
                        progress.receipt.delivered += (batch.events.len() as u64).saturating_sub(rejected);
                        progress.receipt.rejected += rejected;
                        lock(&self.progress).insert(flow_log.clone(), progress.clone());
                    }
                    Err(error) => {
                        next.store(todo.len(), Ordering::Relaxed);
                        return Err(error);
                    }
                }
            }
            Ok(())
        };
        // Few enough for any quota, and enough to hide the way there and back.
        let results = tokio::join!(worker(), worker(), worker(), worker());
        let result = results.0.and(results.1).and(results.2).and(results.3);
        if let Err(error) = result {
            if error.kind == DeliveryError::AccessError {
                // The session may be what is refused: the next try begins anew.
                lock(&self.sessions).remove(flow_log);
            }
            return Err(error);
        }
        lock(&self.progress).remove(flow_log);
        let receipt = lock(&progress).receipt;
        Ok(Receipt { rejected: receipt.rejected + too_large, ..receipt })
    }

    fn forget(&self, flow_log: &FlowLogId) {
        lock(&self.sessions).remove(flow_log);
        lock(&self.progress).remove(flow_log);
    }
}

/// A panic elsewhere leaves these maps whole: each change is one call.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_named_as_aws_names_them() {
        let interface: EniId = "eni-0c19436730cc350ae".parse().unwrap();
        for (traffic_type, expected) in [
            (TrafficType::All, "eni-0c19436730cc350ae-all"),
            (TrafficType::Accept, "eni-0c19436730cc350ae-accept"),
            (TrafficType::Reject, "eni-0c19436730cc350ae-reject"),
        ] {
            assert_eq!(stream_name(&interface, traffic_type), expected);
        }
    }
}
