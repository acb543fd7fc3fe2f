//! `weir serve`: the AWS services, the agent and the publisher in one process.
//!
//! ```text
//! clients ─▶ router ─▶ State ── change ─▶ agent ─▶ spool ─▶ publisher ─▶ router (as an AWS client)
//! ```
//!
//! Stop order: the agent writes its last window, the publisher delivers what it
//! can within a few seconds, the listener closes; who is still talking then is
//! cut off. What is left stays in the spool for the next start.

use crate::agent::{Agent, Excluded, Parts, Roots};
use crate::commands::HintExt;
use crate::destinations::{self, DeliverTo};
use crate::home::{Endpoint, Home, RootAccessKey};
use crate::insights::Engine;
use crate::listen::{self, Limits};
use crate::observe::{self, Observing, Wanted, Watch};
use crate::outward::{Choices, Outward};
use crate::streams::DeliveryStreams;
use anyhow::{Context, Result, anyhow, bail};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing::{error, info, warn};
use weir_api::host::{Host, NoHost};
use weir_api::insights::Queries;
use weir_api::{Services, Settings};
use weir_capture::{Capture, Sizes};
use weir_control::flow_log::{FlowLog, set_delivery_status};
use weir_control::{Cx, State, principal};
use weir_delivery::publisher::{DeliveryStatus, Publisher};
use weir_delivery::route::Routes;
use weir_delivery::spool::Spool;
use weir_flow::surroundings::AwsRanges;
use weir_metrics::Metrics;
use weir_types::id::FlowLogId;
use weir_types::orders::Orders;
use weir_types::time::UnixMillis;

/// The spool's largest size.
pub const SPOOL_MAX_BYTES: u64 = 4 << 30;

/// How long a stop waits for undelivered records.
const FLUSH: Duration = Duration::from_secs(5);

/// How long a stop waits for requests under way.
const HANG_UP: Duration = Duration::from_secs(2);

/// What the user chose.
#[derive(Debug, Clone)]
pub struct Config {
    pub listen: SocketAddr,
    pub home: Home,
    /// URL of a PostgreSQL database to keep the state in, not in the data folder.
    pub state: Option<String>,
    pub account_id: String,
    pub region: String,
    pub interval_s: NonZeroU32,
    pub sizes: Sizes,
    pub emulator: bool,
    pub clients: Clients,
    pub outward: Choices,
    /// What a killed server attached stays at work, and the next one takes over.
    pub pin: bool,
    /// So it does after a clean end, too.
    pub keep: bool,
    /// Traffic that is in no record.
    pub excluded: Excluded,
    pub aws_ranges: Arc<AwsRanges>,
    /// Devices of this host to watch, and which to attach when they appear.
    pub observe: Wanted,
    pub delivery: DeliveryChoices,
    /// The root access key to use instead of a generated one.
    pub root_access_key: Option<RootAccessKey>,
}

/// How flow logs' records reach their destinations.
#[derive(Debug, Clone)]
pub struct DeliveryChoices {
    /// Services outside, in place of this server's own.
    pub deliver_to: Vec<DeliverTo>,
    /// How often a five-minute slot is published to S3, in seconds.
    pub s3_period_s: u32,
    /// `x-amz-server-side-encryption` of the objects.
    pub s3_encryption: Option<String>,
    pub s3_kms_key_id: Option<String>,
    /// The most bytes that wait in the spool.
    pub spool_max_bytes: u64,
}

/// What clients may take of the server.
#[derive(Debug, Clone, Copy)]
pub struct Clients {
    pub limits: Limits,
    /// How long a request body may take, whatever its size.
    pub body: Duration,
}

/// What a started server says.
pub struct Ready {
    pub url: String,
    /// A root access key that was made just now: to be shown once.
    pub new_root_access_key: Option<RootAccessKey>,
    /// Why this host cannot capture.
    pub no_capture: Option<String>,
    /// The devices of `--observe`.
    pub observing: Observing,
}

/// The socket that [`run`] serves on. A port below 1024 takes a capability,
/// which is given up before that.
pub fn bind(address: SocketAddr) -> Result<std::net::TcpListener> {
    std::net::TcpListener::bind(address)
        .with_context(|| format!("cannot listen on {address}"))
        .hint("another server may be running; choose a port with --listen")
}

