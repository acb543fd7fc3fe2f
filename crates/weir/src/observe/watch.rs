//! The thread that looks after devices: attaches those that rules want when they
//! appear, and tells of those that are renamed, moved or gone. What the state's
//! database does not take is tried again.

use super::PATIENCE;
use super::plan::{Key, Plan, Renamed, Step};
use super::rule::Rule;
use crate::agent::Handle;
use crate::server::now;
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tracing::{debug, error, info, warn};
use weir_api::host::Host;
use weir_capture::devices::{Devices, Waker, named_namespaces};
use weir_control::error::ControlError;
use weir_control::network_interface::NetworkInterface;
use weir_control::observed::appeared::{self, Appeared, place};
use weir_control::{Cx, Scope, State, attachment};
use weir_types::id::{EniId, VpcId};
use weir_types::orders::Attachment;

/// Names of namespaces are looked for this often at least.
const TICK: Duration = Duration::from_secs(1);

/// What is made in one go makes many messages: they are read together.
const TOGETHER: Duration = Duration::from_millis(20);

/// A watch that has not begun.
pub struct Watch {
    devices: Devices,
    signals: Arc<Signals>,
}

struct Signals {
    waker: Waker,
    is_over: AtomicBool,
    /// The state has changed: attachments are read again.
    is_stale: AtomicBool,
}

/// A running watch; it ends when this is dropped.
pub struct Watching {
    signals: Arc<Signals>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.signals.is_over.store(true, Ordering::Relaxed);
        self.signals.waker.wake();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            error!("the watch on devices panicked");
        }
    }
}

impl Watch {
    pub fn open() -> Result<Self> {
        let devices = Devices::open()?;
        let waker = devices.waker()?;
        let signals = Signals { waker, is_over: AtomicBool::new(false), is_stale: AtomicBool::new(true) };
        Ok(Self { devices, signals: Arc::new(signals) })
    }

    /// To be called when the state has changed.
    pub fn listener(&self) -> impl Fn() + Send + Sync + 'static {
        let signals = self.signals.clone();
        move || {
            signals.is_stale.store(true, Ordering::Relaxed);
            signals.waker.wake();
        }
    }

    /// Attaches what is there already, and goes on in a thread. Answers the
    /// VPC of the rules' devices, if there are rules.
    pub fn start(
        self,
        rules: Vec<Rule>,
        scope: Scope,
        state: Arc<State>,
        agent: Arc<Handle>,
    ) -> Result<(Watching, Option<VpcId>)> {
        let is_quiet = rules.is_empty();
        let (vpc, made) = state
            .transact(|tx| {
                let cx = Cx { tx, scope: &scope, now: now() };
                let vpc = if is_quiet { None } else { Some(appeared::network(cx)?) };
                weir_control::error::Result::Ok((vpc, appeared::of_rules(cx)?))
            })
            .context("cannot prepare the network of devices that appear")?;
        let began = Instant::now();
        let mut work = Work {
            plan: Plan::new(rules, made, 0),
            devices: self.devices,
            signals: self.signals.clone(),
            state,
            scope,
            agent,
            attachments: Vec::new(),
            unseen: BTreeSet::new(),
            is_away: false,
            began,
        };
        work.round();
        let thread = std::thread::Builder::new().name("devices".into()).spawn(move || work.run())?;
        Ok((Watching { signals: self.signals, thread: Some(thread) }, vpc))
    }
}

struct Work {
    plan: Plan,
    devices: Devices,
    signals: Arc<Signals>,
    state: Arc<State>,
    scope: Scope,
    agent: Arc<Handle>,
    attachments: Vec<Attachment>,
    /// Namespaces that cannot be watched, told once.
    unseen: BTreeSet<String>,
    /// The state's database did not take something in the last round.
    is_away: bool,
    began: Instant,
}

impl Work {
    fn run(mut self) {
        while !self.signals.is_over.load(Ordering::Relaxed) {
            let patience = match self.is_away {
                true => TICK,
                false => Duration::from_millis(self.plan.patience(self.age()).max(0).unsigned_abs()),
            };
            self.devices.wait(patience.min(TICK));
            std::thread::sleep(TOGETHER);
            self.round();
        }
    }

