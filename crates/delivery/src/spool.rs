//! The spool: what lies between a closed window and its destination, on disk.
//!
//! ```text
//! <dir>/fl-0123456789abcdef0/001418530080-00c0ffee00c0ffee.spool       window end, part
//!                            001418530140-....7.tmp                    being written
//!                            001418530020-....bad                      torn: set aside, never sent
//! ```
//!
//! A file is written to a temporary name, fsynced, renamed, and its folder is
//! fsynced: it is there whole or not at all, and it never changes. Its name
//! carries flow log, window and part, so that a step that is repeated after a
//! crash overwrites its own work.
//!
//! Calls block on the disk; from async code use them on a blocking thread.
//! One process at a time uses a folder.

mod file;
mod plan;
mod skip;

pub use file::{Event, Header, LineBreak, Skipped, SpoolFile, StreamEvents, Unreadable, part_of};
pub use plan::Plan;

use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use weir_types::id::FlowLogId;

/// Why the spool could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The destination has been unreachable for long: the caller keeps its
    /// counters, or counts what it gives up as skipped.
    #[error("the spool holds {used_bytes} of {max_bytes} bytes and has no room for {needed_bytes} more")]
    Full { used_bytes: u64, max_bytes: u64, needed_bytes: u64 },
    #[error("failed to {operation} {path}")]
    Io { operation: &'static str, path: PathBuf, source: io::Error },
    #[error(transparent)]
    LineBreak(#[from] LineBreak),
}

fn io_error(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SpoolError {
    let path = path.to_owned();
    move |source| SpoolError::Io { operation, path, source }
}

/// The place of a file among its flow log's: windows in order, then parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Key {
    window_end_s: i64,
    part: u64,
}

impl Key {
    fn of(header: &Header) -> Self {
        Self { window_end_s: header.window_end_s, part: header.part }
    }

    /// Windows before 1970 do not occur; the zeros make `ls` sort by time.
    fn file_name(self) -> String {
        format!("{}.spool", self.stem())
    }

    fn stem(self) -> String {
        format!("{:012}-{:016x}", self.window_end_s, self.part)
    }

    fn from_file_name(name: &str) -> Option<Self> {
        let (end, part) = name.strip_suffix(".spool")?.rsplit_once('-')?;
        let key = Self { window_end_s: end.parse().ok()?, part: u64::from_str_radix(part, 16).ok()? };
        (key.file_name() == name).then_some(key)
    }
}

/// What tells a plan of these files from others.
fn part_of_keys(keys: &[Key]) -> u64 {
    let mut hash = Sha256::new();
    for key in keys {
        hash.update(key.stem());
        hash.update(b"\n");
    }
    hash.finalize().iter().take(8).fold(0, |part, &byte| part << 8 | u64::from(byte))
}

/// A file in the spool, as [`Spool::first`] names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolEntry {
    flow_log: FlowLogId,
    key: Key,
    /// Tells it from a file that was written over it since.
    generation: u64,
}

impl SpoolEntry {
    pub fn flow_log(&self) -> &FlowLogId {
        &self.flow_log
    }

    pub fn window_end_s(&self) -> i64 {
        self.key.window_end_s
    }
}

#[derive(Debug, Default)]
struct Index {
    logs: BTreeMap<FlowLogId, BTreeMap<Key, Slot>>,
    /// Files, and what is being written just now.
    bytes: u64,
    generation: u64,
    forgotten: BTreeSet<FlowLogId>,
    /// At most one of a flow log: the files that are sent as one.
    plans: BTreeMap<FlowLogId, Vec<Key>>,
    /// What was given up since the last delivery.
    skipped: BTreeMap<FlowLogId, Skipped>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    generation: u64,
    bytes: u64,
    /// It has nothing left to be skipped.
    is_skipped: bool,
}

impl Index {
    fn slot(&self, flow_log: &FlowLogId, key: Key) -> Option<Slot> {
        self.logs.get(flow_log)?.get(&key).copied()
    }

    fn insert(&mut self, flow_log: &FlowLogId, key: Key, bytes: u64) {
        self.generation += 1;
        let slot = Slot { generation: self.generation, bytes, is_skipped: false };
        let replaced = self.logs.entry(flow_log.clone()).or_default().insert(key, slot);
        self.bytes = (self.bytes + bytes).saturating_sub(replaced.map_or(0, |slot| slot.bytes));
    }

    fn mark_skipped(&mut self, flow_log: &FlowLogId, key: Key) {
        if let Some(slot) = self.logs.get_mut(flow_log).and_then(|files| files.get_mut(&key)) {
            slot.is_skipped = true;
        }
    }

    fn remove(&mut self, flow_log: &FlowLogId, key: Key) {
        let Some(files) = self.logs.get_mut(flow_log) else { return };
        if let Some(slot) = files.remove(&key) {
            self.bytes = self.bytes.saturating_sub(slot.bytes);
        }
        if files.is_empty() {
            self.logs.remove(flow_log);
        }
    }
}

