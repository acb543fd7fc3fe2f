//! What a database must give so that [`super::Tx`] can work on it.
//!
//! For: one attempt at a transaction on SQLite or PostgreSQL, in the SQL that
//! both understand (`$1` counts up in the order of appearance, all values are
//! text). Not for: what is stored; that is `tx.rs`.
//!
//! Both databases run the first attempt of an action on a snapshot, without a
//! lock, and take the lock of writers at its first write. If another
//! transaction wrote since the snapshot, the attempt has lost: it is undone and
//! the action runs again, now with the lock from its beginning. So reads never
//! wait for each other nor for a writer, writers are strictly one after the
//! other, and an action runs at most twice but for lost connections.

use crate::error::Result;
use std::fmt;

/// How an attempt begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// On a snapshot; the lock is taken at the first write.
    Optimistic,
    /// With the lock of writers: nobody else writes until the end.
    Exclusive,
    /// As `Exclusive`, before there need be any table.
    Migration,
}

/// Why an attempt must be undone and tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// Another transaction wrote since this one's snapshot.
    Conflict,
    /// The connection to the database is gone; nothing was committed.
    Lost,
}

/// A database: transactions begin here.
pub(super) trait Store: Send + Sync {
    fn begin(&self, mode: Mode) -> Result<Box<dyn Session + '_>>;
}

/// One attempt at a transaction. Dropped without a commit, it is undone.
pub(super) trait Session {
    /// Gives each row's columns, none of which is NULL, to `row`.
    fn query(
        &self,
        sql: &str,
        values: &[Option<&str>],
        row: &mut dyn FnMut(&[&str]) -> Result<()>,
    ) -> Result<()>;

    /// How many rows were changed.
    fn execute(&self, sql: &str, values: &[Option<&str>]) -> Result<u64>;

    /// Statements without values.
    fn batch(&self, sql: &str) -> Result<()>;

    /// Takes the lock of writers, before the first write of an optimistic attempt.
    fn before_write(&self) -> Result<()>;

    /// Why the attempt has lost, if it has: whatever the action made of it.
    fn again(&self) -> Option<Again>;

    /// `generation`: the new one, for other servers to hear of.
    fn commit(self: Box<Self>, generation: Option<u64>) -> Result<()>;
}

/// What a database answered.
#[derive(Debug)]
pub enum StoreError {
    Sqlite(rusqlite::Error),
    Postgres(tokio_postgres::Error),
    /// The action lost against other writers too often.
    Contention,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(error) => write!(f, "{error}"),
            // Its own text is "db error"; the server's words are in its source.
            Self::Postgres(error) => match error.as_db_error() {
                Some(told) => write!(f, "{} ({})", told.message(), told.code().code()),
                None => write!(f, "{error}"),
            },
            Self::Contention => write!(f, "other servers changed it at every attempt"),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Sqlite(error) => error.source(),
            Self::Postgres(error) if error.as_db_error().is_none() => error.source(),
            Self::Postgres(_) | Self::Contention => None,
        }
    }
}
