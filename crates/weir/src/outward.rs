//! What the server does by itself once events are stored: metrics, alarms and
//! their actions, subscriptions, live tail.
//!
//! ```text
//! log store ─▶ metrics ─▶ alarms, every second ─▶ actions
//!           ─▶ subscriptions ─▶ destinations
//!           ─▶ live tail sessions
//! ```

use crate::server::{Config, now};
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tracing::{error, warn};
use weir_api::cloudwatch::listener::LogMetrics;
use weir_api::logs::destination::Destinations;
use weir_api::logs::live_tail::LiveTail;
use weir_control::State;
use weir_control::flow_log::{FlowLog, LogDestination};
use weir_flow::format::LogFormat;
use weir_forward::Http;
use weir_forward::action::Actions;
use weir_forward::destination::Endpoints;
use weir_forward::subscription::{self, Deliverer, OwnStreams, Parts};
use weir_logs::{Scope, Store};
use weir_metrics::Metrics;

/// How often alarms are looked at.
const BEAT: Duration = Duration::from_secs(1);

/// What the user chose for it.
#[derive(Debug, Clone)]
pub struct Choices {
    /// Commands that alarm actions may run.
    pub alarm_commands: Vec<PathBuf>,
    /// Base URLs for `lambda`, `kinesis`, `firehose`.
    pub endpoints: Endpoints,
    /// How long a subscription's events are tried.
    pub give_up_after: Duration,
}

/// Runs until it is dropped.
pub struct Outward {
    _deliverer: Deliverer,
    upkeep: JoinHandle<()>,
    live_tail: Arc<LiveTail>,
    destinations: Arc<Reach>,
}

impl Drop for Outward {
    fn drop(&mut self) {
        self.upkeep.abort();
    }
}

impl Outward {
    /// Starts on the current runtime.
    pub fn start(
        config: &Config,
        state: &Arc<State>,
        logs: &Arc<Store>,
        metrics: &Arc<Metrics>,
        own: Arc<dyn OwnStreams>,
    ) -> Result<Self> {
        logs.listen(Arc::new(LogMetrics(metrics.clone())));
        let live_tail = Arc::new(LiveTail::default());
        logs.listen(live_tail.clone());
        let http = Http::new().context("no TLS for what is sent to destinations")?;
        let Choices { alarm_commands, endpoints, give_up_after } = config.outward.clone();
        let known = state.clone();
        let deliverer = Deliverer::start(Parts {
            logs: logs.clone(),
            metrics: metrics.clone(),
            http: http.clone(),
            endpoints: endpoints.clone(),
            own: own.clone(),
            dir: (!config.emulator).then(|| config.home.subscriptions()),
            give_up_after,
            formats: Arc::new(move |scope, group| formats(&known, scope, group)),
            now: Arc::new(now),
        })
        .context("cannot open the subscriptions' folder")?;
        let actions = Actions::new(http.clone(), alarm_commands, Arc::new(now));
        let upkeep = tokio::spawn(upkeep(metrics.clone(), actions));
        let destinations = Arc::new(Reach { http, endpoints, own, runtime: Handle::current() });
        Ok(Self { _deliverer: deliverer, upkeep, live_tail, destinations })
    }

    pub fn live_tail(&self) -> Arc<LiveTail> {
        self.live_tail.clone()
    }

    pub fn destinations(&self) -> Arc<dyn Destinations> {
        self.destinations.clone()
    }
}

struct Reach {
    http: Http,
    endpoints: Endpoints,
    own: Arc<dyn OwnStreams>,
    runtime: Handle,
}

impl Destinations for Reach {
    /// For threads that may block, as actions' threads may.
    fn test(&self, destination: &str, role: Option<&str>) -> Result<(), String> {
        let test = subscription::test(&self.http, &self.endpoints, &*self.own, destination, role);
        self.runtime.block_on(test)
    }
}

/// The formats of the flow logs that write to a group.
fn formats(state: &State, scope: &Scope, group: &str) -> Vec<LogFormat> {
    let found = state.transact(|tx| tx.list_everywhere::<FlowLog>());
    let all = found.unwrap_or_else(|error| {
        warn!(%error, "flow logs' formats are not known");
        Vec::new()
    });
    let of_group = all.into_iter().filter(|(of, flow_log)| {
        of.account == scope.account
            && of.region == scope.region
            && matches!(&flow_log.config.destination, LogDestination::CloudWatchLogs { log_group, .. } if log_group == group)
    });
    of_group.filter_map(|(_, flow_log)| LogFormat::parse(&flow_log.config.log_format).ok()).collect()
}

/// Alarms and the metrics' files, once a second; actions as they come due.
async fn upkeep(metrics: Arc<Metrics>, actions: Actions) {
    let mut last = now();
    let mut acting: Option<JoinHandle<()>> = None;
    loop {
        tokio::time::sleep(BEAT).await;
        let (of, from) = (metrics.clone(), last);
        let to = now();
        let done = tokio::task::spawn_blocking(move || {
            of.evaluate_alarms(from, to)?;
            of.maintain(to)
        });
        match done.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => error!(%error, "metrics or alarms cannot be written"),
            Err(error) => error!(%error, "the upkeep of metrics panicked"),
        }
        last = to;
        let busy = acting.as_ref().is_some_and(|task| !task.is_finished());
        if !busy && !metrics.alarms.pending().is_empty() {
            let (actions, metrics) = (actions.clone(), metrics.clone());
            acting = Some(tokio::spawn(async move { actions.run(&metrics).await }));
        }
    }
}