/// The spool folder of one agent.
#[derive(Debug)]
pub struct Spool {
    dir: PathBuf,
    max_bytes: u64,
    index: Mutex<Index>,
    changed: Notify,
    /// Changes of the disk until the process "dies"; below zero it is dead.
    #[cfg(test)]
    pub(crate) steps_to_live: std::sync::atomic::AtomicI64,
}

impl Spool {
    /// Opens the folder, or makes it. What a crash left half-written goes;
    /// files that are not the spool's own are set aside as `.bad`.
    pub fn open(dir: impl Into<PathBuf>, max_bytes: u64) -> Result<Self, SpoolError> {
        let dir = dir.into();
        fs::create_dir_all(&dir).map_err(io_error("create the spool folder", &dir))?;
        let mut index = Index::default();
        for folder in list(&dir)? {
            let flow_log = folder.file_name().and_then(|name| name.to_str()).and_then(|n| n.parse().ok());
            match flow_log {
                Some(flow_log) if folder.is_dir() => scan(&mut index, &flow_log, &folder)?,
                _ => tracing::warn!(path = %folder.display(), "not a folder of the spool: left alone"),
            }
        }
        Ok(Self {
            dir,
            max_bytes,
            index: Mutex::new(index),
            changed: Notify::new(),
            #[cfg(test)]
            steps_to_live: std::sync::atomic::AtomicI64::new(i64::MAX),
        })
    }

    /// Before each change of the disk. Tests let a process die at any of them.
    #[cfg_attr(not(test), expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "for tests"))]
    fn step(&self, _operation: &'static str, _path: &Path) -> Result<(), SpoolError> {
        #[cfg(test)]
        if self.steps_to_live.fetch_sub(1, std::sync::atomic::Ordering::Relaxed) <= 0 {
            self.steps_to_live.store(0, std::sync::atomic::Ordering::Relaxed);
            let source = io::Error::other("the process died");
            return Err(SpoolError::Io { operation: _operation, path: _path.to_owned(), source });
        }
        Ok(())
    }

    /// Stores a file durably: when this returns `Ok`, a crash does not lose it.
    /// A file of the same flow log, window and part is replaced. A file of a
    /// flow log that was [forgotten](Self::forget) is dropped. When there is no
    /// room, the oldest windows become SKIPDATA.
    pub fn write(&self, file: &SpoolFile) -> Result<(), SpoolError> {
        let Header { flow_log, .. } = &file.header;
        let key = Key::of(&file.header);
        let bytes = file::encode(file)?;
        let size = bytes.len() as u64;
        if self.bytes().saturating_add(size) > self.max_bytes {
            self.make_room(size)?;
        }
        let generation = {
            let mut index = self.lock();
            if index.forgotten.contains(flow_log) {
                return Ok(());
            }
            let replaced = index.slot(flow_log, key).map_or(0, |slot| slot.bytes);
            if (index.bytes + size).saturating_sub(replaced) > self.max_bytes {
                return Err(SpoolError::Full {
                    used_bytes: index.bytes,
                    max_bytes: self.max_bytes,
                    needed_bytes: size,
                });
            }
            index.bytes += size;
            index.generation += 1;
            index.generation
        };
        let folder = self.folder(flow_log);
        let temporary = folder.join(format!("{}.{generation}.tmp", key.file_name()));
        let written = self.write_temporary(&folder, &temporary, &bytes);
        // Under the lock: a publisher that removes the file just replaced must
        // see either the old one or the new one.
        let mut index = self.lock();
        index.bytes = index.bytes.saturating_sub(size);
        let result = if index.forgotten.contains(flow_log) {
            drop(fs::remove_file(&temporary));
            // Made again after it was forgotten; not empty is impossible.
            drop(fs::remove_dir(&folder));
            Ok(())
        } else {
            written.and_then(|()| {
                let path = folder.join(key.file_name());
                self.step("rename a temporary file to", &path)?;
                fs::rename(&temporary, &path).map_err(io_error("rename a temporary file to", &path))?;
                index.insert(flow_log, key, size);
                sync_dir(&folder)
            })
        };
        drop(index);
        if result.is_err() {
            drop(fs::remove_file(&temporary));
        }
        self.changed.notify_one();
        result
    }

    fn write_temporary(&self, folder: &Path, temporary: &Path, bytes: &[u8]) -> Result<(), SpoolError> {
        self.step("write", temporary)?;
        if !folder.is_dir() {
            fs::create_dir_all(folder).map_err(io_error("create", folder))?;
            sync_dir(&self.dir)?;
        }
        let mut out = File::create(temporary).map_err(io_error("create", temporary))?;
        out.write_all(bytes).map_err(io_error("write", temporary))?;
        out.sync_all().map_err(io_error("sync", temporary))
    }

    /// The flow logs that have files, in the order of their ids.
    pub fn flow_logs(&self) -> Vec<FlowLogId> {
        self.lock().logs.keys().cloned().collect()
    }