    /// Milliseconds since the start: rules know no wall clock.
    fn age(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    /// Runs one transaction of the account.
    fn transact<T>(
        &self,
        action: impl Fn(Cx<'_>) -> weir_control::error::Result<T>,
    ) -> weir_control::error::Result<T> {
        self.state.transact(|tx| action(Cx { tx, scope: &self.scope, now: now() }))
    }

    /// Tells why something was not done. `true`: the database is to blame, and
    /// it can be done later; that is told once.
    fn is_for_later(&mut self, error: &ControlError, device: &str) -> bool {
        let is_passing = is_passing(error);
        let error = weir_api::error::chain(error);
        if !is_passing {
            warn!(error, device, "a device cannot be followed");
        } else if self.is_away {
            debug!(error, device, "a device cannot be followed for now");
        } else {
            warn!(error, device, "devices cannot be followed for now; it is tried again");
            self.is_away = true;
        }
        is_passing
    }

    fn round(&mut self) {
        if self.signals.is_stale.swap(false, Ordering::Relaxed) {
            match self.transact(attachment::list) {
                Ok(attachments) => self.attachments = attachments,
                Err(error) => {
                    self.is_for_later(&error, "all");
                    self.is_away = true;
                    return self.signals.is_stale.store(true, Ordering::Relaxed);
                }
            }
        }
        let wanted = self.plan.namespaces(&named_namespaces(), &self.attachments);
        let failed = self.devices.follow(&wanted);
        for (netns, error) in &failed {
            if self.unseen.insert(netns.clone()) {
                let problem = weir_api::error::chain(error);
                warn!(netns, problem, "the devices of a network namespace cannot be watched");
            }
        }
        self.unseen.retain(|netns| failed.iter().any(|(failed, _)| failed == netns));
        let age = self.age();
        self.devices.refresh();
        let steps = self.plan.step(age, &self.devices.look(), &self.devices.unlisted(), &self.attachments);
        let mut appeared = Vec::new();
        let mut is_away = false;
        for step in steps {
            self.signals.is_stale.store(true, Ordering::Relaxed);
            // Steps build on each other, and each would wait for the database.
            if is_away && !matches!(step, Step::Look) {
                self.plan.failed(step, age);
                continue;
            }
            let Err(error) = self.take(&step, &mut appeared) else { continue };
            if self.is_for_later(&error, &device_of(&step)) {
                is_away = true;
                self.plan.failed(step, age);
            } else if let Step::Appear(key, device) = &step {
                self.plan.appeared(*key, device, None);
            }
        }
        if !appeared.is_empty() {
            self.confirm(appeared);
        }
        self.is_away = is_away;
    }

    fn take(&self, step: &Step, appeared: &mut Vec<Attached>) -> weir_control::error::Result<()> {
        match step {
            Step::Appear(key, device) => {
                let (interface, is_known) = self.transact(|cx| appeared::appear(cx, device))?;
                appeared.push(Attached { key: *key, device: device.clone(), interface, is_known });
            }
            Step::Vanish { interface, place, why } => {
                self.transact(|cx| appeared::vanish(cx, interface))?;
                info!(%interface, device = place, "{why}: detached");
            }
            Step::Rename(renames) => {
                let named: Vec<(&EniId, &str)> =
                    renames.iter().map(|renamed| (&renamed.interface, renamed.to.as_str())).collect();
                self.transact(|cx| appeared::rename(cx, &named))?;
                for Renamed { interface, from, to } in renames {
                    info!(%interface, from, to, "the device was renamed");
                }
            }
            Step::Readdress { interface, ipv4, ipv6 } => {
                self.transact(|cx| appeared::readdress(cx, interface, ipv4, ipv6))?;
            }
            Step::Expire { interface, .. } => {
                if self.transact(|cx| appeared::expire(cx, interface))? {
                    info!(%interface, "the device did not come back: its interface is removed");
                }
            }
            Step::Look => self.agent.look(),
        }
        Ok(())
    }

    /// Waits until the agent has attached what appeared; what it could not is
    /// taken back. An agent that is slow, as on a busy machine, goes on by itself.
    fn confirm(&mut self, appeared: Vec<Attached>) {
        let generation = self.state.generation().unwrap_or(u64::MAX);
        if !self.agent.wait_applied(generation, PATIENCE) {
            warn!(devices = appeared.len(), "attaching takes long; it goes on");
        }
        for Attached { key, device, interface: NetworkInterface { id, .. }, is_known } in appeared {
            let place = place(device.netns.as_deref(), &device.device);
            let is_attached = match self.agent.problem(&id) {
                None if is_known => false,
                None => {
                    info!(interface = %id, device = place, rule = device.rule, mode = %device.mode, "attached by a rule");
                    true
                }
                Some(problem) => {
                    warn!(device = place, rule = device.rule, problem, "cannot be attached; left alone");
                    // What cannot be taken back is the agent's to try again.
                    !is_known && !self.give_up(&id, &place)
                }
            };
            self.plan.appeared(key, &device, is_attached.then_some(id));
        }
    }

    /// Says whether the interface is gone.
    fn give_up(&mut self, id: &EniId, place: &str) -> bool {
        let done = self.transact(|cx| {
            appeared::vanish(cx, id)?;
            appeared::expire(cx, id)
        });
        done.map_err(|error| self.is_for_later(&error, place)).is_ok()
    }
}

/// What the state says is attached; whether the agent can is to be seen.
struct Attached {
    key: Key,
    device: Appeared,
    interface: NetworkInterface,
    /// It was before: somebody attached it.
    is_known: bool,
}

/// Whether the same may be done later: the database did not answer. The other
/// errors stay as they are.
fn is_passing(error: &ControlError) -> bool {
    matches!(error, ControlError::State { .. } | ControlError::Unreachable { .. } | ControlError::Random)
}

/// The device of a step, in words.
fn device_of(step: &Step) -> String {
    match step {
        Step::Appear(_, device) => place(device.netns.as_deref(), &device.device),
        Step::Vanish { place, .. } | Step::Expire { place, .. } => place.clone(),
        Step::Rename(renames) => {
            let names: Vec<&str> = renames.iter().map(|renamed| renamed.to.as_str()).collect();
            names.join(", ")
        }
        Step::Readdress { interface, .. } => interface.to_string(),
        Step::Look => String::new(),
    }
}
