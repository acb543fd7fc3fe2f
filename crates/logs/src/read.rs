//! Message text from the log files; `segment` reads that of segments.
//!
//! Entries are taken, with their files, under the index's lock and read after
//! it is released: a removed file stays readable through its handle.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use crate::error::LogsError;
use crate::files::LogFile;
use crate::index::{Entry, State};
use crate::limits::{MAX_PAGE_BYTES, MAX_PAGE_EVENTS};
use crate::record::{EVENT_HEADER, message};

/// Bytes between two events that are read rather than skipped.
const GAP: u64 = 4096;
const MAX_READ: u64 = 1 << 20;

/// The end of a page: counts events and bytes as they are added.
pub(crate) struct PageSize {
    events_left: usize,
    bytes_left: usize,
    empty: bool,
}

impl PageSize {
    pub fn new(limit: Option<i64>) -> Self {
        let limit = limit.and_then(|n| usize::try_from(n).ok()).unwrap_or(MAX_PAGE_EVENTS);
        Self { events_left: limit, bytes_left: MAX_PAGE_BYTES, empty: true }
    }

    /// Whether an event of so many bytes, as AWS counts them, still fits; the
    /// first one always does.
    pub fn take(&mut self, bytes: usize) -> bool {
        if self.events_left == 0 || (bytes > self.bytes_left && !self.empty) {
            return false;
        }
        self.events_left -= 1;
        self.bytes_left = self.bytes_left.saturating_sub(bytes);
        self.empty = false;
        true
    }
}

/// Entries with the files that they point into.
pub(crate) struct Located {
    entries: Vec<Entry>,
    files: HashMap<u32, Arc<dyn LogFile>>,
}

impl Located {
    pub fn new(state: &State, entries: Vec<Entry>) -> Self {
        let mut files = HashMap::new();
        for entry in &entries {
            if let Some(live) = state.files.get(&entry.file) {
                files.entry(entry.file).or_insert_with(|| live.file.clone());
            }
        }
        Self { entries, files }
    }

    /// The entries' messages, in the entries' order. Each is checked against
    /// its sum: an error, never a wrong text.
    pub fn read(self) -> Result<Vec<(Entry, String)>, LogsError> {
        let Self { entries, files } = self;
        let mut order: Vec<usize> = (0..entries.len()).collect();
        order.sort_unstable_by_key(|&i| (entries[i].file, entries[i].offset));
        let mut texts: Vec<String> = vec![String::new(); entries.len()];
        let mut bytes = Vec::new();
        let mut rest = order.as_slice();
        while let Some(&first) = rest.first() {
            let start = u64::from(entries[first].offset);
            let number = entries[first].file;
            let mut end = end_of(&entries[first]);
            let more = rest[1..].iter().take_while(|&&i| {
                let entry = &entries[i];
                let joins = entry.file == number
                    && u64::from(entry.offset) <= end + GAP
                    && end_of(entry) - start <= MAX_READ;
                if joins {
                    end = end.max(end_of(entry));
                }
                joins
            });
            let (run, after) = rest.split_at(1 + more.count());
            rest = after;
            let file = files.get(&number).ok_or_else(|| damaged(number, start))?;
            bytes.resize((end - start) as usize, 0);
            file.read_at(&mut bytes, start).map_err(LogsError::read)?;
            for &i in run {
                let Entry { timestamp, offset, length, .. } = entries[i];
                let at = (u64::from(offset) - start) as usize;
                let text = message(&bytes[at..], timestamp, length);
                texts[i] = text.ok_or_else(|| damaged(number, offset.into()))?.to_owned();
            }
        }
        Ok(entries.into_iter().zip(texts).collect())
    }
}

fn end_of(entry: &Entry) -> u64 {
    u64::from(entry.offset) + EVENT_HEADER as u64 + u64::from(entry.length)
}

fn damaged(file: u32, offset: u64) -> LogsError {
    let text =
        format!("{} is damaged at byte {offset}: not the event that was stored", crate::wal::file_name(file));
    LogsError::read(io::Error::new(io::ErrorKind::InvalidData, text))
}