    /// The file of the flow log's earliest window.
    pub fn first(&self, flow_log: &FlowLogId) -> Option<SpoolEntry> {
        let index = self.lock();
        let (&key, slot) = index.logs.get(flow_log)?.first_key_value()?;
        Some(SpoolEntry { flow_log: flow_log.clone(), key, generation: slot.generation })
    }

    /// The contents of a file. `None` when it is gone, or was unreadable and is
    /// now set aside with a warning: in both cases ask for the first one again.
    pub fn read(&self, entry: &SpoolEntry) -> Result<Option<SpoolFile>, SpoolError> {
        let path = self.path(entry);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut index = self.lock();
                if index.slot(&entry.flow_log, entry.key).is_some_and(|s| s.generation == entry.generation) {
                    index.remove(&entry.flow_log, entry.key);
                }
                return Ok(None);
            }
            Err(source) => return Err(SpoolError::Io { operation: "read", path, source }),
        };
        let in_place =
            |file: &SpoolFile| file.header.flow_log == entry.flow_log && Key::of(&file.header) == entry.key;
        let reason = match file::decode(&bytes) {
            Ok(file) if in_place(&file) => return Ok(Some(file)),
            Ok(_) => Unreadable::Misplaced,
            Err(reason) => reason,
        };
        let mut index = self.lock();
        // Written over in the meantime: then it is the next to be read.
        if index.slot(&entry.flow_log, entry.key).is_some_and(|s| s.generation == entry.generation) {
            set_aside(&path, &reason.to_string())?;
            index.remove(&entry.flow_log, entry.key);
        }
        Ok(None)
    }

    /// Removes a file that was acknowledged, unless it was written again since
    /// it was read.
    pub fn remove(&self, entry: &SpoolEntry) -> Result<(), SpoolError> {
        let mut index = self.lock();
        if index.slot(&entry.flow_log, entry.key).is_none_or(|slot| slot.generation != entry.generation) {
            return Ok(());
        }
        let path = self.path(entry);
        self.step("remove", &path)?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(SpoolError::Io { operation: "remove", path, source: error });
            }
            _ => index.remove(&entry.flow_log, entry.key),
        }
        Ok(())
    }

    /// Drops everything of a flow log that was deleted, and what may still be
    /// written for it: ids are never used again.
    pub fn forget(&self, flow_log: &FlowLogId) -> Result<(), SpoolError> {
        let mut index = self.lock();
        index.forgotten.insert(flow_log.clone());
        if let Some(files) = index.logs.remove(flow_log) {
            let bytes: u64 = files.values().map(|slot| slot.bytes).sum();
            index.bytes = index.bytes.saturating_sub(bytes);
        }
        index.plans.remove(flow_log);
        index.skipped.remove(flow_log);
        let folder = self.folder(flow_log);
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(SpoolError::Io { operation: "remove", path: folder, source: error })
            }
            _ => Ok(()),
        }
    }

    /// Bytes of all files, and of those being written.
    pub fn bytes(&self) -> u64 {
        self.lock().bytes
    }

    /// Waits until a file is written; one written since the last wait counts.
    /// For one waiter, the publisher.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    fn folder(&self, flow_log: &FlowLogId) -> PathBuf {
        self.dir.join(flow_log.as_str())
    }

    fn path(&self, entry: &SpoolEntry) -> PathBuf {
        self.folder(&entry.flow_log).join(entry.key.file_name())
    }

    /// A panic elsewhere leaves the index as true as the last full step.
    fn lock(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn list(dir: &Path) -> Result<Vec<PathBuf>, SpoolError> {
    let entries = fs::read_dir(dir).map_err(io_error("list", dir))?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(io_error("list", dir))?.path());
    }
    paths.sort_unstable();
    Ok(paths)
}

/// Puts the files of one flow log into the index.
fn scan(index: &mut Index, flow_log: &FlowLogId, folder: &Path) -> Result<(), SpoolError> {
    let mut plans = Vec::new();
    for path in list(folder)? {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.ends_with(".tmp") {
            fs::remove_file(&path).map_err(io_error("remove", &path))?;
        } else if let Some(key) = Key::from_file_name(name) {
            let bytes = fs::metadata(&path).map_err(io_error("look at", &path))?.len();
            index.insert(flow_log, key, bytes);
        } else if name.ends_with(".plan") || name.ends_with(".done") {
            plans.push(path);
        } else if !name.ends_with(".bad") {
            set_aside(&path, "its name is not of the spool")?;
        }
    }
    for path in plans {
        plan::recover(index, flow_log, folder, &path)?;
    }
    Ok(())
}

fn set_aside(path: &Path, reason: &str) -> Result<(), SpoolError> {
    let mut bad = path.as_os_str().to_owned();
    bad.push(".bad");
    fs::rename(path, &bad).map_err(io_error("set aside", path))?;
    tracing::warn!(path = %path.display(), reason, "a file in the spool is unreadable: set aside as .bad");
    Ok(())
}

fn sync_dir(dir: &Path) -> Result<(), SpoolError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(io_error("sync", dir))
}

#[cfg(test)]
#[path = "spool_tests.rs"]
mod tests;
