//! One call: who calls, for which account and region, when, and what the
//! services share.

use crate::error::ApiError;
use crate::host::Host;
use crate::insights::Queries;
use crate::logs::destination::Destinations;
use crate::logs::live_tail::LiveTail;
use crate::service::Service;
use std::sync::Arc;
use weir_control::principal::Session;
use weir_control::{ControlError, Cx, Scope, State};
use weir_types::time::UnixMillis;

/// Reads the clock. Tests give one that stands still.
pub type Clock = Arc<dyn Fn() -> UnixMillis + Send + Sync>;

/// What does not change while the server runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The account that this server is, twelve digits.
    pub account: String,
    /// For requests that name no region.
    pub region: String,
    /// Any credentials are accepted, and `POST /moto-api/reset` empties everything.
    pub emulator: bool,
    /// What flow logs' objects are put with besides: condition keys, such as
    /// `s3:x-amz-server-side-encryption`, and their values.
    pub delivery_context: Vec<(&'static str, String)>,
    /// `GET /metrics` answers, without credentials: of a server that listens on
    /// loopback only.
    pub open_metrics: bool,
    /// How long a request body may take, whatever its size.
    pub body_grace: std::time::Duration,
    /// Services outside that flow logs are delivered to.
    pub outside: Outside,
}

/// Which destinations of flow logs are not this server's: what is in them, and
/// who may write there, is for their own service to say, at delivery.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outside {
    pub logs: bool,
    pub s3: bool,
    pub firehose: bool,
}

/// Everything the services share.
pub struct Services {
    pub state: Arc<State>,
    pub logs: Arc<weir_logs::Store>,
    pub metrics: Arc<weir_metrics::Metrics>,
    /// Where subscription filters can send to.
    pub destinations: Arc<dyn Destinations>,
    /// Sessions of StartLiveTail; a listener of `logs`.
    pub live_tail: Arc<LiveTail>,
    /// Queries of Logs Insights.
    pub insights: Arc<Queries>,
    pub host: Arc<dyn Host>,
    pub clock: Clock,
    pub settings: Settings,
    /// S3, where it is served.
    pub objects: std::sync::OnceLock<weir_objects::Endpoint>,
    /// Records of delivery streams, where they are delivered.
    pub intake: std::sync::OnceLock<Arc<dyn crate::firehose::intake::Intake>>,
    /// What runs Athena's statements.
    pub queries: std::sync::OnceLock<Arc<dyn crate::athena::engine::QueryEngine>>,
}

/// One request on its way through an action.
pub struct Call<'a> {
    pub services: &'a Services,
    /// The service that answers, whose form errors have.
    pub service: Service,
    /// Who signed the request.
    pub principal: weir_iam::Principal,
    /// The session of temporary credentials.
    pub session: Option<Session>,
    /// The account of the caller, or the one on whose behalf a service calls,
    /// and the region of the credential scope.
    pub scope: Scope,
    pub now: UnixMillis,
    /// A UUID, in answers and in the log.
    pub request_id: String,
    /// On whose behalf a service calls: `aws:SourceAccount` and `aws:SourceArn`.
    pub source: Vec<(&'static str, String)>,
    /// The peer's address.
    pub source_ip: Option<std::net::IpAddr>,
    pub user_agent: Option<String>,
}

impl<'a> Call<'a> {
    /// The same request as an AWS service would make it, to ask what it may do:
    /// `delivery.logs.amazonaws.com`.
    pub fn as_service(&self, service: &str) -> Call<'a> {
        Call {
            services: self.services,
            service: self.service,
            principal: weir_iam::Principal::service(service),
            session: None,
            scope: self.scope.clone(),
            now: self.now,
            request_id: self.request_id.clone(),
            source: Vec::new(),
            source_ip: None,
            user_agent: None,
        }
    }

    /// Runs `action` in one transaction of the state. It may run more than once
    /// (`State::transact`), so it has no effect but on the state.
    pub fn transact<T>(&self, action: impl Fn(Cx<'_>) -> Result<T, ControlError>) -> Result<T, ApiError> {
        self.services
            .state
            .transact(|tx| action(Cx { tx, scope: &self.scope, now: self.now }))
            .map_err(ApiError::from)
    }

    /// An ARN of the caller's account and region.
    pub fn arn(&self, service: &str, resource: impl Into<String>) -> String {
        self.scope.arn(service, resource).to_string()
    }
}
