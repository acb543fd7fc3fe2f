//! Who sends what when: one task per process, and under it one per flow log
//! that has files.
//!
//! ```text
//! run ── spool changed ──▶ a worker for each flow log that has files and none yet
//! worker ── first file, or the plan of a period that is over ─▶ send ─▶ Ok: remove it, the next one; none left: done
//!                              └▶ Err: report, pause (backoff; retry_now ends it), again
//! ```
//!
//! Invariants: files of one flow log are sent one after the other in window
//! order; a flow log that fails never holds up another; a status is reported
//! when it changes, and once at first.

use crate::destination::{Destination, Hold, SendError};
use crate::retry::Backoff;
use crate::spool::{Spool, SpoolEntry, SpoolError};
use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};
use weir_types::flow_log::DeliveryError;
use weir_types::id::FlowLogId;
use weir_types::time::UnixMillis;

/// How the delivery of a flow log goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryStatus {
    pub flow_log: FlowLogId,
    pub result: Result<(), DeliveryError>,
    pub at: UnixMillis,
    /// For people: which operation failed on what, and why. Empty after a success.
    pub detail: String,
}

/// Who wants to know it: the control plane.
pub trait StatusSink: Send + Sync + 'static {
    /// Called on the first result of a flow log and whenever it changes. It
    /// must not block.
    fn report(&self, status: DeliveryStatus);
}

impl<F: Fn(DeliveryStatus) + Send + Sync + 'static> StatusSink for F {
    fn report(&self, status: DeliveryStatus) {
        self(status);
    }
}

/// How long a stop waits for requests under way.
const STOP_GRACE: Duration = Duration::from_secs(5);
const PANIC_PAUSE: Duration = Duration::from_secs(1);
/// How soon a worker that holds windows back sees that they have become many.
const LOOK: Duration = Duration::from_secs(5);

/// Reads the wall clock.
pub type Clock = Arc<dyn Fn() -> UnixMillis + Send + Sync>;

/// Sends the spool's files to their destination. Clones are the same publisher.
pub struct Publisher<D> {
    shared: Arc<Shared<D>>,
}

impl<D> Clone for Publisher<D> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

struct Shared<D> {
    spool: Arc<Spool>,
    destination: D,
    sink: Box<dyn StatusSink>,
    now: Clock,
    signals: watch::Sender<Signals>,
    /// The last result that was reported of each flow log.
    reported: Mutex<HashMap<FlowLogId, Result<(), DeliveryError>>>,
    workers: Mutex<HashMap<FlowLogId, AbortHandle>>,
}

/// What the outside wants; each change wakes all workers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Signals {
    stop: bool,
    /// Nothing is held back any more.
    hurry: bool,
    retries: u64,
}

impl<D: Destination> Publisher<D> {
    pub fn new(spool: Arc<Spool>, destination: D, sink: impl StatusSink) -> Self {
        Self::with_clock(spool, destination, sink, Arc::new(wall_clock))
    }

    /// As [`Self::new`], by another clock.
    pub fn with_clock(spool: Arc<Spool>, destination: D, sink: impl StatusSink, now: Clock) -> Self {
        Self {
            shared: Arc::new(Shared {
                spool,
                destination,
                sink: Box::new(sink),
                now,
                signals: watch::Sender::new(Signals::default()),
                reported: Mutex::default(),
                workers: Mutex::default(),
            }),
        }
    }

    /// Delivers until [`stop`](Self::stop) is called; then ends requests under
    /// way, for at most 5 s. What is not delivered stays in the spool.
    ///
    /// To be called once.
    pub async fn run(&self) {
        let shared = &self.shared;
        let mut signals = shared.signals.subscribe();
        let mut workers = JoinSet::new();
        while !signals.borrow_and_update().stop {
            shared.start_workers(&mut workers);
            tokio::select! {
                () = shared.spool.changed() => {}
                // A file may have come while the worker was ending: look again.
                Some(ended) = workers.join_next() => {
                    // A bug, which restarting at once would repeat without end.
                    if ended.is_err_and(|error| error.is_panic()) {
                        sleep(PANIC_PAUSE).await;
                    }
                }
                _ = signals.changed() => {}
            }
        }
        let ended = timeout(STOP_GRACE, async { while workers.join_next().await.is_some() {} }).await;
        if ended.is_err() {
            workers.shutdown().await;
        }
    }

    /// Makes [`run`](Self::run) return.
    pub fn stop(&self) {
        self.shared.signals.send_modify(|signals| signals.stop = true);
    }

    /// Holds no windows back from now on: before a stop, so that what there is
    /// arrives.
    pub fn hurry(&self) {
        self.shared.signals.send_modify(|signals| signals.hurry = true);
    }

