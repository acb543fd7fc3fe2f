//! Closed log files to segments.

use super::encode::Row;
use super::writer::Writer;
use super::{SegmentMeta, file_name};
use crate::error::LogsError;
use crate::files::LogFile;
use crate::index::{Entry, State};
use crate::limits::DAY_MS;
use crate::record::{Record, SegmentsChange, message};
use crate::store::{Inner, lock, read_lock};
use crate::wal;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use weir_types::time::UnixMillis;

/// A group with fewer events of a day in what is flushed shares a segment with others.
pub(super) const OWN_ROWS: u64 = if cfg!(test) { 5 } else { 8192 };
/// Log files that are flushed together.
const FLUSHED_BYTES: u64 = 64 << 20;

/// A log file that is not full is flushed when its first event has been in it for so long.
const FLUSHED_AFTER_MS: i64 = 3_600_000;

/// An event of a log file. Sorted in the order of segments, and in them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Moving {
    day: i64,
    /// The group if it has a segment of its own, otherwise 0.
    segment: u64,
    group: u64,
    timestamp: i64,
    sequence: u64,
    stream: u64,
    ingestion: i64,
    file: u32,
    offset: u32,
    length: u32,
}

impl Inner {
    /// Turns every closed log file into segments. Readers and writers go on
    /// meanwhile; what fails is as it was before, and may be tried again.
    pub fn flush(&self) -> Result<(), LogsError> {
        let upkeep = lock(&self.upkeep);
        while self.flush_some()? {}
        drop(upkeep);
        Ok(())
    }

    /// Closes the log file that is written to and flushes it too.
    pub fn flush_all(&self) -> Result<(), LogsError> {
        self.committer.rotate()?;
        self.flush()
    }

    /// Closes the log file that is written to if it has had events for long
    /// enough; whether it did. Without it the events of a quiet store would stay
    /// in a log file until it is full.
    pub fn rotate_old(&self, now: UnixMillis) -> Result<bool, LogsError> {
        let state = read_lock(&self.committer.state);
        let newest = state.files.values().next_back();
        let is_old = newest.filter(|file| file.live > 0).and_then(|file| file.since);
        let is_old = is_old.is_some_and(|since| now.0.saturating_sub(since) >= FLUSHED_AFTER_MS);
        drop(state);
        if is_old {
            self.committer.rotate()?;
        }
        Ok(is_old)
    }

    fn flush_some(&self) -> Result<bool, LogsError> {
        let (files, mut moving, streams) = closed(&read_lock(&self.committer.state))?;
        if files.is_empty() {
            return Ok(false);
        }
        let mut bytes = HashMap::new();
        for (number, file) in &files {
            let mut all = vec![0; file.len().map_err(LogsError::read)? as usize];
            file.read_at(&mut all, 0).map_err(LogsError::read)?;
            bytes.insert(*number, all);
        }
        let mut of_day: HashMap<(i64, u64), u64> = HashMap::new();
        moving.iter().for_each(|event| *of_day.entry((event.day, event.group)).or_default() += 1);
        for event in &mut moving {
            if of_day.get(&(event.day, event.group)).is_some_and(|&rows| rows >= OWN_ROWS) {
                event.segment = event.group;
            }
        }
        moving.sort_unstable();

        let mut change = SegmentsChange {
            flushed: files.iter().map(|(number, _)| *number).collect(),
            ..SegmentsChange::default()
        };
        let mut gained: BTreeMap<u64, i64> = BTreeMap::new();
        for events in moving.chunk_by(|a, b| (a.day, a.segment) == (b.day, b.segment)) {
            match self.write_segment(events, &bytes, &streams, &mut gained) {
                Ok(added) => change.added.extend(added),
                Err(error) => {
                    self.discard(&change.added);
                    return Err(error);
                }
            }
        }
        drop(bytes);
        change.streams = gained.into_iter().collect();
        let (added, flushed) = (change.added.clone(), change.flushed.clone());
        let done = self.change(move |_| {
            let gone = Record::FilesGone(change.flushed.clone());
            Ok(vec![Record::Segments(change), gone])
        });
        if let Err(error) = done {
            self.discard(&added);
            return Err(error);
        }
        // The log says that they are gone: if removal fails, the next open does it.
        for number in flushed {
            self.files.remove(&wal::file_name(number)).map_err(LogsError::write)?;
        }
        Ok(true)
    }

