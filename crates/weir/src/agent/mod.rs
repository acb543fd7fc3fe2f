//! The host's agent: follows orders, and turns windows into spool files.
//!
//! ```text
//! state changed ─▶ follow: attach, detach, new rules ─▶ applied generation
//! window ends   ─▶ close_window ─▶ records per flow log ─▶ spool (fsynced) ─▶ clear_window
//! ```
//!
//! One thread does both, so that an interface never changes while its window is
//! written. Invariant: the kernel's counters of a window are cleared only after
//! every flow log's file of it is in the spool; if that fails, the window is
//! written again later and the running one grows meanwhile.

mod follow;
mod network;
mod write;

use follow::Follower;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tracing::{debug, error, warn};
use weir_api::host::Host;
use weir_capture::{Capture, ClosedWindow};
use weir_delivery::spool::Spool;
use weir_flow::window::{Window, WindowClock};
use weir_types::id::{EniId, FlowLogId};
use weir_types::orders::Orders;
use weir_types::time::UnixMillis;

/// Idle connections are forgotten this often.
const SWEEP: Duration = Duration::from_secs(10);

/// Gives the newest orders.
pub type OrdersSource = Box<dyn Fn() -> Result<Orders, String> + Send>;

/// What an agent works with.
pub struct Parts {
    pub capture: Capture,
    pub orders: OrdersSource,
    pub spool: Arc<Spool>,
    /// Told of flow logs that are no longer in the orders.
    pub forget: Box<dyn Fn(&FlowLogId) + Send>,
    /// Length of a capture window in seconds.
    pub interval_s: NonZeroU32,
    pub now: weir_api::call::Clock,
}

/// A running agent. Stop it with [`Agent::stop`].
pub struct Agent {
    handle: Arc<Handle>,
    thread: JoinHandle<()>,
}

/// How others talk to the agent.
pub struct Handle {
    commands: Mutex<Sender<Command>>,
    progress: Mutex<Progress>,
    changed: Condvar,
}

#[derive(Default)]
struct Progress {
    applied: u64,
    stopped: bool,
    problems: BTreeMap<EniId, String>,
}

enum Command {
    Follow,
    Stop,
}

impl Agent {
    /// Starts the agent; it follows the present orders before this returns.
    pub fn start(parts: Parts) -> std::io::Result<Self> {
        let (sender, receiver) = channel();
        let handle = Arc::new(Handle {
            commands: Mutex::new(sender),
            progress: Mutex::default(),
            changed: Condvar::new(),
        });
        let run = (parts.now)().0.unsigned_abs();
        let mut work = Work {
            window: WindowClock::new(parts.interval_s),
            parts,
            handle: handle.clone(),
            follower: Follower::default(),
            orders: Orders::default(),
            unsaved: None,
            last_end_s: i64::MIN,
            run,
            swept: Instant::now(),
        };
        work.follow();
        let thread = std::thread::Builder::new().name("agent".into()).spawn(move || work.run(&receiver))?;
        Ok(Self { handle, thread })
    }

    pub fn handle(&self) -> Arc<Handle> {
        self.handle.clone()
    }

    /// Writes the running window to the spool and ends.
    pub fn stop(self) {
        self.handle.send(Command::Stop);
        if self.thread.join().is_err() {
            error!("the agent panicked");
        }
    }
}

impl Handle {
    /// There are new orders.
    pub fn follow(&self) {
        self.send(Command::Follow);
    }

    fn send(&self, command: Command) {
        if lock(&self.commands).send(command).is_err() {
            debug!("the agent has stopped");
        }
    }

    fn update(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut lock(&self.progress));
        self.changed.notify_all();
    }
}

impl Host for Handle {
    fn ready(&self) -> Result<(), String> {
        if lock(&self.progress).stopped { Err("the agent has stopped".into()) } else { Ok(()) }
    }

    fn wait_applied(&self, generation: u64, patience: Duration) -> bool {
        let progress = lock(&self.progress);
        let waited = self
            .changed
            .wait_timeout_while(progress, patience, |now| now.applied < generation && !now.stopped)
            .unwrap_or_else(PoisonError::into_inner);
        waited.0.applied >= generation
    }

