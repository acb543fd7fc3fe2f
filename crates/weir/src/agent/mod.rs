//! The host's agent: follows orders, and turns windows into spool files.
//!
//! ```text
//! state changed ─▶ follow: attach, detach, new rules ─▶ applied generation
//! window ends   ─▶ close_window ─▶ records per flow log ─▶ spool (fsynced) ─▶ clear_window
//! ```
//!
//! One thread does both, so that an interface never changes while its window is
//! written. Invariants: the kernel's counters of a window are cleared only after
//! every flow log's file of it is in the spool, and each file is written once; if
//! that fails, the rest is written later and the running window grows meanwhile.
//! A step that panics is given up, not the thread: packets stay judged.

mod around;
mod containers;
mod exclude;
mod follow;
mod network;
mod write;

use containers::Containers;
pub use containers::Roots;
pub use exclude::Excluded;
use follow::Follower;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tracing::{debug, error, warn};
use weir_api::host::Host;
use weir_capture::{Capture, ClosedWindow, InterfaceNumber, Losses, Memo, WindowId};
use weir_delivery::spool::{Spool, SpoolFile};
use weir_flow::surroundings::AwsRanges;
use weir_flow::window::{Window, WindowClock};
use weir_types::id::{EniId, FlowLogId};
use weir_types::orders::Orders;
use weir_types::time::UnixMillis;

/// Idle connections are forgotten this often.
const SWEEP: Duration = Duration::from_secs(10);

/// Devices that have vanished or come back, and a wall clock that was set, are
/// noticed this soon.
const TICK: Duration = Duration::from_secs(1);

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
    /// Traffic that is in no record.
    pub excluded: Excluded,
    /// For the fields `pkt-…-aws-service`.
    pub aws_ranges: Arc<AwsRanges>,
    /// For the fields `ecs-…`.
    pub container_roots: Roots,
    pub now: weir_api::call::Clock,
}

/// A running agent. Stop it with [`Agent::stop`].
pub struct Agent {
    handle: Arc<Handle>,
    thread: Option<JoinHandle<()>>,
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
    /// Why observe mode sees no drops, if it does not.
    blind: Option<String>,
}

enum Command {
    Follow,
    /// Devices have left their namespaces.
    Look,
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
        let noted = Noted::of(parts.capture.memo());
        let follower = Follower::take_over(&parts.capture);
        let mut work = Work {
            window: WindowClock::new(parts.interval_s),
            containers: Containers::new(parts.container_roots.clone()),
            parts,
            handle: handle.clone(),
            follower,
            orders: Orders::default(),
            orders_unfollowed: false,
            unsaved: None,
            last: noted.as_ref().map_or(Ends::NONE, Noted::ends),
            run,
            swept: Instant::now(),
        };
        work.guarded("follow the orders", Work::follow);
        if work.parts.capture.has_closed_window() {
            let held = work.follower.hold_retired();
            work.finish(noted);
            work.follower.retire(held);
        }
        let thread = std::thread::Builder::new().name("agent".into()).spawn(move || work.run(&receiver))?;
        Ok(Self { handle, thread: Some(thread) })
    }

    pub fn handle(&self) -> Arc<Handle> {
        self.handle.clone()
    }

    /// Writes the running window to the spool and ends.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.handle.send(Command::Stop);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            error!("the agent panicked");
        }
    }
}

impl Handle {
    /// There are new orders.
    pub fn follow(&self) {
        self.send(Command::Follow);
    }

    /// A device may have left its namespace: whether each is still where it was
    /// attached.
    pub fn look(&self) {
        self.send(Command::Look);
    }

    /// Why interfaces in observe mode record everything as ACCEPT, if they must.
    pub fn blind(&self) -> Option<String> {
        lock(&self.progress).blind.clone()
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
    /// Whose namespaces the interfaces are in.
    containers: Containers,
    orders: Orders,
    /// The newest orders could not be read or followed to the end: they are
    /// tried again soon.
    orders_unfollowed: bool,
    /// A closed window that is not wholly in the spool yet.
    unsaved: Option<Unsaved>,
    last: Ends,
    /// Tells this run's files from another run's: when it started.
    run: u64,
    swept: Instant,
}

/// What is left to write of a closed window.
struct Unsaved {
    id: WindowId,
    files: Vec<SpoolFile>,
}

/// When the last window ended.
#[derive(Clone, Copy)]
struct Ends {
    /// By the wall clock, which may be set back.
    window_s: i64,
    /// As its files are named: no two windows of a run share a name, and later
    /// ones sort behind earlier ones.
    file_s: i64,
}

impl Ends {
    const NONE: Self = Self { window_s: i64::MIN, file_s: i64::MIN };

