//! SQLite: a file, or memory.
//!
//! Write-ahead logging with `synchronous = FULL`: a commit is on the disk.
//! Readers have connections of their own and wait for nobody; writers wait for
//! each other in `writer`. Memory has one connection, so there everybody waits.

use super::store::{Again, Mode, Session, Store, StoreError};
use crate::error::{ControlError, Result};
use rusqlite::{Connection, ErrorCode, Statement, params_from_iter};
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Connections to a file, at most.
const CONNECTIONS: usize = 16;

/// How long a writer waits for another process.
const BUSY: Duration = Duration::from_secs(10);

pub(super) struct Sqlite {
    /// `None`: memory, with one connection that is there from the beginning.
    path: Option<PathBuf>,
    pool: Mutex<Pool>,
    returned: Condvar,
    writer: Mutex<()>,
}

struct Pool {
    idle: Vec<Connection>,
    open: usize,
}

impl Sqlite {
    pub(super) fn file(path: &Path) -> Result<Self> {
        Ok(Self::new(Some(path.to_owned()), connect(Some(path))?))
    }

    pub(super) fn memory() -> Result<Self> {
        Ok(Self::new(None, connect(None)?))
    }

    fn new(path: Option<PathBuf>, first: Connection) -> Self {
        let pool = Mutex::new(Pool { idle: vec![first], open: 1 });
        Self { path, pool, returned: Condvar::new(), writer: Mutex::new(()) }
    }

    fn take(&self) -> Result<Connection> {
        let mut pool = lock(&self.pool);
        loop {
            if let Some(connection) = pool.idle.pop() {
                return Ok(connection);
            }
            if let Some(path) = self.path.as_deref().filter(|_| pool.open < CONNECTIONS) {
                pool.open += 1;
                drop(pool);
                return connect(Some(path)).inspect_err(|_| lock(&self.pool).open -= 1);
            }
            pool = self.returned.wait(pool).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn give_back(&self, connection: Connection) {
        lock(&self.pool).idle.push(connection);
        self.returned.notify_one();
    }
}

fn connect(path: Option<&Path>) -> Result<Connection> {
    let failed = |operation| move |source| state_error(operation, source);
    let connection = match path {
        Some(path) => Connection::open(path),
        None => Connection::open_in_memory(),
    };
    let connection = connection.map_err(failed("open"))?;
    connection.busy_timeout(BUSY).map_err(failed("prepare"))?;
    connection.pragma_update(None, "journal_mode", "WAL").map_err(failed("prepare"))?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(failed("prepare"))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

impl Store for Sqlite {
    fn begin(&self, mode: Mode) -> Result<Box<dyn Session + '_>> {
        let writer = (mode != Mode::Optimistic).then(|| lock(&self.writer));
        let connection = self.take()?;
        // From here on the connection goes back when the attempt is dropped.
        let attempt = Attempt {
            store: self,
            connection: Some(connection),
            again: Cell::new(None),
            is_open: Cell::new(false),
            _writer: writer,
        };
        let begin = match mode {
            Mode::Optimistic => "BEGIN DEFERRED",
            Mode::Exclusive | Mode::Migration => "BEGIN IMMEDIATE",
        };
        attempt.run("begin a transaction on", |sql| sql.execute_batch(begin))?;
        attempt.is_open.set(true);
        Ok(Box::new(attempt))
    }
}

struct Attempt<'a> {
    store: &'a Sqlite,
    /// `None` only while it is dropped.
    connection: Option<Connection>,
    again: Cell<Option<Again>>,
    is_open: Cell<bool>,
    _writer: Option<MutexGuard<'a, ()>>,
}

impl Attempt<'_> {
    fn run<T>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T> {
        let Some(connection) = &self.connection else {
            return Err(ControlError::State { operation, source: StoreError::Contention });
        };
        work(connection).map_err(|source| {
            // Another connection writes or wrote: also SQLITE_BUSY_SNAPSHOT.
            if source.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) {
                self.again.set(Some(Again::Conflict));
            }
            state_error(operation, source)
        })
    }
}

fn each_row(
    query: &mut Statement<'_>,
    values: &[Option<&str>],
    row: &mut dyn FnMut(&[&str]) -> Result<()>,
) -> rusqlite::Result<Result<()>> {
    let width = query.column_count();
    let mut rows = query.query(params_from_iter(values))?;
    while let Some(found) = rows.next()? {
        let columns = (0..width).map(|place| Ok(found.get_ref(place)?.as_str()?));
        let columns: Vec<&str> = columns.collect::<rusqlite::Result<_>>()?;
        if let Err(error) = row(&columns) {
            return Ok(Err(error));
        }
    }
    Ok(Ok(()))
}

impl Session for Attempt<'_> {
    fn query(
        &self,
        sql: &str,
        values: &[Option<&str>],
        row: &mut dyn FnMut(&[&str]) -> Result<()>,
    ) -> Result<()> {
        self.run("read", |connection| each_row(&mut *connection.prepare_cached(sql)?, values, row))?
    }

    fn execute(&self, sql: &str, values: &[Option<&str>]) -> Result<u64> {
        let changed = self.run("write to", |connection| {
            connection.prepare_cached(sql)?.execute(params_from_iter(values))
        })?;
        Ok(changed as u64)
    }

    fn batch(&self, sql: &str) -> Result<()> {
        self.run("write to", |connection| connection.execute_batch(sql))
    }

    /// SQLite takes its lock with the first write by itself.
    fn before_write(&self) -> Result<()> {
        Ok(())
    }

    fn again(&self) -> Option<Again> {
        self.again.get()
    }

    fn commit(self: Box<Self>, _: Option<u64>) -> Result<()> {
        self.run("commit to", |connection| connection.execute_batch("COMMIT"))?;
        self.is_open.set(false);
        Ok(())
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        // An error that ended the transaction leaves nothing to undo.
        if self.is_open.get()
            && !connection.is_autocommit()
            && let Err(error) = connection.execute_batch("ROLLBACK")
        {
            tracing::warn!(%error, "a transaction could not be undone; its connection is closed");
            lock(&self.store.pool).open -= 1;
            self.store.returned.notify_one();
            return;
        }
        self.store.give_back(connection);
    }
}

fn state_error(operation: &'static str, source: rusqlite::Error) -> ControlError {
    ControlError::State { operation, source: StoreError::Sqlite(source) }
}

/// A panic of another thread in a transaction undid it; what is locked is sound.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
