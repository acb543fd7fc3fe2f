//! Where flow logs' records go: this server's own services, or those outside
//! that `--deliver-to` names, which are reached with AWS credentials as any
//! program finds them.
//!
//! Not for: the sending itself (`weir-delivery`).

use crate::commands::HintExt;
use crate::server::Config;
use anyhow::{Context, Result, anyhow};
use aws_config::Region;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use std::str::FromStr;
use std::time::{Duration, SystemTime};
use tokio::sync::Mutex;
use tracing::warn;
use weir_api::Outside;
use weir_control::{State, principal};
use weir_delivery::firehose::Firehose;
use weir_delivery::http::Http;
use weir_delivery::logs::{CloudWatchLogs, PublisherConfig};
use weir_delivery::route::Routes;
use weir_delivery::s3::{S3, S3Config};

/// The principal that assumes flow logs' roles. Source: VPC user guide, "IAM
/// role for publishing flow logs to CloudWatch Logs".
const FLOW_LOGS_SERVICE: &str = "vpc-flow-logs.amazonaws.com";

/// The principal that writes to buckets. Source: VPC user guide, "Amazon S3
/// bucket permissions for flow logs".
const DELIVERY_SERVICE: &str = "delivery.logs.amazonaws.com";

/// A session is asked for anew this long before it ends, and keys without an
/// end as often as the AWS SDKs do.
const MARGIN: Duration = Duration::from_mins(5);
const KEPT: Duration = Duration::from_mins(15);

/// A service that flow logs are delivered to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    Logs,
    S3,
    Firehose,
}

/// `--deliver-to`: a service outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliverTo {
    service: Service,
    /// `None` is AWS's own of the flow log's region.
    url: Option<String>,
}

impl FromStr for DeliverTo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (service, place) = text.split_once('=').unwrap_or((text, ""));
        let service = match service {
            "logs" => Service::Logs,
            "s3" => Service::S3,
            "firehose" => Service::Firehose,
            _ => return Err(format!("'{service}' is not a service: logs, s3 or firehose")),
        };
        let url = match place {
            "aws" => None,
            url if url.starts_with("http://") || url.starts_with("https://") => Some(url.to_owned()),
            _ => return Err(format!("'{place}' is neither 'aws' nor an http:// or https:// URL")),
        };
        Ok(Self { service, url })
    }
}

/// The services that are outside.
pub fn outside(chosen: &[DeliverTo]) -> Outside {
    let has = |service| chosen.iter().any(|one| one.service == service);
    Outside { logs: has(Service::Logs), s3: has(Service::S3), firehose: has(Service::Firehose) }
}

/// The way to all destinations; `url` is this server.
///
/// # Errors
/// There is no TLS; a service is outside and there are no AWS credentials.
pub async fn routes(config: &Config, state: &State, url: &str) -> Result<Routes> {
    let http = Http::new().context("no TLS for what is sent to destinations")?;
    let chosen = &config.delivery.deliver_to;
    let keys = match chosen.is_empty() {
        true => None,
        false => Some(SharedCredentialsProvider::new(Kept::find(&config.region).await?)),
    };
    let reach = |service: Service, principal: &str| {
        let place = chosen.iter().rfind(|one| one.service == service);
        match (place, &keys) {
            (Some(place), Some(keys)) => Ok(PublisherConfig {
                endpoint_url: place.url.clone(),
                credentials: keys.clone(),
                is_service: false,
                timeouts: Default::default(),
            }),
            _ => own(state, url, principal),
        }
    };
    let s3 = S3Config {
        publisher: reach(Service::S3, DELIVERY_SERVICE)?,
        period_s: config.delivery.s3_period_s,
        server_side_encryption: config.delivery.s3_encryption.clone(),
        kms_key_id: config.delivery.s3_kms_key_id.clone(),
    };
    Ok(Routes {
        logs: CloudWatchLogs::new(reach(Service::Logs, FLOW_LOGS_SERVICE)?),
        s3: S3::new(s3, http.clone()),
        firehose: Firehose::new(reach(Service::Firehose, DELIVERY_SERVICE)?, http),
    })
}

/// This endpoint, with the keys of a service.
pub fn own(state: &State, url: &str, service: &str) -> Result<PublisherConfig> {
    let key = state.transact(|tx| principal::service_access_key(tx, service))?;
    let credentials = Credentials::new(key.id.clone(), key.secret.expose().to_owned(), None, None, "weir");
    Ok(PublisherConfig {
        endpoint_url: Some(url.to_owned()),
        credentials: SharedCredentialsProvider::new(credentials),
        is_service: true,
        timeouts: Default::default(),
    })
}

/// Credentials that are not looked for again at each request.
#[derive(Debug)]
struct Kept {
    chain: DefaultCredentialsChain,
    /// And until when they serve.
    last: Mutex<Option<(Credentials, SystemTime)>>,
}

impl Kept {
    /// As all AWS SDKs: the environment, profiles (with roles, processes and web
    /// identities), then the container's or the instance's role.
    async fn find(region: &str) -> Result<Self> {
        let chain = DefaultCredentialsChain::builder().region(Region::new(region.to_owned())).build().await;
        let kept = Self { chain, last: Mutex::default() };
        match kept.provide_credentials().await {
            Err(CredentialsError::CredentialsNotLoaded(_)) => {
                Err(anyhow!("--deliver-to needs AWS credentials, and there are none"))
                    .hint("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE")
            }
            Err(error) => {
                let error = weir_api::error::chain(&error);
                warn!(error, "no AWS credentials yet; records wait for them");
                Ok(kept)
            }
            Ok(_) => Ok(kept),
        }
    }

    async fn get(&self) -> Result<Credentials, CredentialsError> {
        let mut last = self.last.lock().await;
        let now = SystemTime::now();
        if let Some((credentials, _)) = last.as_ref().filter(|(_, until)| *until > now) {
            return Ok(credentials.clone());
        }
        let found = self.chain.provide_credentials().await?;
        let until = match found.expiry() {
            Some(expiry) => expiry.checked_sub(MARGIN),
            None => now.checked_add(KEPT),
        };
        *last = Some((found.clone(), until.unwrap_or(now)));
        Ok(found)
    }
}

impl ProvideCredentials for Kept {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let place = |service, url: Option<&str>| DeliverTo { service, url: url.map(str::to_owned) };
        for (text, expected) in [
            ("s3=aws", place(Service::S3, None)),
            ("logs=https://logs.example", place(Service::Logs, Some("https://logs.example"))),
            ("firehose=http://[::1]:4566", place(Service::Firehose, Some("http://[::1]:4566"))),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        for (text, error) in [
            ("s3", "'' is neither 'aws' nor an http:// or https:// URL"),
            ("s3=minio:9000", "'minio:9000' is neither 'aws' nor an http:// or https:// URL"),
            ("kinesis=aws", "'kinesis' is not a service: logs, s3 or firehose"),
        ] {
            assert_eq!(text.parse::<DeliverTo>().unwrap_err(), error, "{text}");
        }
        let of = outside(&["s3=aws".parse().unwrap()]);
        assert!(of.s3 && !of.logs && !of.firehose);
    }
}
