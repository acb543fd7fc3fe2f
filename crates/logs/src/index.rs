//! What is in the log, in memory: groups, streams, where each event lies that is
//! still in the log files, and which segments there are.
//!
//! Changed by [`State::apply`] only, by the same records at replay and after a
//! durable write, so that a reopened store is the store that was closed.
//!
//! Invariants: a stream's entries are sorted by (timestamp, sequence); a file's
//! `live` is the number of entries that point into it.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use crate::error::LogsError;
use crate::files::{Files, LogFile};
use crate::filters::Compiled;
use crate::limits::{DAY_MS, EVENT_OVERHEAD_BYTES};
use crate::record::{BatchHead, Document, EventAt, GroupMeta, Record, Seen, SegmentsChange, StreamMeta};
use crate::segment::Segment;
use crate::store::Scope;
use weir_types::time::UnixMillis;

/// How many `weir:` sequence tokens a stream remembers.
pub(crate) const TOKENS_PER_STREAM: usize = 64;

pub(crate) struct State {
    /// Group ids by name, in ASCII order.
    pub names: HashMap<Scope, BTreeMap<String, u64>>,
    pub groups: HashMap<u64, Group>,
    pub streams: HashMap<u64, Stream>,
    /// Log files by number.
    pub files: BTreeMap<u32, LiveFile>,
    /// By id. Their events are in no log file.
    pub segments: BTreeMap<u64, Arc<Segment>>,
    /// Segments of which streams were deleted, and perhaps not much is left.
    pub thinned: HashSet<u64>,
    /// Where segments are.
    pub disk: Arc<dyn Files>,
    /// What is applied is durable: what is gone may be removed.
    pub is_open: bool,
    /// By scope, kind and id; see [`Document`].
    pub documents: BTreeMap<(Scope, String, String), String>,
    pub next_id: u64,
    pub next_sequence: u64,
}

pub(crate) struct Group {
    pub meta: GroupMeta,
    /// Stream ids by name, in ASCII order.
    pub streams: BTreeMap<String, u64>,
    /// The same by id, for readers that hold no lock.
    pub stream_names: Arc<StreamNames>,
    /// The filters of `meta`.
    pub compiled: Arc<Compiled>,
    pub recent: Recent,
}

/// Names by id. Ids are ours, nobody chooses them to collide.
pub(crate) type StreamNames = HashMap<u64, String, foldhash::fast::FixedState>;

/// The newest batches of a group that somebody subscribes to.
#[derive(Default)]
pub(crate) struct Recent {
    /// Oldest first.
    pub batches: VecDeque<RecentBatch>,
    /// Every batch of the group with a greater sequence is in `batches`.
    pub complete_after: u64,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct RecentBatch {
    pub stream: u64,
    pub first_sequence: u64,
    pub last_sequence: u64,
    /// Timestamps of its events, both ends included.
    pub first: i64,
    pub last: i64,
}

/// How many batches a group remembers for its subscribers.
const RECENT_BATCHES: usize = 4096;

impl Recent {
    fn add(&mut self, batch: RecentBatch) {
        if self.batches.len() >= RECENT_BATCHES
            && let Some(oldest) = self.batches.pop_front()
        {
            self.complete_after = oldest.last_sequence;
        }
        self.batches.push_back(batch);
    }
}

pub(crate) struct Stream {
    pub meta: StreamMeta,
    pub entries: Vec<Entry>,
    /// Of the entries: message lengths and AWS's overhead.
    pub bytes: u64,
    /// The same of its events in segments, until the segment goes.
    pub segment_bytes: u64,
}

pub(crate) struct LiveFile {
    pub file: Arc<dyn LogFile>,
    pub live: u64,
    /// When its first event was put, milliseconds since 1970.
    pub since: Option<i64>,
}

impl LiveFile {
    pub fn new(file: Arc<dyn LogFile>) -> Self {
        Self { file, live: 0, since: None }
    }
}

/// One event. `offset` is that of its header in the file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Entry {
    pub timestamp: i64,
    pub ingestion: i64,
    pub sequence: u64,
    pub file: u32,
    pub offset: u32,
    pub length: u32,
}

/// An event's place in time order. Sequences follow the order of ingestion, so
/// this is AWS's order: timestamp, ingestion time, request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub timestamp: i64,
    pub sequence: u64,
}

impl Place {
    /// Before every event: sequences start at 1.
    pub const FIRST: Self = Self { timestamp: i64::MIN, sequence: 0 };

