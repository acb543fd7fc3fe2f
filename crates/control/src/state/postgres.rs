//! PostgreSQL: one database that several servers share.
//!
//! Attempts run at REPEATABLE READ: each sees the snapshot of its first
//! statement. A writer locks the generation's row, which fails if anybody
//! committed since its snapshot; so writers are strictly one after the other
//! and the order of generations is the order of their effects. `LOCK TABLE` in
//! an exclusive attempt comes before the snapshot, so that attempt cannot fail
//! that way.
//!
//! Lost connections are noticed when they are used; the attempt is repeated on
//! a new one unless it was lost while committing. What waits is bounded: see
//! [`SESSION`] and `config`.
//!
//! The client is asynchronous and its connections run on a thread of their own
//! (`link.rs`): callers may be on any thread, of a runtime or not.
//!
//! Not for: TLS. A server that demands it is told no.

use super::link::{Link, Links, wait};
use super::store::{Again, Mode, Session, Store, StoreError};
use crate::error::{ControlError, Result};
use std::cell::Cell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

/// Idle connections that are kept.
const IDLE: usize = 8;

/// The channel on which servers tell each other new generations:
/// `INSTANCE GENERATION`.
pub(super) const CHANNEL: &str = "weir_generation";

/// Serializes the preparation of the schema. Any number will do.
const MIGRATION_LOCK: i64 = 0x7765_6972;

pub(super) struct Postgres {
    links: Arc<Links>,
    idle: Mutex<Vec<Link>>,
    /// This server among those that share the database.
    instance: String,
}

impl Postgres {
    pub(super) fn new(links: Arc<Links>, instance: String) -> Self {
        Self { links, idle: Mutex::new(Vec::new()), instance }
    }

    /// An idle connection that looks alive, or a new one; whether it is new.
    fn take(&self) -> Result<(Link, bool)> {
        while let Some(link) = self.idle().pop() {
            if !link.client.is_closed() {
                return Ok((link, false));
            }
        }
        Ok((self.links.connect()?, true))
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Link>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin_on(&self, link: Link, begin: &str) -> Result<Attempt<'_>> {
        let attempt =
            Attempt { store: self, link: Some(link), again: Cell::new(None), is_open: Cell::new(false) };
        attempt.run("begin a transaction on", |link| wait(link.client.batch_execute(begin)))?;
        attempt.is_open.set(true);
        Ok(attempt)
    }
}

impl Store for Postgres {
    fn begin(&self, mode: Mode) -> Result<Box<dyn Session + '_>> {
        let begin = match mode {
            Mode::Optimistic => "BEGIN ISOLATION LEVEL REPEATABLE READ".to_owned(),
            // EXCLUSIVE lets others read, and conflicts with FOR UPDATE.
            Mode::Exclusive => {
                "BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE meta IN EXCLUSIVE MODE".to_owned()
            }
            Mode::Migration => format!("BEGIN; SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"),
        };
        loop {
            let (link, is_new) = self.take()?;
            let closed = match self.begin_on(link, &begin) {
                Ok(attempt) => return Ok(Box::new(attempt)),
                Err(error) => error,
            };
            // The database may have been restarted since the connection was used.
            if is_new || !is_lost(&closed) {
                return Err(closed);
            }
            self.idle().clear();
        }
    }
}

/// Whether an error is one of the connection, not an answer of the database;
/// or the answer that it closes the connection.
fn is_lost(error: &ControlError) -> bool {
    match error {
        ControlError::State { source: StoreError::Postgres(error), .. } => link_is_lost(error),
        _ => false,
    }
}

fn link_is_lost(error: &tokio_postgres::Error) -> bool {
    let closing = [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::CANNOT_CONNECT_NOW];
    match error.code() {
        Some(code) => closing.contains(code) || *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        None => {
            error.is_closed() || std::error::Error::source(error).is_some_and(|s| s.is::<std::io::Error>())
        }
    }
}

struct Attempt<'a> {
    store: &'a Postgres,
    /// `None` only while it is dropped.
    link: Option<Link>,
    again: Cell<Option<Again>>,
    is_open: Cell<bool>,
}

type Outcome<T> = std::result::Result<T, tokio_postgres::Error>;

impl Attempt<'_> {
    fn run<T>(&self, operation: &'static str, work: impl FnOnce(&Link) -> Outcome<T>) -> Result<T> {
        let Some(link) = &self.link else {
            return Err(ControlError::State { operation, source: StoreError::Contention });
        };
        work(link).map_err(|source| {
            let conflicts = [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED];
            if source.code().is_some_and(|code| conflicts.contains(code)) {
                self.again.set(Some(Again::Conflict));
            } else if link_is_lost(&source) {
                self.again.set(Some(Again::Lost));
            }
            ControlError::State { operation, source: StoreError::Postgres(source) }
        })
    }
}

/// PostgreSQL's text cannot hold U+0000; no AWS name or value has it.
fn clean(values: &[Option<&str>]) -> Vec<Option<String>> {
    values.iter().map(|value| value.map(|text| text.replace('\0', "\u{FFFD}"))).collect()
}

fn parameters(values: &[Option<String>]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

impl Session for Attempt<'_> {
    fn query(
        &self,
        sql: &str,
        values: &[Option<&str>],
        row: &mut dyn FnMut(&[&str]) -> Result<()>,
    ) -> Result<()> {
        let values = clean(values);
        let rows = self.run("read", |link| {
            let statement = link.prepared(sql)?;
            wait(link.client.query(&statement, &parameters(&values)))
        })?;
        for found in rows {
            let columns = (0..found.len()).map(|place| found.try_get::<_, &str>(place));
            let columns: Outcome<Vec<&str>> = columns.collect();
            row(&self.run("read", |_| columns)?)?;
        }
        Ok(())
    }

    fn execute(&self, sql: &str, values: &[Option<&str>]) -> Result<u64> {
        let values = clean(values);
        self.run("write to", |link| {
            let statement = link.prepared(sql)?;
            wait(link.client.execute(&statement, &parameters(&values)))
        })
    }

    fn batch(&self, sql: &str) -> Result<()> {
        self.run("write to", |link| wait(link.client.batch_execute(sql)))
    }

    fn before_write(&self) -> Result<()> {
        self.query("SELECT key FROM meta WHERE key = 'generation' FOR UPDATE", &[], &mut |_| Ok(()))
    }

    fn again(&self) -> Option<Again> {
        self.again.get()
    }

    fn commit(self: Box<Self>, generation: Option<u64>) -> Result<()> {
        if let Some(generation) = generation {
            let told = format!("{} {generation}", self.store.instance);
            self.query("SELECT CAST(pg_notify($1, $2) AS TEXT)", &[Some(CHANNEL), Some(&told)], &mut |_| {
                Ok(())
            })?;
        }
        self.run("commit to", |link| wait(link.client.batch_execute("COMMIT")))?;
        self.is_open.set(false);
        Ok(())
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let Some(link) = self.link.take() else { return };
        // A connection that does not answer is closed by dropping it.
        let undone = !self.is_open.get() || wait(link.client.batch_execute("ROLLBACK")).is_ok();
        let mut idle = self.store.idle();
        if undone && self.again.get() != Some(Again::Lost) && idle.len() < IDLE {
            idle.push(link);
        }
    }
}