/// Runs the server until `interrupted` resolves. `ready` is called once it answers.
pub async fn run(
    config: Config,
    listener: std::net::TcpListener,
    interrupted: impl Future<Output = &'static str>,
    ready: impl FnOnce(&Ready),
) -> Result<()> {
    if config.emulator && !config.listen.ip().is_loopback() {
        bail!(
            "--emulator accepts any credentials and listens on loopback only, not on {}",
            config.listen.ip()
        );
    }
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let url = format!("http://{}", listener.local_addr()?);
    if config.emulator && config.home.holds_state() {
        return Err(anyhow!("{} holds the data of a real server", config.home.path().display()))
            .hint("--emulator keeps everything in memory: leave --data-dir away, or name an empty folder");
    }
    config.home.create()?;
    let _lock = config.home.lock()?;
    let state = Arc::new(open_state(&config)?);
    let (root, is_new) = root_key(&config, &state)?;
    let logs = Arc::new(if config.emulator {
        weir_logs::Store::in_memory()
    } else {
        weir_logs::Store::open(config.home.logs())?
    });
    let spool = Arc::new(Spool::open(config.home.spool(), config.delivery.spool_max_bytes)?);
    let (publisher, statuses) = publisher(&config, &state, &spool, &url).await?;
    let (host, agent) = start_host(&config, &state, &spool, &publisher)?;
    let (agent, no_capture) = match agent {
        Ok(agent) => (Some(agent), None),
        Err(reason) => (None, Some(reason)),
    };

    let watch = agent.as_ref().map(|_| Watch::open()).transpose()?;
    listen_to_changes(&state, agent.as_ref(), &publisher, statuses, watch.as_ref());
    let (observing, watching) =
        observe::start(&config, &state, agent.as_ref(), no_capture.as_deref(), watch)?;
    let settings = Settings {
        account: config.account_id.clone(),
        region: config.region.clone(),
        emulator: config.emulator,
        delivery_context: [
            ("s3:x-amz-server-side-encryption", &config.delivery.s3_encryption),
            ("s3:x-amz-server-side-encryption-aws-kms-key-id", &config.delivery.s3_kms_key_id),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value.clone()?)))
        .collect(),
        open_metrics: config.listen.ip().is_loopback(),
        body_grace: config.clients.body,
        outside: destinations::outside(&config.delivery.deliver_to),
    };
    let metrics = Arc::new(if config.emulator {
        Metrics::in_memory()
    } else {
        Metrics::open(&config.home.metrics(), now()).context("cannot open the metrics")?
    });
    let streams = DeliveryStreams::open(&config, &state, &url)?;
    let outward = Outward::start(&config, &state, &logs, &metrics, streams.own())?;
    let services = Services {
        state: state.clone(),
        logs: logs.clone(),
        metrics: metrics.clone(),
        destinations: outward.destinations(),
        live_tail: outward.live_tail(),
        insights: Arc::new(Queries::new(Arc::new(Engine::start(&logs)?))),
        host,
        clock: Arc::new(now),
        settings,
        objects: Default::default(),
        intake: Default::default(),
        queries: Default::default(),
    };
    let services = Arc::new(services);
    let objects = serve_objects(&config, &services)?;
    crate::athena::serve(&services).context("cannot prepare Athena")?;
    drop(services.intake.set(streams.intake()));
    let (stop, stopped) = watch::channel(false);
    let mut serving =
        tokio::spawn(listen::serve(listener, weir_api::router(services), config.clients.limits, stopped));
    let delivering = tokio::spawn({
        let publisher = publisher.clone();
        async move { publisher.run().await }
    });
    let closing = logs.clone();
    let maintaining = [tokio::spawn(maintain(logs)), tokio::spawn(expire(objects))];

    let endpoint =
        Endpoint { url: url.clone(), region: config.region.clone(), account_id: config.account_id.clone() };
    config.home.write_endpoint(&endpoint)?;
    let new_root_access_key = is_new.then_some(root);
    ready(&Ready { url, new_root_access_key, no_capture, observing });

    let reason = interrupted.await;
    info!(reason, "stopping");
    maintaining.iter().for_each(tokio::task::JoinHandle::abort);
    drop(watching);
    drop(outward);
    drop(streams);
    if let Some(agent) = agent {
        tokio::task::spawn_blocking(move || agent.stop()).await?;
    }
    publisher.hurry();
    flush(&spool).await;
    publisher.stop();
    delivering.await?;
    config.home.remove_endpoint();
    stop.send_replace(true);
    match tokio::time::timeout(HANG_UP, &mut serving).await {
        Ok(served) => served??,
        Err(_) => {
            warn!("some clients did not finish their requests");
            serving.abort();
        }
    }
    tokio::task::spawn_blocking(move || closing.close()).await?;
    info!("stopped");
    Ok(())
}