    /// How the files of a window are called that ends then, after this one.
    fn file_s(self, end_s: i64) -> i64 {
        end_s.max(self.file_s.saturating_add(1))
    }
}

/// What an agent notes in the capture before it writes a window's files: one
/// that takes over writes the same files again, under the same names.
#[derive(Clone, Copy)]
struct Noted {
    window: u64,
    run: u64,
    end_s: i64,
    /// Of the window before.
    last: Ends,
}

impl Noted {
    /// `None` if nothing was noted yet.
    fn of(memo: Memo) -> Option<Self> {
        let [window, run, end_s, window_s, file_s, _] = memo;
        let last = Ends { window_s: window_s.cast_signed(), file_s: file_s.cast_signed() };
        (run != 0).then_some(Self { window, run, end_s: end_s.cast_signed(), last })
    }

    fn memo(self) -> Memo {
        let Self { window, run, end_s, last } = self;
        [window, run, end_s.cast_unsigned(), last.window_s.cast_unsigned(), last.file_s.cast_unsigned(), 0]
    }

    fn ends(&self) -> Ends {
        Ends { window_s: self.end_s, file_s: self.last.file_s(self.end_s) }
    }
}

impl Work {
    /// Saves the window that a killed agent had closed.
    fn finish(&mut self, noted: Option<Noted>) {
        let end_s = (self.parts.now)().seconds() + 1;
        self.guarded("save the window that a killed agent had closed", |work| {
            let closed = match work.parts.capture.close_window() {
                Ok(closed) => closed,
                Err(error) => return error!(%error, "cannot read the window that a killed agent had closed"),
            };
            let run = work.run;
            match noted.filter(|noted| noted.window == closed.id.number()) {
                Some(noted) => {
                    (work.last, work.run) = (noted.last, noted.run);
                    work.render(&closed, noted.end_s);
                }
                None => work.render(&closed, closed.closed_at.seconds().min(end_s) + 1),
            }
            work.run = run;
            work.save();
        });
    }

    fn run(mut self, commands: &Receiver<Command>) {
        loop {
            let boundary = self.window.next_boundary((self.parts.now)());
            if !self.until(boundary, commands) {
                break;
            }
            self.guarded("close a window", |work| work.close(boundary.seconds()));
        }
        let end_s = (self.parts.now)().seconds() + 1;
        if self.unsaved.is_some() {
            self.guarded("save a window", |work| work.close(end_s));
        }
        self.guarded("close the last window", |work| work.close(end_s));
        if self.unsaved.is_some() {
            error!("the spool did not take the last window: its records are lost");
        }
    }

    /// Obeys until the boundary; `false` to stop.
    fn until(&mut self, boundary: UnixMillis, commands: &Receiver<Command>) -> bool {
        // A clock that steps back must not make the window longer than it is.
        let longest = Duration::from_secs(self.window.interval_s().into());
        let deadline = Instant::now() + longest;
        loop {
            let left = Duration::from_millis((boundary.0 - (self.parts.now)().0).max(0).unsigned_abs());
            let left = left.min(deadline.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return true;
            }
            match commands.recv_timeout(left.min(TICK)) {
                Ok(mut command @ (Command::Follow | Command::Look)) => {
                    // Many changes at once are followed once.
                    let mut moved = false;
                    loop {
                        match command {
                            Command::Stop => return false,
                            Command::Look => moved = true,
                            Command::Follow => {}
                        }
                        let Ok(next) = commands.try_recv() else { break };
                        command = next;
                    }
                    if moved {
                        self.guarded("look for moved devices", |work| {
                            work.follower.let_go_of_moved(&work.parts.capture);
                        });
                    }
                    self.guarded("follow the orders", Self::follow);
                }
                Ok(Command::Stop) | Err(RecvTimeoutError::Disconnected) => return false,
                Err(RecvTimeoutError::Timeout) => self.guarded("look after the devices", Self::mend),
            }
            if self.swept.elapsed() >= SWEEP {
                self.guarded("sweep idle connections", Self::sweep);
            }
        }
    }