    /// Ends all pauses: to be called when roles or policies have changed.
    pub fn retry_now(&self) {
        self.shared.signals.send_modify(|signals| signals.retries = signals.retries.wrapping_add(1));
    }

    /// Drops a flow log that was deleted: what is under way is broken off, its
    /// files go, and what is still written for it is dropped. Blocks on the disk.
    ///
    /// Not for a flow log that merely covers nothing on this host any more: its
    /// last windows are still to be delivered.
    pub fn forget(&self, flow_log: &FlowLogId) -> Result<(), SpoolError> {
        let forgotten = self.shared.spool.forget(flow_log);
        if let Some(worker) = lock(&self.shared.workers).remove(flow_log) {
            worker.abort();
        }
        lock(&self.shared.reported).remove(flow_log);
        self.shared.destination.forget(flow_log);
        forgotten
    }
}

impl<D: Destination> Shared<D> {
    fn start_workers(self: &Arc<Self>, tasks: &mut JoinSet<()>) {
        let mut workers = lock(&self.workers);
        workers.retain(|_, worker| !worker.is_finished());
        let running: HashSet<FlowLogId> = workers.keys().cloned().collect();
        for flow_log in self.spool.flow_logs() {
            if !running.contains(&flow_log) {
                let shared = Arc::clone(self);
                let worker = tasks.spawn(shared.deliver(flow_log.clone()));
                workers.insert(flow_log, worker);
            }
        }
    }

    /// Delivers the flow log's files until none is left.
    async fn deliver(self: Arc<Self>, flow_log: FlowLogId) {
        let mut signals = self.signals.subscribe();
        let mut backoff = Backoff::default();
        let mut seen = *signals.borrow_and_update();
        let mut hold = None;
        while !seen.stop {
            let pause = match self.step(&flow_log, &mut hold, seen.hurry).await {
                Ok(Step::Empty) => return,
                Ok(Step::Wait(pause)) => pause.min(LOOK),
                Ok(Step::Delivered) => {
                    self.spool.forgive(&flow_log);
                    self.report(&flow_log, Ok(()), String::new());
                    backoff.reset();
                    Duration::ZERO
                }
                Ok(Step::Skipped) => Duration::ZERO,
                Err(failure) => {
                    let (mut kind, mut detail) = (failure.kind(), chain(&failure));
                    let pause = backoff.next_pause(kind, jitter());
                    if let Some(lost) = self.spool.skipped(&flow_log) {
                        kind = DeliveryError::RecordsSkipped;
                        detail = format!(
                            "{detail}; the spool is full: {} windows with {} records ({} packets, {} bytes) are SKIPDATA",
                            lost.windows, lost.records, lost.packets, lost.bytes
                        );
                    }
                    self.report(&flow_log, Err(kind), detail);
                    pause
                }
            };
            // A signal that came while sending ends the pause at once.
            if !pause.is_zero() {
                drop(timeout(pause, signals.changed()).await);
            }
            let now = *signals.borrow_and_update();
            if now.retries != seen.retries {
                backoff.reset();
            }
            seen = now;
        }
    }

    /// Does the next thing that can be done for a flow log. `hold` is kept
    /// between steps: a flow log's destination never changes.
    async fn step(
        self: &Arc<Self>,
        flow_log: &FlowLogId,
        hold: &mut Option<Option<Hold>>,
        hurry: bool,
    ) -> Result<Step, Failure> {
        let hold = match *hold {
            Some(hold) => hold,
            None => {
                let Some(entry) = self.spool.first(flow_log) else { return Ok(Step::Empty) };
                let spool = Arc::clone(&self.spool);
                let Some(file) = blocking(move || spool.read(&entry)).await? else {
                    return Ok(Step::Skipped);
                };
                *hold.insert(self.destination.hold(&file.header.destination))
            }
        };
        match hold {
            None => self.deliver_first(flow_log).await,
            Some(hold) => self.deliver_held(flow_log, hold, hurry).await,
        }
    }

    /// Sends the windows of a period that is over as one.
    async fn deliver_held(
        self: &Arc<Self>,
        flow_log: &FlowLogId,
        hold: Hold,
        hurry: bool,
    ) -> Result<Step, Failure> {
        let plan = match self.spool.planned(flow_log) {
            Some(plan) => plan,
            None => {
                let files = self.spool.files(flow_log);
                let entries = match due(hold, &files, (self.now)(), hurry) {
                    Due::Empty => return Ok(Step::Empty),
                    Due::NotYet(pause) => return Ok(Step::Wait(pause)),
                    Due::Now(entries) => entries,
                };
                let (spool, of) = (Arc::clone(&self.spool), flow_log.clone());
                blocking(move || spool.plan(&of, &entries)).await?
            }
        };
        let (spool, wanted) = (Arc::clone(&self.spool), plan.clone());
        let file = blocking(move || spool.read_plan(&wanted)).await?;
        let step = match &file {
            None => Step::Skipped,
            Some(file) => {
                let receipt = self.destination.send(file).await.map_err(Failure::Send)?;
                tracing::debug!(
                    %flow_log, window_end_s = file.header.window_end_s,
                    delivered = receipt.delivered, rejected = receipt.rejected, "delivered windows"
                );
                Step::Delivered
            }
        };
        let spool = Arc::clone(&self.spool);
        blocking(move || spool.acknowledge(&plan)).await?;
        Ok(step)
    }

