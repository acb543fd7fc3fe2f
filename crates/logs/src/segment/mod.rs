//! Segments: immutable files of events, column by column, for what no longer
//! changes. The log files (`wal`) hold what came last.
//!
//! ```text
//! closed log file ─ flush ─▶ segments of a day: one a large group, one for all small ones ─ merge ─▶ fewer, larger ones
//!
//! segment  "WEIRSEG" | u8 version | block* | footer | u32 its length | u32 its crc32 | "WEIRSEGF"
//! block    rows of one group and a stretch of time, sorted by stream, timestamp, sequence
//!          runs of streams | timestamps | sequences | ingestion times | head | token columns | pages of text
//! footer   the blocks' bounds, and where their columns are with a crc32 each; what each stream has
//! ```
//!
//! A message that is tokens with one blank between them, as a flow-log record
//! is in any format, is kept as typed columns ([`column`]) and put together
//! again byte for byte; any other is text in compressed pages. Every value is
//! read on its own, so that a page of a stream, a merge over streams and a
//! pattern on two fields each touch what they need.
//!
//! Invariants:
//!
//! - A segment is there when a record of the log says so (`Record::Segments`),
//!   and from the same frame on its events are no longer in the log files. So
//!   after a crash an event is in one place: a file that no record names is
//!   removed at open, and a log file that was flushed is not replayed.
//! - A file is written under another name, fsynced, renamed, and the folder
//!   synced, before that record is written.
//! - Rows of streams and groups that are gone, or that expired, stay in the file
//!   until it is merged or removed; readers leave them out.
//! - A file that is no longer named is removed when its last reader is done.
//!
//! Not Parquet, because of what was measured (`bench/logs`): values on their own
//! make the merged window over streams and patterns on columns several times faster.

mod assemble;
mod background;
mod block;
mod bytes;
mod column;
mod encode;
mod flush;
mod footer;
mod matching;
mod merge;
mod numbers;
mod scan;
mod token;
mod walk;
mod writer;

pub(crate) use background::{Background, Bell};
pub(crate) use block::{Block, Scratch};
pub(crate) use scan::{BlockPart, block_parts};
pub use scan::{Texts, Tokens, TypedEvents, address_token, number_token};
pub(crate) use walk::{Found, Selection, Walk, Wanted};
pub(crate) use writer::TEMPORARY;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use crate::error::LogsError;
use crate::files::{Files, LogFile};
use crate::store::lock;
use block::Placed;
use footer::Footer;

/// What the log says of a segment.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct SegmentMeta {
    pub id: u64,
    /// Length of the file.
    pub bytes: u64,
    /// Days since 1970 of its events' timestamps.
    pub day: i64,
    /// By group.
    pub parts: Vec<Part>,
}

/// The events of one group in a segment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Part {
    pub group: u64,
    pub rows: u64,
    /// Both ends included, as are those of the sequences.
    pub first: i64,
    pub last: i64,
    pub first_sequence: u64,
    pub last_sequence: u64,
}

impl SegmentMeta {
    pub fn rows(&self) -> u64 {
        self.parts.iter().map(|part| part.rows).sum()
    }

    pub fn part(&self, group: u64) -> Option<&Part> {
        self.parts.iter().find(|part| part.group == group)
    }
}

pub(crate) fn file_name(id: u64) -> String {
    format!("segment-{id:010}.seg")
}

/// The number in a segment's name; `None` for other files.
pub(crate) fn file_id(name: &str) -> Option<u64> {
    name.strip_prefix("segment-")?.strip_suffix(".seg")?.parse().ok().filter(|&id| file_name(id) == name)
}

/// A segment that is there. Its file is opened, and its footer read, when
/// somebody asks for them.
pub(crate) struct Segment {
    pub meta: SegmentMeta,
    files: Arc<dyn Files>,
    file: OnceLock<Arc<dyn LogFile>>,
    footer: OnceLock<Footer>,
    /// The log says that it is gone: whoever is last removes the file.
    gone: AtomicBool,
}

impl Segment {
    pub fn new(meta: SegmentMeta, files: Arc<dyn Files>) -> Self {
        Self { meta, files, file: OnceLock::new(), footer: OnceLock::new(), gone: AtomicBool::new(false) }
    }

    /// Removes the file when the last reader is done.
    pub fn remove(&self) {
        self.gone.store(true, Ordering::Relaxed);
    }

    fn file(&self) -> Result<&Arc<dyn LogFile>, LogsError> {
        if let Some(file) = self.file.get() {
            return Ok(file);
        }
        let file = self.files.open(&file_name(self.meta.id)).map_err(LogsError::read)?;
        Ok(self.file.get_or_init(|| file))
    }

    fn footer(&self) -> Result<&Footer, LogsError> {
        if let Some(footer) = self.footer.get() {
            return Ok(footer);
        }
        let footer = footer::read(self.file()?.as_ref(), self.meta.bytes).map_err(LogsError::read)?;
        let footer = footer.ok_or_else(|| self.damaged())?;
        Ok(self.footer.get_or_init(|| footer))
    }

    /// What it has of a stream, as AWS counts bytes.
    #[cfg(test)]
    pub fn stream_bytes(&self, stream: u64) -> u64 {
        self.footer().ok().and_then(|footer| footer.stream(stream)).map_or(0, |part| part.bytes)
    }

    fn damaged(&self) -> LogsError {
        let path = self.files.path(&file_name(self.meta.id));
        let text =
            format!("{path} is damaged: restore it from a backup; its events cannot be read without it");
        LogsError::read(io::Error::new(io::ErrorKind::InvalidData, text))
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        if self.gone.load(Ordering::Relaxed)
            && let Err(error) = self.files.remove(&file_name(self.meta.id))
        {
            // The next open does it.
            tracing::warn!(%error, segment = self.meta.id, "could not remove a log segment that is no longer used");
        }
    }
}

/// The blocks that were read last, so that the next page finds them.
#[derive(Default)]
pub(crate) struct Cache {
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    blocks: HashMap<(u64, usize), Arc<Block>>,
    /// Oldest first.
    order: VecDeque<(u64, usize)>,
}

/// A million flow-log records and more. A block that is opened may grow past it
/// until the next one is opened.
const CACHED_BYTES: usize = 48 << 20;

impl Cache {
    fn block(&self, segment: &Arc<Segment>, index: usize) -> Result<Arc<Block>, LogsError> {
        let key = (segment.meta.id, index);
        if let Some(block) = lock(&self.held).blocks.get(&key) {
            return Ok(block.clone());
        }
        let block = Arc::new(Block::open(segment, index)?);
        let mut held = lock(&self.held);
        if held.blocks.insert(key, block.clone()).is_none() {
            held.order.push_back(key);
        }
        // Blocks grow while they are read: what they have now counts.
        let mut bytes: usize = held.blocks.values().map(|block| block.weight()).sum();
        while bytes > CACHED_BYTES && held.order.len() > 1 {
            let Some(oldest) = held.order.pop_front() else { break };
            if let Some(block) = held.blocks.remove(&oldest) {
                bytes = bytes.saturating_sub(block.weight());
            }
        }
        Ok(block)
    }

    /// Forgets segments that are gone, which frees their files.
    pub fn forget(&self, segments: &[u64]) {
        let mut held = lock(&self.held);
        held.blocks.retain(|(id, _), _| !segments.contains(id));
        held.order.retain(|(id, _)| !segments.contains(id));
    }

    /// Forgets everything: called once in a while, so that an idle store is small.
    pub fn clear(&self) {
        *lock(&self.held) = Held::default();
    }
}
