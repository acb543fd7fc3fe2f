//! Buckets, objects and multipart uploads: an index in SQLite, bytes in files.
//!
//! ```text
//! bucket(name, account, region, created_ms, policy, tags)   setting(bucket, name, document)
//! object(bucket, key, file, size, etag, modified_ms, head)
//! upload(id, bucket, key, started_ms, head)   part(upload, number, file, size, etag, modified_ms, checksums)
//! ```
//!
//! Keys are ordered by their UTF-8 bytes, as S3 lists them. Calls block; they
//! take milliseconds, a synced write among them.
//!
//! Invariants: a file is written once, before its row, and belongs to one row; it
//! goes when its row has gone. Readers that have it open keep it.

mod bucket;
mod error;
mod expire;
mod list;
mod object;
mod setting;
mod upload;
mod write;

pub use bucket::Bucket;
pub(crate) use error::file;
pub use error::{Error, Result};
pub(crate) use list::rolled_up;
pub use list::{Listed, Page};
pub use object::{Head, Object, Unless};
pub use setting::Setting;
pub use upload::{Part, Upload, Wanted};
pub use write::Writing;

use error::index;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS bucket (
    name TEXT PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL, created_ms INTEGER NOT NULL,
    policy TEXT, tags TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS setting (
    bucket TEXT NOT NULL, name TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (bucket, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS object (
    bucket TEXT NOT NULL, key TEXT NOT NULL, file TEXT NOT NULL, size INTEGER NOT NULL,
    etag TEXT NOT NULL, modified_ms INTEGER NOT NULL, head TEXT NOT NULL,
    PRIMARY KEY (bucket, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS upload (
    id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL, started_ms INTEGER NOT NULL, head TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS part (
    upload TEXT NOT NULL, number INTEGER NOT NULL, file TEXT NOT NULL, size INTEGER NOT NULL,
    etag TEXT NOT NULL, modified_ms INTEGER NOT NULL, checksums TEXT,
    PRIMARY KEY (upload, number)
) WITHOUT ROWID;
";

/// The version of [`SCHEMA`]; kept in the file, so that a newer one is refused.
const VERSION: i64 = 2;

/// Everything in one folder.
pub struct Store {
    folder: PathBuf,
    index: Mutex<Connection>,
}

/// A file that was written and synced, on its way into the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its name in the store.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// MD5 of the bytes, in hexadecimal, or what multipart uploads have.
    pub etag: String,
}

impl Store {
    /// Opens or makes the store in this folder, and removes what a crash left.
    pub fn open(folder: &Path) -> Result<Self> {
        let files = folder.join("files");
        fs::create_dir_all(&files).map_err(file("make the folder of"))?;
        let connection = Connection::open(folder.join("index.sqlite")).map_err(index("open"))?;
        connection.pragma_update(None, "journal_mode", "WAL").map_err(index("prepare"))?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(index("prepare"))?;
        let version: i64 =
            connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(index("read"))?;
        if version > VERSION {
            let message = format!("it is of version {version}, and this version of Weir reads {VERSION}");
            return Err(Error::File { operation: "open", source: std::io::Error::other(message) });
        }
        connection.execute_batch(SCHEMA).map_err(index("prepare"))?;
        if version == 1 {
            let sql = "ALTER TABLE part ADD COLUMN checksums TEXT";
            connection.execute_batch(sql).map_err(index("prepare"))?;
        }
        connection.pragma_update(None, "user_version", VERSION).map_err(index("prepare"))?;
        let store = Self { folder: folder.to_owned(), index: Mutex::new(connection) };
        store.remove_orphans()?;
        Ok(store)
    }

    /// Removes everything. For emulator mode.
    pub fn clear(&self) -> Result<()> {
        self.transact(|tx| {
            tx.execute_batch("DELETE FROM part; DELETE FROM upload; DELETE FROM object; DELETE FROM setting; DELETE FROM bucket")
                .map_err(index("clear"))
        })?;
        self.remove_orphans()
    }

    /// The path for a new file of this name; its folder is made.
    pub fn new_file(&self, name: &str) -> Result<PathBuf> {
        let path = self.path(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(file("make the folder of"))?;
        }
        Ok(path)
    }

    /// Where the file of an object or a part lies: `files/ab/abcdef…`.
    pub fn path(&self, name: &str) -> PathBuf {
        let shard = name.get(..2).unwrap_or("__");
        self.folder.join("files").join(shard).join(name)
    }

    /// A name that no file has.
    pub fn new_name() -> Result<String> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| Error::File {
            operation: "name",
            source: std::io::Error::other(error.to_string()),
        })?;
        Ok(hex::encode(random))
    }

    /// Removes a file that did not get into the index, or has left it.
    pub fn discard(&self, name: &str) {
        if let Err(error) = fs::remove_file(self.path(name)) {
            tracing::warn!(%error, name, "an object's file stays until the next start");
        }
    }

    fn transact<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let mut connection = self.lock();
        let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let transaction = begun.map_err(index("change"))?;
        let done = work(&transaction)?;
        transaction.commit().map_err(index("commit to"))?;
        Ok(done)
    }

    /// A panic of another thread in a transaction undid it.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Only while nobody writes: at the start, and when all is cleared.
    fn remove_orphans(&self) -> Result<()> {
        let named: HashSet<String> = {
            let connection = self.lock();
            let mut query = connection
                .prepare("SELECT file FROM object UNION SELECT file FROM part")
                .map_err(index("read"))?;
            let rows = query.query_map([], |row| row.get(0)).map_err(index("read"))?;
            rows.collect::<std::result::Result<_, _>>().map_err(index("read"))?
        };
        let listing = file("list");
        for shard in fs::read_dir(self.folder.join("files")).map_err(&listing)? {
            for entry in fs::read_dir(shard.map_err(&listing)?.path()).map_err(&listing)? {
                let entry = entry.map_err(&listing)?;
                if entry.file_name().to_str().is_none_or(|name| !named.contains(name)) {
                    fs::remove_file(entry.path()).map_err(file("remove"))?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
