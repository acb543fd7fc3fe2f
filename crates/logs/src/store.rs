//! The handle, its options, and the upkeep.

use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::commit::{Committer, Reply, Request};
use crate::error::{LogsError, StoreError};
use crate::files::{Files, Folder, Memory};
use crate::index::{State, kept_from};
use crate::limits::MAX_EVENT_BYTES;
use crate::listen::Listener;
use crate::record::{Document, GroupMeta, Record};
use crate::recover::recover;
use crate::segment::{Background, Bell, Cache};
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
    /// Length at which the next log file is started, bytes: about as much is
    /// kept as it was written before it goes to a segment. At most 1 GiB; a
    /// larger value counts as that.
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
/// Closing needs no care: everything acknowledged is on disk already. A store
/// in a folder moves what is left in its log files to segments when it is
/// closed, so that it opens quickly again.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
    _open: Option<Arc<Open>>,
}

pub(crate) struct Inner {
    pub committer: Committer,
    pub listeners: RwLock<Vec<Arc<dyn Listener>>>,
    pub options: StoreOptions,
    pub files: Arc<dyn Files>,
    /// Held by whoever makes or removes segments.
    pub upkeep: Mutex<()>,
    /// Numbers of segments are not used twice while the store is open.
    pub next_segment: AtomicU64,
    pub cache: Cache,
    /// Export tasks that this process runs.
    pub exports: Mutex<HashSet<String>>,
}

/// With fewer events in the log files it is not worth a segment to close them.
const CLOSED_FROM: u64 = 10_000;

/// The end of a store in a folder: when the last handle goes, the thread is
/// stopped, and with it the last use of the folder.
struct Open {
    background: Option<Background>,
    inner: Arc<Inner>,
}

impl Drop for Open {
    fn drop(&mut self) {
        drop(self.background.take());
        self.inner.close();
    }
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
    /// log. Takes time in proportion to the bytes in the log files.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_with(dir, StoreOptions::default())
    }

    /// [`Store::open`] with options.
    pub fn open_with(dir: impl AsRef<Path>, options: StoreOptions) -> Result<Self, StoreError> {
        let bell = Arc::new(Bell::default());
        let files = Arc::new(Folder::open(dir.as_ref())?);
        let Self { inner, .. } = Self::open_told(files, options, Some(bell.clone()))?;
        // What an older version, or a crash, left in log files.
        bell.wake();
        let background = Background::start(bell, Arc::downgrade(&inner));
        let open = Open { background: Some(background), inner: inner.clone() };
        Ok(Self { inner, _open: Some(Arc::new(open)) })
    }

    /// A store without files, empty at first and lost at the end. The same
    /// code runs over it, so it behaves the same.
    pub fn in_memory() -> Self {
        let files: Arc<dyn Files> = Arc::new(Memory::default());
        let options = StoreOptions::default();
        let wal = Wal::new(files.clone(), options.file_bytes, None);
        Self::new(State::new(files.clone()), wal, options, files, None)
    }

    /// Without a thread: segments are made when they are asked for.
    #[cfg(test)]
    pub(crate) fn open_on(files: Arc<dyn Files>, options: StoreOptions) -> Result<Self, StoreError> {
        Self::open_told(files, options, None)
    }

    fn open_told(
        files: Arc<dyn Files>,
        options: StoreOptions,
        bell: Option<Arc<Bell>>,
    ) -> Result<Self, StoreError> {
        let file_bytes = options.file_bytes.min(1 << 30);
        let (state, wal) = recover(files.clone(), file_bytes)?;
        Ok(Self::new(state, wal, options, files, bell))
    }

    fn new(
        state: State,
        wal: Wal,
        options: StoreOptions,
        files: Arc<dyn Files>,
        bell: Option<Arc<Bell>>,
    ) -> Self {
        let next_segment = state.segments.keys().next_back().map_or(1, |id| id + 1);
        let inner = Inner {
            committer: Committer::new(state, wal, bell),
            listeners: RwLock::default(),
            options,
            files,
            upkeep: Mutex::default(),
            next_segment: AtomicU64::new(next_segment),
            cache: Cache::default(),
            exports: Mutex::default(),
        };
        Self { inner: Arc::new(inner), _open: None }
    }

    /// Moves the events that are still in the log files to segments, as it is
    /// done in the background and when the store is closed, and waits for it.
    pub fn flush(&self) -> Result<(), LogsError> {
        self.inner.flush_all()?;
        self.inner.merge()
    }

    /// Removes every group and every document (policies, query definitions,
    /// destinations, export tasks) of every account: the emulator's reset.
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

    /// Moves what is left in the log files to segments, if it is enough for
    /// that. For the end of a server, which may not see the last handle go.
    pub fn close(&self) {
        self.inner.close();
    }

    /// Applies retention for good, removes log files and segments that hold no
    /// event any more, and has a log file that has been written to for an hour
    /// turned into segments. Call it every few minutes; reads do not depend on it,
    /// because they leave out expired events themselves.
    ///
    /// A file goes as a whole: it stays while any of its events is kept. The
    /// newest log file always stays. A segment has the events of one day; one of
    /// several groups or streams of which most are gone is written anew.
    pub fn maintain(&self, now: UnixMillis) -> Result<Maintained, LogsError> {
        if self.inner.committer.has_background() {
            self.inner.rotate_old(now)?;
        }
        let upkeep = lock(&self.inner.upkeep);
        let mut done = Maintained::default();
        let counts = |state: &State| state.files.values().map(|file| file.live).sum::<u64>();
        let before = counts(&self.state());
        let expired = self.change(move |state| {
            let mut changed = Vec::new();
            for group in state.groups.values().filter(|g| g.meta.retention_days.is_some()) {
                let kept_from = kept_from(group.meta.retention_days, now);
                let mut streams = group.streams.values().filter_map(|id| state.streams.get(id));
                let in_log = streams.any(|s| s.entries.first().is_some_and(|e| e.timestamp < kept_from));
                if in_log || expires_in_segments(state, &group.meta, kept_from) {
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

        self.inner.cache.clear();
        let dropped = self.inner.drop_segments()?;
        done.expired_events += dropped.rows;
        done.removed_files += dropped.segments;
        done.freed_bytes += dropped.bytes;

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
        drop(upkeep);
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
        self.inner.change(change)
    }
}

impl Inner {
    fn close(&self) {
        let held: u64 = read_lock(&self.committer.state).files.values().map(|file| file.live).sum();
        if held >= CLOSED_FROM
            && let Err(error) = self.flush_all()
        {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "log events stay in the log files; the next start reads them from there"
            );
        }
    }

    pub fn change(
        &self,
        change: impl FnOnce(&State) -> Result<Vec<Record>, LogsError> + Send + 'static,
    ) -> Result<Vec<Record>, LogsError> {
        match self.committer.submit(Request::Change(Box::new(change)))? {
            Reply::Changed(records) => Ok(records),
            Reply::Put(_) => Ok(Vec::new()),
        }
    }
}

/// Whether a segment has events of the group that are expired now and were not before.
fn expires_in_segments(state: &State, group: &GroupMeta, kept_from: i64) -> bool {
    let parts = state.segments.values().filter_map(|segment| segment.meta.part(group.id));
    parts.filter(|part| part.first < kept_from).any(|part| {
        let until = kept_from.min(part.last.saturating_add(1));
        !group.expired.iter().any(|&(before, sequence)| before >= until && sequence > part.last_sequence)
    })
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