    async fn deliver_first(self: &Arc<Self>, flow_log: &FlowLogId) -> Result<Step, Failure> {
        let Some(entry) = self.spool.first(flow_log) else {
            return Ok(Step::Empty);
        };
        let (spool, wanted) = (Arc::clone(&self.spool), entry.clone());
        let Some(file) = blocking(move || spool.read(&wanted)).await? else {
            return Ok(Step::Skipped);
        };
        let receipt = self.destination.send(&file).await.map_err(Failure::Send)?;
        tracing::debug!(
            %flow_log, window_end_s = entry.window_end_s(),
            delivered = receipt.delivered, rejected = receipt.rejected, "delivered a window"
        );
        let spool = Arc::clone(&self.spool);
        blocking(move || spool.remove(&entry)).await?;
        Ok(Step::Delivered)
    }

    fn report(&self, flow_log: &FlowLogId, result: Result<(), DeliveryError>, detail: String) {
        // Held during the report, so that reports of one flow log keep their order.
        let mut reported = lock(&self.reported);
        if reported.insert(flow_log.clone(), result) == Some(result) {
            tracing::debug!(%flow_log, detail, "delivery goes on as before");
            return;
        }
        match result {
            Ok(()) => tracing::info!(%flow_log, "delivery works"),
            Err(kind) => tracing::warn!(%flow_log, error = kind.as_str(), detail, "delivery fails, retrying"),
        }
        let at = (self.now)();
        self.sink.report(DeliveryStatus { flow_log: flow_log.clone(), result, at, detail });
    }
}

/// Which windows are to be sent now.
#[derive(Debug, PartialEq, Eq)]
enum Due {
    Empty,
    NotYet(Duration),
    Now(Vec<SpoolEntry>),
}

/// The first windows that belong together, if their time has come or they are
/// too many.
fn due(hold: Hold, files: &[(SpoolEntry, u64)], now: UnixMillis, hurry: bool) -> Due {
    let Some((first, _)) = files.first() else { return Due::Empty };
    let (slot, period, over_s) = hold.period(first.window_end_s());
    let (mut together, mut bytes, mut is_full) = (Vec::new(), 0u64, false);
    for (entry, size) in files {
        let (its_slot, its_period, _) = hold.period(entry.window_end_s());
        if (its_slot, its_period) != (slot, period) {
            break;
        }
        bytes = bytes.saturating_add(*size);
        if bytes > hold.max_bytes && !together.is_empty() {
            is_full = true;
            break;
        }
        together.push(entry.clone());
    }
    let left_ms = over_s.saturating_mul(1000).saturating_sub(now.0);
    match u64::try_from(left_ms) {
        Ok(left_ms) if left_ms > 0 && !is_full && !hurry && bytes <= hold.max_bytes => {
            // A clock that was set back must not hold windows back for long.
            let longest = u64::try_from(hold.period_s).unwrap_or_default().saturating_mul(2000);
            Due::NotYet(Duration::from_millis(left_ms.min(longest)))
        }
        _ => Due::Now(together),
    }
}

/// What one try came to.
enum Step {
    /// The flow log has no file.
    Empty,
    /// The file was acknowledged and is gone.
    Delivered,
    /// The file could not be read and is set aside.
    Skipped,
    /// The windows are held back for now.
    Wait(Duration),
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Send(SendError),
    #[error(transparent)]
    Spool(#[from] SpoolError),
    #[error("a task that reads the spool ended early")]
    Task(#[from] tokio::task::JoinError),
}

impl Failure {
    fn kind(&self) -> DeliveryError {
        match self {
            Self::Send(error) => error.kind,
            Self::Spool(_) | Self::Task(_) => DeliveryError::UnknownError,
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SpoolError> + Send + 'static,
) -> Result<T, Failure> {
    Ok(tokio::task::spawn_blocking(work).await??)
}

/// An error and its causes in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a String cannot fail.
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

/// 0 to 1. Without randomness the pauses are merely not spread.
fn jitter() -> f64 {
    getrandom::u32().map_or(1.0, |bits| f64::from(bits) / f64::from(u32::MAX))
}

fn wall_clock() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A panic elsewhere leaves these maps whole: each change is one call.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "publisher_tests.rs"]
mod tests;
