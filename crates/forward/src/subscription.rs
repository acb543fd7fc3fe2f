//! The events of subscription filters, on their way.
//!
//! ```text
//! log store ─▶ page after the subscription's place ─▶ pattern ─▶ envelopes by stream ─▶ destination
//!                                                     failed: the same page again, later and later;
//!                                                     past the limit: dead-letter file, next page
//! ```
//!
//! One task a subscription pulls; writers only wake it. A page's place is kept
//! after it was sent: at least once, in the order of ingestion.

use crate::destination::{Destination, Endpoints};
use crate::document::Documents;
use crate::envelope::{Envelope, Source};
use crate::progress::Progress;
use serde_json::json;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use weir_delivery::http::{Http, HttpError};
use weir_flow::format::LogFormat;
use weir_logs::pattern::Pattern;
use weir_logs::{
    Listener, NamedFilter, Scope, Store, Stored, Subscribed, SubscribedEvent, SubscriptionFilter,
};
use weir_metrics::{Datum, MetricId, Metrics, NONE, Point};
use weir_types::time::UnixMillis;

/// The most of one page; Lambda takes 256 KiB of base64, AWS's events are at most 1 MB.
const PAGE_EVENTS: usize = 500;
const PAGE_BYTES: usize = 512 << 10;
/// Pauses after failures.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How often new and deleted filters are looked for without being woken.
const LOOK: Duration = Duration::from_secs(1);

/// Puts records into delivery streams of this server.
pub trait OwnStreams: Send + Sync {
    /// With a session of `role`, on behalf of the log groups of `source`.
    fn put<'a>(
        &'a self,
        role: &'a str,
        stream: &'a str,
        records: Vec<Vec<u8>>,
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;
}

type Formats = dyn Fn(&Scope, &str) -> Vec<LogFormat> + Send + Sync;

/// What the deliverer needs.
pub struct Parts {
    pub logs: Arc<Store>,
    pub metrics: Arc<Metrics>,
    pub http: Http,
    pub endpoints: Endpoints,
    pub own: Arc<dyn OwnStreams>,
    /// Folder for the places and the dead-letter files; `None` keeps nothing.
    pub dir: Option<PathBuf>,
    /// How long a page is tried before it goes to the dead-letter file.
    pub give_up_after: Duration,
    /// The formats of the flow logs that write to a group.
    pub formats: Arc<Formats>,
    pub now: Arc<dyn Fn() -> UnixMillis + Send + Sync>,
}

/// Delivers every subscription until it is dropped.
pub struct Deliverer {
    task: JoinHandle<()>,
}

struct Shared {
    parts: Parts,
    progress: Mutex<Progress>,
    news: Arc<Notify>,
}

/// Wakes subscriptions.
struct Wake(Arc<Notify>);

impl Listener for Wake {
    fn stored(&self, _: &Stored<'_>) {
        self.0.notify_waiters();
    }
}

impl Deliverer {
    /// Starts on the current runtime.
    pub fn start(parts: Parts) -> io::Result<Self> {
        if let Some(dir) = &parts.dir {
            std::fs::create_dir_all(dir)?;
        }
        let progress = Progress::open(parts.dir.as_ref().map(|dir| dir.join("progress.json")))?;
        let news = Arc::new(Notify::new());
        parts.logs.listen(Arc::new(Wake(news.clone())));
        let shared = Arc::new(Shared { parts, progress: Mutex::new(progress), news });
        let task = tokio::spawn(supervise(shared));
        Ok(Self { task })
    }
}

impl Drop for Deliverer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Tests a destination before a filter for it is made.
pub async fn test(
    http: &Http,
    endpoints: &Endpoints,
    own: &dyn OwnStreams,
    destination: &str,
    role: Option<&str>,
) -> Result<(), String> {
    let destination = Destination::parse(destination, endpoints).map_err(|error| error.to_string())?;
    match &destination {
        Destination::OwnFirehose { stream } => {
            let control = vec![Envelope::control(destination.kind()).gzip()];
            own.put(role.unwrap_or_default(), stream, control).await
        }
        other => other.test(http).await.map_err(|error| error.to_string()),
    }
}