    /// Runs a step. Were its panic to end the thread, every program would leave
    /// its device and nothing be judged any more.
    fn guarded(&mut self, what: &str, step: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| step(self))).is_err() {
            error!("a bug: the agent panicked when it was to {what}; it goes on with the next step");
        }
    }

    fn follow(&mut self) {
        self.orders_unfollowed = true;
        let mut orders = match (self.parts.orders)() {
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
        let of_window = self.follower.of_window().map(|attached| &attached.order);
        around::keep_departed(&mut orders, &self.orders, of_window);
        self.orders = orders;
        self.orders_unfollowed = false;
        self.learn();
        self.publish(generation);
    }

    /// Looks whose namespaces the interfaces are in, if a record is to say it:
    /// when they are attached, and again at a window's end.
    fn learn(&mut self) {
        if self.orders.flow_logs.iter().any(|flow_log| flow_log.log_format.contains("ecs-")) {
            let attachments = self.follower.of_window().map(|attached| &attached.order.attachment);
            self.containers.learn(attachments);
        }
    }

    fn publish(&self, generation: u64) {
        let problems = self.follower.problems().clone();
        let blind = self.parts.capture.blind();
        self.handle.update(|progress| {
            progress.blind = blind;
            progress.applied = progress.applied.max(generation);
            progress.problems = problems;
        });
    }

    /// Devices come and go without a change of the state.
    fn mend(&mut self) {
        if self.orders_unfollowed {
            self.follow();
        } else if self.follower.needs_care(&self.parts.capture) {
            self.follower.follow(&self.orders, &self.parts.capture);
            self.publish(self.orders.generation);
        }
    }

    fn close(&mut self, end_s: i64) {
        if self.unsaved.is_none() {
            match self.parts.capture.close_window() {
                Ok(closed) => self.render(&closed, end_s),
                Err(error) => return error!(%error, "cannot close the window; it goes on"),
            }
        }
        self.save();
    }

    /// From memory to the spool, then out of the kernel.
    fn save(&mut self) {
        let Some(unsaved) = &mut self.unsaved else { return };
        while let Some(file) = unsaved.files.last() {
            if let Err(error) = self.parts.spool.write(file) {
                let error = weir_api::error::chain(&error);
                let flow_log = &file.header.flow_log;
                return warn!(error, %flow_log, "the window is not saved; it is tried again");
            }
            unsaved.files.pop();
        }
        if let Err(error) = self.parts.capture.clear_window(unsaved.id) {
            return error!(%error, "the window is saved but not cleared; it is tried again");
        }
        self.unsaved = None;
        self.follower.cleared();
    }

    /// From a closed window to its files, and to the log what went past them.
    fn render(&mut self, closed: &ClosedWindow, end_s: i64) {
        let window = window(closed.opened_at, end_s, self.last.window_s);
        let file_end_s = self.last.file_s(end_s);
        let noted = Noted { window: closed.id.number(), run: self.run, end_s, last: self.last };
        if let Err(error) = self.parts.capture.set_memo(noted.memo()) {
            warn!(%error, "a window cannot be noted: if this process is killed now, records come twice");
        }
        for attached in self.follower.of_window() {
            let number = InterfaceNumber(attached.number);
            let skipped = closed.interfaces.get(&number).map_or(0, |samples| samples.skipped_packets);
            let Losses { malformed_packets, untracked_connections } =
                closed.losses.get(&number).copied().unwrap_or_default();
            let interface = &attached.order.attachment.interface;
            if skipped > 0 {
                warn!(%interface, packets = skipped, "the flow table was full: SKIPDATA (see --max-flows)");
            }
            if untracked_connections > 0 {
                warn!(%interface, connections = untracked_connections,
                    "the connection table was full: answers may be rejected (see --max-connections)");
            }
            if malformed_packets > 0 {
                warn!(%interface, packets = malformed_packets, "malformed packets are in no record");
            }
        }
        if closed.missed_drops > 0 {
            warn!(packets = closed.missed_drops, "drops of the host's firewall were missed in observe mode");
        }
        self.learn();
        let place = write::Place { window, file_end_s, run: self.run, now: (self.parts.now)() };
        let mut files = write::files(
            place,
            closed,
            &self.orders,
            &self.follower,
            &self.parts.excluded,
            &self.parts.aws_ranges,
            &self.containers,
        );
        files.reverse();
        self.follower.closed();
        self.last = Ends { window_s: window.end_s, file_s: file_end_s };
        self.unsaved = Some(Unsaved { id: closed.id, files });
    }

    fn sweep(&mut self) {
        self.swept = Instant::now();
        match self.parts.capture.sweep() {
            Ok(swept) => debug!(live = swept.live, removed = swept.removed, "idle connections forgotten"),
            Err(error) => warn!(%error, "idle connections cannot be swept"),
        }
    }
}