    fn problem(&self, interface: &EniId) -> Option<String> {
        lock(&self.progress).problems.get(interface).cloned()
    }
}

/// A panic elsewhere leaves these plain values whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The thread's own.
struct Work {
    parts: Parts,
    window: WindowClock,
    handle: Arc<Handle>,
    follower: Follower,
    orders: Orders,
    /// A closed window that is not in the spool yet.
    unsaved: Option<(Window, ClosedWindow)>,
    /// No two windows of a run have the same end, whatever the clock does.
    last_end_s: i64,
    /// Tells this run's files from another run's: when it started.
    run: u64,
    swept: Instant,
}

impl Work {
    fn run(mut self, commands: &Receiver<Command>) {
        loop {
            let boundary = self.window.next_boundary((self.parts.now)());
            if !self.until(boundary, commands) {
                break;
            }
            self.close(boundary.seconds());
            // Devices come and go without a change of the state.
            self.follow();
            if self.swept.elapsed() >= SWEEP {
                self.sweep();
            }
        }
        let now = (self.parts.now)();
        self.close(now.seconds() + 1);
        self.handle.update(|progress| progress.stopped = true);
    }

    /// Obeys until the boundary; `false` to stop.
    fn until(&mut self, boundary: UnixMillis, commands: &Receiver<Command>) -> bool {
        loop {
            let left = boundary.0 - (self.parts.now)().0;
            if left <= 0 {
                return true;
            }
            // A clock that steps back must not make the window longer than it is.
            let left = Duration::from_millis(left.unsigned_abs())
                .min(Duration::from_secs(self.window.interval_s().into()));
            match commands.recv_timeout(left) {
                Ok(Command::Follow) => {
                    // Many changes at once are followed once.
                    while let Ok(command) = commands.try_recv() {
                        if matches!(command, Command::Stop) {
                            return false;
                        }
                    }
                    self.follow();
                }
                Ok(Command::Stop) | Err(RecvTimeoutError::Disconnected) => return false,
                Err(RecvTimeoutError::Timeout) => return true,
            }
        }
    }

    fn follow(&mut self) {
        let orders = match (self.parts.orders)() {
            Ok(orders) => orders,
            Err(problem) => return error!(problem, "cannot read the orders; the old ones stay in force"),
        };
        self.follower.follow(&orders, &self.parts.capture);
        let active: BTreeSet<&FlowLogId> = orders.flow_logs.iter().map(|flow_log| &flow_log.id).collect();
        for waiting in self.parts.spool.flow_logs() {
            if !active.contains(&waiting) {
                (self.parts.forget)(&waiting);
            }
        }
        let generation = orders.generation;
        let problems = self.follower.problems().clone();
        self.orders = orders;
        self.handle.update(|progress| {
            progress.applied = progress.applied.max(generation);
            progress.problems = problems;
        });
    }

    fn close(&mut self, end_s: i64) {
        if self.unsaved.is_none() {
            match self.parts.capture.close_window() {
                Ok(closed) => {
                    let end_s = end_s.max(self.last_end_s.saturating_add(1));
                    self.last_end_s = end_s;
                    let start_s = closed.opened_at.seconds().min(end_s);
                    self.unsaved = Some((Window { start_s, end_s }, closed));
                }
                Err(error) => return error!(%error, "cannot close the window; it goes on"),
            }
        }
        let Some((window, closed)) = &self.unsaved else { return };
        let files = write::files(*window, closed, &self.orders, &self.follower, self.run, (self.parts.now)());
        for file in files {
            if let Err(error) = self.parts.spool.write(&file) {
                warn!(%error, flow_log = %file.header.flow_log, "the window is not saved; it is tried again");
                return;
            }
        }
        if let Err(error) = self.parts.capture.clear_window(closed.id) {
            return error!(%error, "the window is saved but not cleared; it is tried again");
        }
        self.unsaved = None;
        self.follower.drained();
    }

    fn sweep(&mut self) {
        self.swept = Instant::now();
        match self.parts.capture.sweep() {
            Ok(swept) => debug!(live = swept.live, removed = swept.removed, "idle connections forgotten"),
            Err(error) => warn!(%error, "idle connections cannot be swept"),
        }
    }
}