    /// Before the events of a time, and behind all that are older.
    pub fn before(timestamp: i64) -> Self {
        Self { timestamp, sequence: 0 }
    }
}

impl Entry {
    pub fn place(&self) -> Place {
        Place { timestamp: self.timestamp, sequence: self.sequence }
    }

    /// Bytes as AWS counts them.
    pub fn counted_bytes(&self) -> usize {
        self.length as usize + EVENT_OVERHEAD_BYTES
    }
}

/// The oldest timestamp that a retention of so many days still keeps.
pub(crate) fn kept_from(retention_days: Option<u16>, now: UnixMillis) -> i64 {
    retention_days.map_or(i64::MIN, |days| now.0.saturating_sub(i64::from(days) * DAY_MS))
}

impl Stream {
    /// The events of `[start, end)` that retention keeps, oldest first.
    pub fn between(&self, start: i64, end: i64, kept_from: i64) -> &[Entry] {
        let low = self.entries.partition_point(|e| e.timestamp < start.max(kept_from));
        let high = self.entries.partition_point(|e| e.timestamp < end);
        &self.entries[low..high.max(low)]
    }

    fn shrink(&mut self) {
        if self.entries.capacity() > 4 * self.entries.len() + 64 {
            self.entries.shrink_to_fit();
        }
    }
}

impl State {
    pub fn new(disk: Arc<dyn Files>) -> Self {
        Self {
            names: HashMap::new(),
            groups: HashMap::new(),
            streams: HashMap::new(),
            files: BTreeMap::new(),
            segments: BTreeMap::new(),
            thinned: HashSet::new(),
            disk,
            is_open: false,
            documents: BTreeMap::new(),
            next_id: 0,
            next_sequence: 0,
        }
    }

    /// The segments that have events of the group between two times, both included.
    pub fn segments_of(&self, group: u64, first: i64, last: i64) -> Vec<Arc<Segment>> {
        let segments = self.segments.values().filter(|segment| {
            segment.meta.part(group).is_some_and(|part| part.first <= last && part.last >= first)
        });
        segments.cloned().collect()
    }

    pub fn group(&self, scope: &Scope, name: &str) -> Result<&Group, LogsError> {
        let id = self.names.get(scope).and_then(|names| names.get(name)).ok_or(LogsError::NO_GROUP)?;
        self.groups.get(id).ok_or(LogsError::NO_GROUP)
    }

