//! State: typed resources in SQLite, one transaction an action.
//!
//! ```text
//! resource(account, region, kind, id, parent, body)   one row a resource; body is JSON
//! tag(account, region, id, key, value)                tags of any resource
//! meta(key, value)                                    schema version, generation
//! ```
//!
//! `parent` is what a resource is looked up by when its own id is not known
//! (usually its VPC), and is indexed. Global services use the region
//! [`Scope::GLOBAL`].
//!
//! The generation grows by one with each transaction that changed something;
//! the listener is told after the commit. An agent that applied generation N
//! knows every change up to N.

mod tx;

use crate::error::{ControlError, Result};
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
pub use tx::{Cx, Resource, Scope, Tx};

/// What is told of a new generation, after the commit, on the writer's thread.
pub type Listener = Box<dyn Fn(u64) + Send + Sync>;

/// The account's state. Cheap to share behind an `Arc`; calls block while
/// another transaction runs.
pub struct State {
    connection: Mutex<Connection>,
    listener: Mutex<Option<Listener>>,
}

const SCHEMA_VERSION: i64 = 1;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS resource (
    account TEXT NOT NULL, region TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,
    parent TEXT, body TEXT NOT NULL,
    PRIMARY KEY (account, region, kind, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS resource_by_parent ON resource (account, region, kind, parent);
CREATE TABLE IF NOT EXISTS tag (
    account TEXT NOT NULL, region TEXT NOT NULL, id TEXT NOT NULL,
    key TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (account, region, id, key)
) WITHOUT ROWID;
";

impl State {
    /// Opens or creates the database file. A file of a newer schema is refused.
    pub fn open(path: &Path) -> Result<Self> {
        Self::with(
            Connection::open(path).map_err(|source| ControlError::State { operation: "open", source })?,
        )
    }

    /// State that is gone with the process.
    pub fn in_memory() -> Result<Self> {
        let open = Connection::open_in_memory();
        Self::with(open.map_err(|source| ControlError::State { operation: "open", source })?)
    }

    fn with(connection: Connection) -> Result<Self> {
        let failed = |source| ControlError::State { operation: "prepare", source };
        connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
        connection.busy_timeout(std::time::Duration::from_secs(10)).map_err(failed)?;
        connection.execute_batch(SCHEMA).map_err(failed)?;
        connection
            .execute("INSERT OR IGNORE INTO meta VALUES ('schema', ?1), ('generation', 0)", [SCHEMA_VERSION])
            .map_err(failed)?;
        let found: i64 = connection
            .query_row("SELECT value FROM meta WHERE key = 'schema'", [], |row| row.get(0))
            .map_err(failed)?;
        if found != SCHEMA_VERSION {
            return Err(ControlError::fault(
                "InternalError",
                format!("the state has schema {found}, this version of Weir reads schema {SCHEMA_VERSION}"),
            ));
        }
        Ok(Self { connection: Mutex::new(connection), listener: Mutex::new(None) })
    }

    /// Who is told of each new generation. Replaces an earlier listener.
    pub fn set_listener(&self, listener: Listener) {
        *lock(&self.listener) = Some(listener);
    }

    /// Runs `action` in one transaction: committed if it answers `Ok`, undone
    /// otherwise. `E` is the caller's error type.
    pub fn transact<T, E: From<ControlError>>(
        &self,
        action: impl FnOnce(&Tx<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let mut connection = lock(&self.connection);
        let failed = |operation| move |source| E::from(ControlError::State { operation, source });
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed("begin a transaction on"))?;
        let tx = Tx::new(&transaction);
        let answer = action(&tx)?;
        let generation = tx.changed_generation()?;
        transaction.commit().map_err(failed("commit to"))?;
        drop(connection);
        if let (Some(generation), Some(listener)) = (generation, lock(&self.listener).as_ref()) {
            listener(generation);
        }
        Ok(answer)
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

/// A panic of another thread in a transaction undid it; the state is sound.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