impl Drop for Work {
    /// However the thread ends, nobody waits for it any more.
    fn drop(&mut self) {
        self.handle.update(|progress| progress.stopped = true);
    }
}

/// A window from when it was opened to `end_s`. The kernel's clock is a few
/// milliseconds coarse: a window begins where the last one ended, unless the
/// wall clock was set.
fn window(opened_at: UnixMillis, end_s: i64, last_end_s: i64) -> Window {
    let apart_ms = opened_at.0.saturating_sub(last_end_s.saturating_mul(1000));
    let start_s = if apart_ms.unsigned_abs() < 1000 { last_end_s } else { opened_at.seconds() };
    Window { start_s: start_s.min(end_s), end_s }
}

#[cfg(test)]
mod clock_tests;

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};
    use weir_capture::Sizes;

    /// An agent without interfaces whose orders come from `source`.
    fn agent(
        source: impl Fn() -> Result<Orders, String> + Send + 'static,
    ) -> Option<(Agent, tempfile::TempDir)> {
        if Capture::probe().is_err() {
            eprintln!("SKIPPED: needs root");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let sizes = Sizes { flows: 64, connections: 64, interfaces: 4, fragments: 4 };
        let parts = Parts {
            capture: Capture::start(sizes).unwrap(),
            orders: Box::new(source),
            spool: Arc::new(Spool::open(folder.path(), 1 << 20).unwrap()),
            forget: Box::new(|_| ()),
            interval_s: NonZeroU32::new(600).unwrap(),
            excluded: Excluded::default(),
            aws_ranges: Arc::default(),
            container_roots: Roots::default(),
            now: Arc::new(crate::server::now),
        };
        Some((Agent::start(parts).unwrap(), folder))
    }

    /// Counts its calls; fails at the second as `fail` does.
    fn stumbling(fail: impl Fn() -> Result<Orders, String>) -> impl Fn() -> Result<Orders, String> {
        let calls = AtomicU64::new(0);
        move || match calls.fetch_add(1, Ordering::Relaxed) + 1 {
            2 => fail(),
            generation => Ok(Orders { generation, ..Orders::default() }),
        }
    }

    #[test]
    fn a_panic_ends_a_step_and_not_the_agent() {
        let Some((agent, _folder)) = agent(stumbling(|| panic!("a bug"))) else { return };
        let handle = agent.handle();
        handle.follow();
        assert!(handle.wait_applied(3, Duration::from_secs(60)), "tried again by itself");
        assert_eq!(handle.ready(), Ok(()));
        agent.stop();
        assert!(handle.ready().is_err());
        assert!(!handle.wait_applied(u64::MAX, Duration::MAX), "nobody waits for what has stopped");
    }

    #[test]
    fn orders_that_could_not_be_read_are_read_again_by_itself() {
        let Some((agent, _folder)) = agent(stumbling(|| Err("busy".into()))) else { return };
        let handle = agent.handle();
        handle.follow();
        assert!(handle.wait_applied(3, Duration::from_secs(60)));
        agent.stop();
    }

    #[test]
    fn windows_follow_each_other_unless_the_clock_was_set() {
        for (opened_ms, end_s, last_end_s, expected) in [
            (57_300, 60, i64::MIN, (57, 60)),
            (59_997, 120, 60, (60, 120)),
            (60_004, 120, 60, (60, 120)),
            (360_004, 420, 60, (360, 420)),
            (30_001, 60, 3600, (30, 60)),
            (61_500, 60, 3600, (60, 60)),
        ] {
            let found = window(UnixMillis(opened_ms), end_s, last_end_s);
            assert_eq!((found.start_s, found.end_s), expected, "{opened_ms} {end_s} {last_end_s}");
        }
    }
}