/// The wall clock.
pub fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Resolves at the first Ctrl-C, SIGTERM or hang-up of the terminal, with its
/// name. From its first poll on, these signals do not end the process any more.
pub async fn interrupted() -> &'static str {
    use tokio::signal::unix::{SignalKind, signal};
    let (interrupt, terminate) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    let mut hangup = if ignores_hangup() { None } else { signal(SignalKind::hangup()).ok() };
    let hangup = async {
        match &mut hangup {
            Some(hangup) => hangup.recv().await,
            None => std::future::pending().await,
        }
    };
    match (interrupt, terminate) {
        (Ok(mut interrupt), Ok(mut terminate)) => tokio::select! {
            _ = interrupt.recv() => "interrupted",
            _ = terminate.recv() => "terminated",
            _ = hangup => "the terminal is gone",
        },
        (Err(error), _) | (_, Err(error)) => {
            warn!(%error, "cannot listen to signals; end this process with SIGKILL");
            std::future::pending().await
        }
    }
}

/// Whether this process was started by nohup(1): the mask SigIgn of proc(5).
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // SIGHUP is signal 1, the lowest bit.
    mask.is_some_and(|mask| mask & 1 != 0)
}

/// S3: its objects lie in the data folder; an emulator forgets them.
fn serve_objects(config: &Config, services: &Arc<Services>) -> Result<Arc<weir_objects::Store>> {
    let store = Arc::new(weir_objects::Store::open(&config.home.objects())?);
    if config.emulator {
        store.clear()?;
    }
    weir_api::objects::serve(services, store.clone());
    Ok(store)
}

fn open_state(config: &Config) -> Result<State> {
    if let Some(url) = &config.state {
        return State::postgres(url, &config.home.host_id()?).context("cannot open the state").hint(
            "--state postgres://USER@HOST:PORT/DATABASE, or postgres:///DATABASE?host=/DIRECTORY for a socket",
        );
    }
    let state = if config.emulator { State::in_memory() } else { State::open(&config.home.state()?) };
    state.with_context(|| format!("cannot open the state in {}", config.home.path().display()))
}

fn root_key(config: &Config, state: &State) -> Result<(RootAccessKey, bool)> {
    let wanted = config.root_access_key.as_ref();
    let wanted = wanted.map(|key| (key.access_key_id.as_str(), key.secret_access_key.as_str()));
    let (key, is_new) = state.transact(|tx| principal::root_access_key(tx, &config.account_id, wanted))?;
    let key =
        RootAccessKey { access_key_id: key.id.clone(), secret_access_key: key.secret.expose().to_owned() };
    config.home.write_root_access_key(&key)?;
    Ok((key, is_new))
}

type FlowLogPublisher = Publisher<Routes>;

/// The publisher, and the thread that writes its statuses to the state.
async fn publisher(
    config: &Config,
    state: &Arc<State>,
    spool: &Arc<Spool>,
    url: &str,
) -> Result<(FlowLogPublisher, std::thread::ThreadId)> {
    let destination = destinations::routes(config, state, url).await?;
    // The sink must not block, and reports must keep their order.
    let (sender, reports) = std::sync::mpsc::channel::<DeliveryStatus>();
    let state = state.clone();
    let statuses = std::thread::Builder::new().name("delivery-status".into()).spawn(move || {
        for status in reports {
            record_status(&state, &status);
        }
    })?;
    let sender = std::sync::Mutex::new(sender);
    let sink = move |status: DeliveryStatus| {
        let sender = sender.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if sender.send(status).is_err() {
            error!("nobody records delivery statuses any more");
        }
    };
    Ok((Publisher::new(spool.clone(), destination, sink), statuses.thread().id()))
}

