//! State: typed resources in SQLite or PostgreSQL, one transaction an action.
//!
//! The tables are in `schema.rs`, what an action sees of them in `tx.rs` and
//! `index.rs`, the databases in `sqlite.rs` and `postgres.rs`, how attempts at
//! a transaction end in `store.rs`.
//!
//! `parent` is what a resource is looked up by when its own id is not known
//! (usually its VPC), and is indexed. Global services use the region
//! [`Scope::GLOBAL`].
//!
//! The generation grows by one with each transaction that changed something;
//! the listener is told after the commit. An agent that applied generation N
//! knows every change up to N.

mod index;
mod link;
mod postgres;
mod schema;
mod sqlite;
mod store;
mod tx;
mod watch;

use crate::error::{ControlError, Result};
pub use index::{Exact, Index};
use schema::Dialect;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
pub use store::StoreError;
use store::{Again, Mode, Store};
pub use tx::{Cx, Resource, Scope, Tx};

/// What is told of a new generation, after the commit: of one that this process
/// made on the writer's thread, of another server's on a thread of the state.
pub type Listener = Box<dyn Fn(u64) + Send + Sync>;

type SharedListener = Arc<Mutex<Option<Listener>>>;

/// Attempts at one action. Two are enough on a sound connection.
const ATTEMPTS: usize = 4;

/// The account's state. Cheap to share behind an `Arc`; calls block.
pub struct State {
    store: Box<dyn Store>,
    listener: SharedListener,
    host: String,
}

impl State {
    /// Opens or creates the database file. A file of a newer schema is refused.
    pub fn open(path: &Path) -> Result<Self> {
        Self::sqlite(sqlite::Sqlite::file(path)?)
    }

    /// State that is gone with the process.
    pub fn in_memory() -> Result<Self> {
        Self::sqlite(sqlite::Sqlite::memory()?)
    }

    fn sqlite(store: sqlite::Sqlite) -> Result<Self> {
        schema::prepare(&store, Dialect { text: "TEXT", by_key: " WITHOUT ROWID" })?;
        Ok(Self { store: Box::new(store), listener: SharedListener::default(), host: String::new() })
    }

    /// Connects to a PostgreSQL database, which other servers may share, and
    /// makes the tables if they are not there. A newer schema is refused.
    /// `url`: `postgres://USER@HOST:PORT/DATABASE`, or
    /// `postgres:///DATABASE?host=/DIRECTORY` for a socket. `host` tells this
    /// server's host from others', and is the same after a restart.
    pub fn postgres(url: &str, host: &str) -> Result<Self> {
        let links = Arc::new(link::Links::new(url)?);
        let instance = format!("{:016x}", crate::random::bits()?);
        let store = postgres::Postgres::new(links.clone(), instance.clone());
        schema::prepare(&store, Dialect { text: "TEXT COLLATE \"C\"", by_key: "" })?;
        let listener = SharedListener::default();
        watch::start(&links, instance, listener.clone())?;
        Ok(Self { store: Box::new(store), listener, host: host.to_owned() })
    }

    /// Who is told of each new generation. Replaces an earlier listener.
    pub fn set_listener(&self, listener: Listener) {
        *lock(&self.listener) = Some(listener);
    }

    /// Runs `action` in one transaction: committed if it answers `Ok`, undone
    /// otherwise. An action that lost against another writer runs again from its
    /// beginning, so it must have no effect but on the state. `E` is the
    /// caller's error type.
    pub fn transact<T, E: From<ControlError>>(
        &self,
        action: impl Fn(&Tx<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let mut mode = Mode::Optimistic;
        for attempt in 1..=ATTEMPTS {
            let session = self.store.begin(mode)?;
            let tx = Tx::new(&*session, &self.host);
            let answer = action(&tx).and_then(|done| Ok((done, tx.changed_generation()?)));
            if let Some(again) = session.again().filter(|_| attempt < ATTEMPTS) {
                if again == Again::Conflict {
                    mode = Mode::Exclusive;
                }
                continue;
            }
            let (done, generation) = answer?;
            session.commit(generation)?;
            if let Some(generation) = generation {
                tell(&self.listener, generation);
            }
            return Ok(done);
        }
        Err(ControlError::State { operation: "write to", source: StoreError::Contention }.into())
    }

    /// The newest generation.
    pub fn generation(&self) -> Result<u64> {
        self.transact(|tx| tx.generation())
    }

    /// Removes everything but the server's own access keys. For emulator mode only.
    pub fn reset(&self) -> Result<()> {
        self.transact(|tx| tx.clear())
    }
}

fn tell(listener: &SharedListener, generation: u64) {
    if let Some(listener) = lock(listener).as_ref() {
        listener(generation);
    }
}

/// A panic of another thread in a transaction undid it; the state is sound.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
