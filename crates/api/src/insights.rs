//! Queries of Logs Insights under way, and their results.
//!
//! The engine that runs them is handed in ([`Insights`]), so that this crate
//! does not link it. What ended is kept for [`KEPT`], at most [`MOST_KEPT`]
//! queries and [`MOST_BYTES`] of results; the oldest go first. Nothing of it
//! outlives the server.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use weir_control::Scope;
use weir_logs::insights::{Progress, Request, Rows};
use weir_types::time::UnixMillis;

/// How long a result can be asked for. Source: CloudWatch Logs quotas.
const KEPT: Duration = Duration::from_secs(7 * 86_400);
const MOST_KEPT: usize = 1000;
const MOST_BYTES: usize = 256 << 20;
/// Queries at once of one account and region. Source: CloudWatch Logs quotas.
const MOST_AT_ONCE: usize = 100;

/// Runs queries.
pub trait Insights: Send + Sync {
    /// Starts a query and returns at once. `begun` is called when it is its
    /// turn, `ended` at its end, but not after it was cancelled.
    fn start(&self, request: Request, progress: Arc<Progress>, begun: Begun, ended: Ended) -> Cancel;
}

pub type Begun = Box<dyn FnOnce() + Send>;
pub type Ended = Box<dyn FnOnce(End) + Send>;
/// Stops a query; of one that ended, nothing happens.
pub type Cancel = Box<dyn Fn() + Send + Sync>;

/// How a query ended by itself.
#[derive(Debug)]
pub enum End {
    Complete(Rows),
    /// The reason is for the log.
    Failed(String),
    TimedOut,
}

/// Of a server without the engine: every query fails.
pub struct NoInsights;

impl Insights for NoInsights {
    fn start(&self, _: Request, _: Arc<Progress>, _: Begun, ended: Ended) -> Cancel {
        ended(End::Failed("this server has no engine for queries".to_owned()));
        Box::new(|| {})
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Scheduled,
    Running,
    Complete,
    Failed,
    Cancelled,
    Timeout,
}

impl Status {
    pub const ALL: [Self; 6] =
        [Self::Scheduled, Self::Running, Self::Complete, Self::Failed, Self::Cancelled, Self::Timeout];

    /// As in `status` of GetQueryResults.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "Scheduled",
            Self::Running => "Running",
            Self::Complete => "Complete",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
            Self::Timeout => "Timeout",
        }
    }

    fn has_ended(self) -> bool {
        !matches!(self, Self::Scheduled | Self::Running)
    }
}

/// One query.
pub struct Query {
    pub id: String,
    pub scope: Scope,
    /// As DescribeQueries shows it.
    pub text: String,
    pub groups: Vec<String>,
    pub created: UnixMillis,
    /// Who started it.
    pub user: String,
    pub progress: Arc<Progress>,
    state: Mutex<State>,
    changed: Condvar,
    /// Whoever empties it cancels.
    cancel: Mutex<Option<Cancel>>,
}

struct State {
    status: Status,
    rows: Arc<Rows>,
    took: Option<Duration>,
}

impl Query {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Status and rows; there are none before the end.
    pub fn now(&self) -> (Status, Arc<Rows>) {
        let state = self.state();
        (state.status, state.rows.clone())
    }

    /// As [`Query::now`], but waits some time for the end.
    pub fn wait(&self, patience: Duration) -> (Status, Arc<Rows>) {
        let running = |state: &mut State| !state.status.has_ended();
        let waited = self.changed.wait_timeout_while(self.state(), patience, running);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        (state.status, state.rows.clone())
    }

    /// How long it ran, once it has ended.
    pub fn took(&self) -> Option<Duration> {
        self.state().took
    }

    /// Sets a status, unless there is a last one; whether it did.
    fn set(&self, status: Status, rows: Rows, took: Option<Duration>) -> bool {
        let mut state = self.state();
        if state.status.has_ended() {
            return false;
        }
        *state = State { status, rows: Arc::new(rows), took };
        self.changed.notify_all();
        true
    }