fn record_status(state: &State, status: &DeliveryStatus) {
    let flow_log = &status.flow_log;
    let done = state.transact(|tx| {
        let all = tx.list_everywhere::<FlowLog>()?;
        let Some((scope, _)) = all.into_iter().find(|(_, of)| of.id == *flow_log) else { return Ok(()) };
        set_delivery_status(Cx { tx, scope: &scope, now: status.at }, flow_log, status.result)
    });
    if let Err(error) = done {
        error!(error = weir_api::error::chain(&error), %flow_log, "cannot record the delivery status");
    }
}

type Started = std::result::Result<Agent, String>;

/// The agent, or why there is none.
fn start_host(
    config: &Config,
    state: &Arc<State>,
    spool: &Arc<Spool>,
    publisher: &FlowLogPublisher,
) -> Result<(Arc<dyn Host>, Started)> {
    let capture = match config.pin {
        true => Capture::start_pinned(config.sizes, &config.home.host_id()?),
        false => Capture::start(config.sizes),
    };
    let capture = match capture {
        Ok(capture) => capture,
        Err(error) => {
            let reason = weir_api::error::chain(&error);
            warn!(reason, "no capture on this host; everything else works");
            return Ok((Arc::new(NoHost { reason: reason.clone() }), Err(reason)));
        }
    };
    if config.keep {
        capture.keep();
    }
    let (state, publisher) = (state.clone(), publisher.clone());
    let agent = Agent::start(Parts {
        capture,
        orders: Box::new(move || orders(&state)),
        spool: spool.clone(),
        forget: Box::new(move |flow_log| forget(&publisher, flow_log)),
        interval_s: config.interval_s,
        excluded: config.excluded.clone(),
        aws_ranges: config.aws_ranges.clone(),
        container_roots: Roots::default(),
        now: Arc::new(now),
    })?;
    Ok((agent.handle(), Ok(agent)))
}

fn orders(state: &State) -> std::result::Result<Orders, String> {
    state.transact(weir_control::orders::orders).map_err(|error| weir_api::error::chain(&error))
}

fn forget(publisher: &FlowLogPublisher, flow_log: &FlowLogId) {
    info!(%flow_log, "the flow log was deleted; what was not delivered of it is dropped");
    if let Err(error) = publisher.forget(flow_log) {
        warn!(%error, %flow_log, "cannot remove the flow log's spool files");
    }
}

/// Every change reaches the agent, and lets failed deliveries try again: the
/// change may have been the repair. Unless the thread `statuses` made it: that
/// a delivery failed is no reason to repeat it at once.
fn listen_to_changes(
    state: &State,
    agent: Option<&Agent>,
    publisher: &FlowLogPublisher,
    statuses: std::thread::ThreadId,
    watch: Option<&Watch>,
) {
    let (handle, publisher) = (agent.map(Agent::handle), publisher.clone());
    let watching = watch.map(Watch::listener);
    state.set_listener(Box::new(move |_| {
        if let Some(handle) = &handle {
            handle.follow();
        }
        if let Some(watching) = &watching {
            watching();
        }
        if std::thread::current().id() != statuses {
            publisher.retry_now();
        }
    }));
}

/// Retention, once a minute.
async fn maintain(logs: Arc<weir_logs::Store>) {
    loop {
        tokio::time::sleep(Duration::from_secs(60)).await;
        let logs = logs.clone();
        match tokio::task::spawn_blocking(move || logs.maintain(now())).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => warn!(%error, "expired log events are not removed yet"),
            Err(error) => error!(%error, "maintenance of the log store panicked"),
        }
    }
}

/// Lifecycle rules of buckets, at the start and every ten minutes.
async fn expire(objects: Arc<weir_objects::Store>) {
    loop {
        let store = objects.clone();
        match tokio::task::spawn_blocking(move || weir_objects::lifecycle::run(&store, now().0)).await {
            Ok(Ok(0)) => {}
            Ok(Ok(count)) => info!(count, "objects expired"),
            Ok(Err(error)) => warn!(%error, "expired objects are not removed yet"),
            Err(error) => error!(%error, "looking for expired objects panicked"),
        }
        tokio::time::sleep(Duration::from_secs(600)).await;
    }
}

/// Waits until the spool is empty, at most [`FLUSH`].
async fn flush(spool: &Spool) {
    let empty = async {
        while !spool.flow_logs().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if tokio::time::timeout(FLUSH, empty).await.is_err() {
        warn!("some records are not delivered yet; the next start goes on with them");
    }
}
