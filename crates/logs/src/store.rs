//! The handle, its options, and the upkeep.

use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::commit::{Committer, Reply, Request};
use crate::error::{LogsError, StoreError};
use crate::files::{Files, Folder, Memory};
use crate::index::{State, kept_from};
use crate::limits::MAX_EVENT_BYTES;
use crate::listen::Listener;
use crate::record::{Document, Record};
use crate::recover::recover;
use crate::wal::{Wal, file_name};
use weir_types::time::UnixMillis;

/// Whose groups: names are unique within an account and a region.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Scope {
    /// Twelve digits.
    pub account: String,
    pub region: String,
}

impl Scope {
    pub fn new(account: impl Into<String>, region: impl Into<String>) -> Self {
        Self { account: account.into(), region: region.into() }
    }
}

/// What may be set when a store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreOptions {
    /// Length at which the next log file is started, bytes. Disk space comes
    /// back in pieces of this size. At most 1 GiB; a larger value counts as that.
    pub file_bytes: u64,
    /// Most bytes of one event, counted with AWS's 26; 262,144 in AWS's older releases.
    pub max_event_bytes: usize,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { file_bytes: 64 << 20, max_event_bytes: MAX_EVENT_BYTES }
    }
}

/// An open log store. Clones share it; the last one to go closes it.
///
/// Closing needs no care: everything acknowledged is on disk already.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub committer: Committer,
    pub listeners: RwLock<Vec<Arc<dyn Listener>>>,
    pub options: StoreOptions,
    files: Arc<dyn Files>,
}

/// What [`Store::maintain`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Maintained {
    /// Events that retention removed.
    pub expired_events: u64,
    /// Log files removed from the folder.
    pub removed_files: usize,
    /// Their bytes.
    pub freed_bytes: u64,
}

impl Store {
    /// Opens the store in a folder, made if it is not there, and replays its
    /// log. Takes time in proportion to the bytes kept.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_with(dir, StoreOptions::default())
    }

    /// [`Store::open`] with options.
    pub fn open_with(dir: impl AsRef<Path>, options: StoreOptions) -> Result<Self, StoreError> {
        Self::open_on(Arc::new(Folder::open(dir.as_ref())?), options)
    }

    /// A store without files, empty at first and lost at the end. The same
    /// code runs over it, so it behaves the same.
    pub fn in_memory() -> Self {
        let files: Arc<dyn Files> = Arc::new(Memory::default());
        let options = StoreOptions::default();
        let wal = Wal::new(files.clone(), options.file_bytes, None);
        Self::new(State::default(), wal, options, files)
    }

    pub(crate) fn open_on(files: Arc<dyn Files>, options: StoreOptions) -> Result<Self, StoreError> {
        let file_bytes = options.file_bytes.min(1 << 30);
        let (state, wal) = recover(files.clone(), file_bytes)?;
        Ok(Self::new(state, wal, options, files))
    }

    fn new(state: State, wal: Wal, options: StoreOptions, files: Arc<dyn Files>) -> Self {
        Self {
            inner: Arc::new(Inner {
                committer: Committer::new(state, wal),
                listeners: RwLock::default(),
                options,
                files,
            }),
        }
    }

    /// Removes every group, policy and query definition of every account: the emulator's reset.
    pub fn clear(&self) -> Result<(), LogsError> {
        self.change(|state| {
            let documents = state.documents.keys().map(|(scope, kind, id)| {
                let (scope, kind, id) = (scope.clone(), kind.clone(), id.clone());
                Record::Document(Document { scope, kind, id, value: None })
            });
            Ok(state.groups.keys().map(|id| Record::GroupGone(*id)).chain(documents).collect())
        })?;
        Ok(())
    }

    /// Applies retention for good and removes log files that hold no event any
    /// more. Call it every few minutes; reads do not depend on it, because
    /// they leave out expired events themselves.
    ///
    /// A file goes as a whole: it stays while any of its events is kept. The
    /// newest file always stays.
    pub fn maintain(&self, now: UnixMillis) -> Result<Maintained, LogsError> {
        let mut done = Maintained::default();
        let counts = |state: &State| state.files.values().map(|file| file.live).sum::<u64>();
        let before = counts(&self.state());
        let expired = self.change(move |state| {
            let mut changed = Vec::new();
            for group in state.groups.values().filter(|g| g.meta.retention_days.is_some()) {
                let kept_from = kept_from(group.meta.retention_days, now);
                let mut streams = group.streams.values().filter_map(|id| state.streams.get(id));
                if streams.any(|s| s.entries.first().is_some_and(|e| e.timestamp < kept_from)) {
                    let mut meta = group.meta.clone();
                    meta.expire(kept_from, state.next_sequence);
                    changed.push(Record::Group(meta));
                }
            }
            Ok(changed)
        })?;
        if !expired.is_empty() {
            // Other writers may have added events meanwhile: a figure for people.
            done.expired_events = before.saturating_sub(counts(&self.state()));
        }

        let gone = self.change(|state| {
            let newest = state.files.keys().next_back();
            let empty = state.files.iter().filter(|(n, file)| file.live == 0 && Some(*n) != newest);
            let gone: Vec<u32> = empty.map(|(n, _)| *n).collect();
            Ok(if gone.is_empty() { Vec::new() } else { vec![Record::FilesGone(gone)] })
        })?;
        // The log says that they are gone: if removal fails, the next open does it.
        for record in gone {
            let Record::FilesGone(numbers) = record else { continue };
            for number in numbers {
                let name = file_name(number);
                let length = self.inner.files.open(&name).and_then(|file| file.len()).unwrap_or(0);
                self.inner.files.remove(&name).map_err(LogsError::write)?;
                done.removed_files += 1;
                done.freed_bytes += length;
            }
        }
        Ok(done)
    }

    pub(crate) fn state(&self) -> RwLockReadGuard<'_, State> {
        read_lock(&self.inner.committer.state)
    }

    /// Makes a change of groups or streams durable; returns what was written.
    pub(crate) fn change(
        &self,
        change: impl FnOnce(&State) -> Result<Vec<Record>, LogsError> + Send + 'static,
    ) -> Result<Vec<Record>, LogsError> {
        match self.inner.committer.submit(Request::Change(Box::new(change)))? {
            Reply::Changed(records) => Ok(records),
            Reply::Put(_) => Ok(Vec::new()),
        }
    }
}

// A thread that panicked while it held a lock did so before or after, not
// during, a change of what the lock guards, or left a log that `Wal` repairs.

pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn read_lock<T: ?Sized>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn write_lock<T: ?Sized>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