/// Sends envelopes to a destination.
async fn send(
    parts: &Parts,
    role: Option<&str>,
    destination: &Destination,
    envelopes: &[Envelope],
) -> Result<(), HttpError> {
    match destination {
        Destination::OwnFirehose { stream } => {
            let records = envelopes.iter().map(Envelope::gzip).collect();
            parts.own.put(role.unwrap_or_default(), stream, records).await.map_err(HttpError::NoAnswer)
        }
        other => other.send(&parts.http, envelopes).await,
    }
}

fn name(scope: &Scope, filter: &NamedFilter<SubscriptionFilter>) -> String {
    let NamedFilter { group, name, filter } = filter;
    // A filter that is deleted and made again begins anew.
    format!("{} {} {group} {name} {}", scope.account, scope.region, filter.after_sequence)
}

/// Keeps one task for each subscription that there is.
async fn supervise(shared: Arc<Shared>) {
    let mut running: HashMap<String, (SubscriptionFilter, JoinHandle<()>)> = HashMap::new();
    loop {
        let filters = shared.parts.logs.subscription_filters();
        let known: BTreeMap<String, (Scope, NamedFilter<SubscriptionFilter>)> =
            filters.into_iter().map(|(scope, filter)| (name(&scope, &filter), (scope, filter))).collect();
        running.retain(|name, (as_was, task)| {
            let same = known.get(name).is_some_and(|(_, filter)| filter.filter == *as_was);
            if !same {
                task.abort();
            }
            same && !task.is_finished()
        });
        let names: Vec<String> = known.keys().cloned().collect();
        if let Err(error) = shared.progress().keep(&names) {
            tracing::error!(%error, "the subscriptions' places cannot be written");
        }
        for (name, (scope, filter)) in known {
            if let Entry::Vacant(place) = running.entry(name) {
                let as_is = filter.filter.clone();
                let name = place.key().clone();
                place.insert((as_is, tokio::spawn(deliver(shared.clone(), name, scope, filter))));
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// One subscription, for as long as it is there.
async fn deliver(shared: Arc<Shared>, name: String, scope: Scope, named: NamedFilter<SubscriptionFilter>) {
    let filter = &named.filter;
    let Ok(pattern) = Pattern::parse(&filter.pattern) else { return };
    let destination = match Destination::parse(&filter.destination_arn, &shared.parts.endpoints) {
        Ok(destination) => destination,
        Err(error) => {
            tracing::warn!(group = named.group, filter = named.name, %error, "a subscription leads nowhere");
            // Its events wait in the log store until it is replaced or can be reached.
            return std::future::pending().await;
        }
    };
    let mut after = shared.progress().get(&name).unwrap_or(filter.after_sequence);
    loop {
        // Registered before reading, so that nothing stored meanwhile is missed.
        let news = shared.news.notified();
        let (logs, of, group) = (shared.parts.logs.clone(), scope.clone(), named.group.clone());
        let read =
            tokio::task::spawn_blocking(move || logs.subscribed(&of, &group, after, PAGE_EVENTS, PAGE_BYTES));
        let page = match read.await {
            Ok(Ok(page)) => page,
            Ok(Err(error)) => {
                tracing::warn!(group = named.group, %error, "log events for a subscription cannot be read");
                tokio::time::sleep(LONGEST_PAUSE).await;
                continue;
            }
            Err(_) => return,
        };
        let Subscribed { events, read_to, more } = page;
        let matching: Vec<SubscribedEvent> =
            events.into_iter().filter(|event| pattern.matches(&event.message)).collect();
        if !matching.is_empty() {
            let documents = Documents::new((shared.parts.formats)(&scope, &named.group));
            let source = Source {
                account: &scope.account,
                region: &scope.region,
                group: &named.group,
                filter: &named.name,
                by_stream: filter.distribution != "Random",
                system_fields: &filter.emit_system_fields,
            };
            let envelopes = envelopes(&source, &pattern, &documents, &matching);
            shared.send(&scope, &named, &destination, &envelopes, &matching).await;
        }
        if read_to != after {
            after = read_to;
            if !matching.is_empty()
                && let Err(error) = shared.progress().set(&name, after)
            {
                tracing::error!(%error, "the subscriptions' places cannot be written");
            }
        }
        if !more {
            news.await;
        }
    }
}

/// One envelope a stream, streams in order.
fn envelopes(
    source: &Source<'_>,
    pattern: &Pattern,
    documents: &Documents,
    events: &[SubscribedEvent],
) -> Vec<Envelope> {
    let mut by_stream: BTreeMap<&str, Vec<SubscribedEvent>> = BTreeMap::new();
    for event in events {
        by_stream.entry(&event.stream).or_default().push(event.clone());
    }
    by_stream.values().map(|events| Envelope::new(source, pattern, documents, events)).collect()
}

impl Shared {
    fn progress(&self) -> std::sync::MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tries until it works or the limit is reached; then the events are dead letters.
    async fn send(
        &self,
        scope: &Scope,
        named: &NamedFilter<SubscriptionFilter>,
        destination: &Destination,
        envelopes: &[Envelope],
        events: &[SubscribedEvent],
    ) {
        let (began, mut pause) = (Instant::now(), FIRST_PAUSE);
        let (group, filter) = (&named.group, &named.name);
        loop {
            let role = named.filter.role_arn.as_deref();
            let error = match send(&self.parts, role, destination, envelopes).await {
                Ok(()) => {
                    let bytes: usize = events.iter().map(|event| event.message.len()).sum();
                    self.count(scope, named, destination, "ForwardedLogEvents", events.len());
                    self.count(scope, named, destination, "ForwardedBytes", bytes);
                    return;
                }
                Err(error) => error,
            };
            self.count(scope, named, destination, "DeliveryErrors", events.len());
            if began.elapsed() + pause > self.parts.give_up_after {
                self.count(scope, named, destination, "DroppedLogEvents", events.len());
                if let Err(error) = self.bury(named, &error.to_string(), envelopes) {
                    tracing::error!(group, filter, %error, "the dead-letter file cannot be written");
                }
                // Said when metric and file have it.
                tracing::error!(group, filter, %error, events = events.len(), "given up: dead letters");
                return;
            }
            tracing::warn!(group, filter, %error, "a subscription's events could not be sent, trying again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn bury(
        &self,
        named: &NamedFilter<SubscriptionFilter>,
        error: &str,
        envelopes: &[Envelope],
    ) -> io::Result<()> {
        let Some(dir) = &self.parts.dir else { return Ok(()) };
        let mut file = OpenOptions::new().append(true).create(true).open(dir.join("dead-letters.jsonl"))?;
        for envelope in envelopes {
            let line = json!({
                "at": (self.parts.now)().0,
                "destination": named.filter.destination_arn,
                "error": error,
                "message": envelope.json(),
            });
            writeln!(file, "{line}")?;
        }
        file.sync_data()
    }

    /// Source: user guide, "Monitoring with CloudWatch metrics"; `DroppedLogEvents` is ours.
    fn count(
        &self,
        scope: &Scope,
        named: &NamedFilter<SubscriptionFilter>,
        destination: &Destination,
        metric: &str,
        count: usize,
    ) {
        let dimensions = [
            ("LogGroupName", named.group.as_str()),
            ("DestinationType", destination.kind()),
            ("FilterName", named.name.as_str()),
        ];
        let dimensions = dimensions.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let datum = Datum {
            id: MetricId::new("AWS/Logs", metric, dimensions),
            unit: NONE,
            at: (self.parts.now)(),
            fine: false,
            point: Point::of_set(1.0, count as f64, count as f64, count as f64),
        };
        let scope = weir_metrics::Scope { account: scope.account.clone(), region: scope.region.clone() };
        if let Err(error) = self.parts.metrics.put(&scope, &[datum], false) {
            tracing::error!(%error, "a subscription's metrics cannot be kept");
        }
    }
}