    /// Stops it. `Err`: it has ended, with this status.
    pub fn stop(&self) -> Result<(), Status> {
        if !self.set(Status::Cancelled, Rows::default(), None) {
            return Err(self.state().status);
        }
        self.cancel();
        Ok(())
    }

    fn cancel(&self) {
        let cancel = self.cancel.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(cancel) = cancel {
            cancel();
        }
    }
}

/// What a new query is.
pub struct New {
    pub id: String,
    pub scope: Scope,
    pub text: String,
    pub user: String,
    pub created: UnixMillis,
    pub groups: Vec<String>,
}

/// The queries of a server, oldest first.
pub struct Queries {
    engine: Arc<dyn Insights>,
    kept: Mutex<VecDeque<Arc<Query>>>,
}

impl Queries {
    pub fn new(engine: Arc<dyn Insights>) -> Self {
        Self { engine, kept: Mutex::default() }
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<Arc<Query>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a query; without a request it has failed from the beginning.
    /// `None`: too many are running.
    pub fn start(&self, new: New, request: Option<Request>) -> Option<Arc<Query>> {
        let New { id, scope, text, user, created, groups } = new;
        let query = Arc::new(Query {
            id,
            scope,
            text,
            groups,
            created,
            user,
            progress: Arc::default(),
            state: Mutex::new(State {
                status: if request.is_some() { Status::Scheduled } else { Status::Failed },
                rows: Arc::default(),
                took: None,
            }),
            changed: Condvar::new(),
            cancel: Mutex::new(None),
        });
        {
            let mut kept = self.kept();
            let running = |known: &&Arc<Query>| known.scope == query.scope && !known.now().0.has_ended();
            if kept.iter().filter(running).count() >= MOST_AT_ONCE {
                return None;
            }
            forget(&mut kept, created);
            kept.push_back(query.clone());
        }
        let Some(request) = request else { return Some(query) };
        let began = std::time::Instant::now();
        let begun = {
            let query = query.clone();
            Box::new(move || {
                query.set(Status::Running, Rows::default(), None);
            })
        };
        let ended = {
            let query = query.clone();
            Box::new(move |end: End| {
                let (status, rows) = match end {
                    End::Complete(rows) => (Status::Complete, rows),
                    End::TimedOut => (Status::Timeout, Rows::default()),
                    End::Failed(reason) => {
                        tracing::warn!(query = query.id, reason, "a query failed");
                        (Status::Failed, Rows::default())
                    }
                };
                query.set(status, rows, Some(began.elapsed()));
            })
        };
        let cancel = self.engine.start(request, query.progress.clone(), begun, ended);
        *query.cancel.lock().unwrap_or_else(PoisonError::into_inner) = Some(cancel);
        // A stop before this moment had nothing to cancel.
        if query.now().0.has_ended() {
            query.cancel();
        }
        Some(query)
    }

    pub fn get(&self, scope: &Scope, id: &str) -> Option<Arc<Query>> {
        self.kept().iter().find(|query| query.id == id && query.scope == *scope).cloned()
    }

    /// The newest first.
    pub fn list(&self, scope: &Scope) -> Vec<Arc<Query>> {
        self.kept().iter().rev().filter(|query| query.scope == *scope).cloned().collect()
    }

    /// Stops and forgets everything: the emulator's reset.
    pub fn clear(&self) {
        let all = std::mem::take(&mut *self.kept());
        for query in all {
            // What has ended needs no stop.
            let _ = query.stop();
        }
    }
}

/// Drops what ended long ago and, of what has ended, the oldest that is too much.
fn forget(kept: &mut VecDeque<Arc<Query>>, now: UnixMillis) {
    let age = i64::try_from(KEPT.as_millis()).unwrap_or(i64::MAX);
    kept.retain(|query| !query.now().0.has_ended() || now.0.saturating_sub(query.created.0) <= age);
    let mut bytes: usize = kept.iter().map(|query| query.now().1.bytes()).sum();
    let mut count = kept.len();
    kept.retain(|query| {
        let (status, rows) = query.now();
        let stays = !status.has_ended() || (bytes <= MOST_BYTES && count < MOST_KEPT);
        if !stays {
            bytes -= rows.bytes();
            count -= 1;
        }
        stays
    });
}