    fn write_segment(
        &self,
        events: &[Moving],
        bytes: &HashMap<u32, Vec<u8>>,
        streams: &HashMap<u64, usize>,
        gained: &mut BTreeMap<u64, i64>,
    ) -> Result<Option<SegmentMeta>, LogsError> {
        let Some(first) = events.first() else { return Ok(None) };
        let id = self.next_segment.fetch_add(1, Ordering::Relaxed);
        let write = || {
            let mut writer = Writer::new(self.files.as_ref(), id, first.day)?;
            let mut group = None;
            for event in events {
                if group.replace(event.group) != Some(event.group) {
                    let streams = streams.get(&event.group).copied().unwrap_or(1);
                    writer.group(event.group, streams)?;
                }
                let bytes = bytes.get(&event.file).and_then(|bytes| bytes.get(event.offset as usize..));
                let text = bytes.and_then(|bytes| message(bytes, event.timestamp, event.length));
                let text = text.ok_or_else(|| {
                    let file = self.files.path(&wal::file_name(event.file));
                    let text =
                        format!("{file} is damaged at byte {}: not the event that was stored", event.offset);
                    io::Error::new(io::ErrorKind::InvalidData, text)
                })?;
                let Moving { stream, timestamp, sequence, ingestion, .. } = *event;
                writer.push(Row { stream, timestamp, sequence, ingestion, start: 0, length: 0 }, text)?;
            }
            writer.finish()
        };
        let Some((meta, parts)) = write().map_err(LogsError::write)? else { return Ok(None) };
        for part in parts {
            *gained.entry(part.id).or_default() += part.bytes as i64;
        }
        Ok(Some(meta))
    }

    /// Removes segments that nothing names; what stays is removed at open.
    pub(super) fn discard(&self, segments: &[SegmentMeta]) {
        for segment in segments {
            if let Err(error) = self.files.remove(&file_name(segment.id)) {
                tracing::warn!(%error, segment = segment.id, "could not remove an unfinished log segment");
            }
        }
    }
}

type Closed = (Vec<(u32, Arc<dyn LogFile>)>, Vec<Moving>, HashMap<u64, usize>);

/// The oldest closed log files, their events, and how many streams each group has in them.
fn closed(state: &State) -> Result<Closed, LogsError> {
    let newest = state.files.keys().next_back().copied();
    let mut files: Vec<(u32, Arc<dyn LogFile>)> = Vec::new();
    let mut bytes = 0;
    for (number, live) in state.files.iter().filter(|(number, _)| Some(**number) != newest) {
        bytes += live.file.len().map_err(LogsError::read)?;
        if bytes > FLUSHED_BYTES && !files.is_empty() {
            break;
        }
        files.push((*number, live.file.clone()));
    }
    let numbers: HashSet<u32> = files.iter().map(|(number, _)| *number).collect();
    let mut moving = Vec::new();
    let mut streams: HashMap<u64, usize> = HashMap::new();
    for stream in state.streams.values().filter(|_| !numbers.is_empty()) {
        let before = moving.len();
        let of_files = stream.entries.iter().filter(|entry| numbers.contains(&entry.file));
        moving.extend(of_files.map(|entry| {
            let Entry { timestamp, ingestion, sequence, file, offset, length } = *entry;
            Moving {
                day: timestamp.div_euclid(DAY_MS),
                segment: 0,
                group: stream.meta.group,
                timestamp,
                sequence,
                stream: stream.meta.id,
                ingestion,
                file,
                offset,
                length,
            }
        }));
        if moving.len() > before {
            *streams.entry(stream.meta.group).or_default() += 1;
        }
    }
    Ok((files, moving, streams))
}