    pub fn stream<'a>(&'a self, group: &Group, name: &str) -> Result<&'a Stream, LogsError> {
        let id = group.streams.get(name).ok_or(LogsError::NO_STREAM)?;
        self.streams.get(id).ok_or(LogsError::NO_STREAM)
    }

    /// Everything but the events, for the head of a new file.
    pub fn snapshot(&self, new_file: u32) -> Vec<Record> {
        let mut files: Vec<u32> = self.files.keys().copied().collect();
        files.push(new_file);
        let head = Record::Snapshot { next_id: self.next_id, next_sequence: self.next_sequence, files };
        let groups = self.groups.values().map(|g| Record::Group(g.meta.clone()));
        let streams = self.streams.values().map(|s| Record::Stream(s.meta.clone()));
        let documents = self.documents.iter().map(|((scope, kind, id), value)| {
            let (kind, id) = (kind.clone(), id.clone());
            Record::Document(Document { scope: scope.clone(), kind, id, value: Some(value.clone()) })
        });
        let segments = (!self.segments.is_empty()).then(|| {
            let bytes = self.streams.values().filter(|stream| stream.segment_bytes > 0);
            Record::Segments(SegmentsChange {
                added: self.segments.values().map(|segment| segment.meta.clone()).collect(),
                streams: bytes.map(|stream| (stream.meta.id, stream.segment_bytes as i64)).collect(),
                ..SegmentsChange::default()
            })
        });
        std::iter::once(head).chain(groups).chain(streams).chain(documents).chain(segments).collect()
    }

    /// Applies the records of one frame. `file` and `body` say where its body
    /// lies. Fails if they contradict what is there: a damaged log.
    pub fn apply(&mut self, records: Vec<Record>, file: u32, body: u64) -> Result<(), &'static str> {
        let restores = matches!(records.first(), Some(Record::Snapshot { .. }));
        let mut kept = HashSet::new();
        for record in records {
            match record {
                Record::Snapshot { next_id, next_sequence, .. } => {
                    self.documents.clear();
                    self.segments.clear();
                    self.streams.values_mut().for_each(|stream| stream.segment_bytes = 0);
                    self.next_id = self.next_id.max(next_id);
                    self.next_sequence = self.next_sequence.max(next_sequence);
                }
                Record::Group(meta) => {
                    kept.insert(meta.id);
                    self.set_group(meta);
                }
                Record::GroupGone(id) => self.remove_group(id),
                Record::Stream(meta) => {
                    kept.insert(meta.id);
                    self.set_stream(meta)?;
                }
                Record::StreamGone(id) => self.remove_stream(id),
                Record::Batch(head, events) => self.insert(&head, &events, file, body)?,
                Record::Document(Document { scope, kind, id, value }) => {
                    match value {
                        Some(value) => self.documents.insert((scope, kind, id), value),
                        None => self.documents.remove(&(scope, kind, id)),
                    };
                }
                Record::Segments(change) => self.change_segments(change),
                // The file of the number `file` is never among them.
                Record::FilesGone(numbers) => {
                    for number in numbers {
                        self.files.remove(&number);
                    }
                }
            }
        }
        if restores {
            let gone: Vec<u64> = self.groups.keys().filter(|id| !kept.contains(id)).copied().collect();
            gone.into_iter().for_each(|id| self.remove_group(id));
            let gone: Vec<u64> = self.streams.keys().filter(|id| !kept.contains(id)).copied().collect();
            gone.into_iter().for_each(|id| self.remove_stream(id));
        }
        Ok(())
    }

    fn set_group(&mut self, meta: GroupMeta) {
        self.next_id = self.next_id.max(meta.id + 1);
        let id = meta.id;
        let expires = !meta.expired.is_empty();
        if let Some(group) = self.groups.get_mut(&id) {
            let changed = group.meta.expired != meta.expired;
            if group.meta.metric_filters != meta.metric_filters {
                group.compiled = Arc::new(Compiled::new(&meta));
            }
            if group.meta.subscription_filters.is_empty() {
                let last = self.next_sequence.saturating_sub(1);
                group.recent = Recent { batches: VecDeque::new(), complete_after: last };
            }
            group.meta = meta;
            if expires && changed {
                self.drop_expired(id);
            }
        } else {
            self.names.entry(meta.scope.clone()).or_default().insert(meta.name.clone(), id);
            let compiled = Arc::new(Compiled::new(&meta));
            let recent =
                Recent { batches: VecDeque::new(), complete_after: self.next_sequence.saturating_sub(1) };
            let (streams, stream_names) = (BTreeMap::new(), Arc::default());
            self.groups.insert(id, Group { meta, streams, stream_names, compiled, recent });
        }
    }

    fn set_stream(&mut self, meta: StreamMeta) -> Result<(), &'static str> {
        self.next_id = self.next_id.max(meta.id + 1);
        if let Some(stream) = self.streams.get_mut(&meta.id) {
            stream.meta = meta;
            return Ok(());
        }
        let group = self.groups.get_mut(&meta.group).ok_or("it names a log group that does not exist")?;
        group.streams.insert(meta.name.clone(), meta.id);
        Arc::make_mut(&mut group.stream_names).insert(meta.id, meta.name.clone());
        self.streams.insert(meta.id, Stream { meta, entries: Vec::new(), bytes: 0, segment_bytes: 0 });
        Ok(())
    }

    fn remove_group(&mut self, id: u64) {
        let Some(group) = self.groups.remove(&id) else { return };
        if let Some(names) = self.names.get_mut(&group.meta.scope) {
            // A snapshot may have brought a younger group of the same name already.
            if names.get(&group.meta.name) == Some(&id) {
                names.remove(&group.meta.name);
            }
            if names.is_empty() {
                self.names.remove(&group.meta.scope);
            }
        }
        for stream in group.streams.into_values() {
            self.remove_stream(stream);
        }
    }

    fn remove_stream(&mut self, id: u64) {
        let Some(stream) = self.streams.remove(&id) else { return };
        if let Some(group) = self.groups.get_mut(&stream.meta.group) {
            Arc::make_mut(&mut group.stream_names).remove(&id);
            if group.streams.get(&stream.meta.name) == Some(&id) {
                group.streams.remove(&stream.meta.name);
            }
        }
        if stream.segment_bytes > 0 {
            let of_group = |segment: &&Arc<Segment>| segment.meta.part(stream.meta.group).is_some();
            self.thinned.extend(self.segments.values().filter(of_group).map(|segment| segment.meta.id));
        }
        for entry in &stream.entries {
            release(&mut self.files, entry);
        }
    }

    /// `at` counts from the start of the frame's body, which lies at `body`.
    fn insert(&mut self, head: &BatchHead, at: &[EventAt], file: u32, body: u64) -> Result<(), &'static str> {
        let stream = self.streams.get_mut(&head.stream).ok_or("it names a log stream that does not exist")?;
        let live = self.files.get_mut(&file).ok_or("it is in an unknown log file")?;
        let (Some(first), Some(last)) = (at.first(), at.last()) else { return Err("it has no events") };
        let last_sequence = head.first_sequence + at.len() as u64 - 1;
        self.next_sequence = self.next_sequence.max(last_sequence + 1);
        let start = stream.entries.len();
        for (i, event) in at.iter().enumerate() {
            let offset = u32::try_from(body + u64::from(event.offset)).map_err(|_| "the file is too long")?;
            stream.entries.push(Entry {
                timestamp: event.timestamp,
                ingestion: head.ingestion,
                sequence: head.first_sequence + i as u64,
                file,
                offset,
                length: event.length,
            });
            stream.bytes += u64::from(event.length) + EVENT_OVERHEAD_BYTES as u64;
        }
        live.live += at.len() as u64;
        live.since.get_or_insert(head.ingestion);
        // Late events move into place; the common batch is already in order.
        let late = stream.entries[..start].partition_point(|e| e.timestamp <= first.timestamp);
        if late < start {
            stream.entries[late..].sort_by_key(Entry::place);
        }
        let seen = stream.meta.seen;
        stream.meta.seen = Some(Seen {
            first: seen.map_or(first.timestamp, |s| s.first.min(first.timestamp)),
            last: seen.map_or(last.timestamp, |s| s.last.max(last.timestamp)),
            last_ingestion: seen.map_or(head.ingestion, |s| s.last_ingestion.max(head.ingestion)),
            last_sequence,
        });
        if let Some(group) = self.groups.get_mut(&stream.meta.group)
            && !group.meta.subscription_filters.is_empty()
        {
            group.recent.add(RecentBatch {
                stream: head.stream,
                first_sequence: head.first_sequence,
                last_sequence,
                first: first.timestamp,
                last: last.timestamp,
            });
        }
        if let Some(token) = head.token {
            stream.meta.tokens.push_back(token);
            if stream.meta.tokens.len() > TOKENS_PER_STREAM {
                stream.meta.tokens.pop_front();
            }
        }
        Ok(())
    }

    fn change_segments(&mut self, change: SegmentsChange) {
        let SegmentsChange { added, gone, flushed, streams } = change;
        for meta in added {
            let segment = Segment::new(meta, self.disk.clone());
            self.segments.insert(segment.meta.id, Arc::new(segment));
        }
        for id in gone {
            self.thinned.remove(&id);
            if let Some(segment) = self.segments.remove(&id).filter(|_| self.is_open) {
                segment.remove();
            }
        }
        for (id, bytes) in streams {
            let Some(stream) = self.streams.get_mut(&id) else { continue };
            stream.segment_bytes = stream.segment_bytes.saturating_add_signed(bytes);
            if flushed.is_empty() {
                continue;
            }
            stream.entries.retain(|entry| {
                let stays = !flushed.contains(&entry.file);
                if !stays {
                    stream.bytes = stream.bytes.saturating_sub(entry.counted_bytes() as u64);
                    release(&mut self.files, entry);
                }
                stays
            });
            stream.shrink();
        }
    }

    fn drop_expired(&mut self, group: u64) {
        let Some(group) = self.groups.get(&group) else { return };
        let before = group.meta.expired.iter().map(|&(before, _)| before).max().unwrap_or(i64::MIN);
        for id in group.streams.values() {
            let Some(stream) = self.streams.get_mut(id) else { continue };
            let end = stream.entries.partition_point(|e| e.timestamp < before);
            let gone = |e: &Entry| group.meta.is_expired(e.timestamp, e.sequence);
            let kept: Vec<Entry> = stream.entries[..end].iter().filter(|e| !gone(e)).copied().collect();
            let dropped: Vec<Entry> = stream.entries.splice(..end, kept).filter(gone).collect();
            for entry in &dropped {
                stream.bytes = stream.bytes.saturating_sub(entry.counted_bytes() as u64);
                release(&mut self.files, entry);
            }
            stream.shrink();
        }
    }
}

fn release(files: &mut BTreeMap<u32, LiveFile>, entry: &Entry) {
    if let Some(file) = files.get_mut(&entry.file) {
        file.live = file.live.saturating_sub(1);
    }
}
