//! FilterLogEvents: the events of a group's streams, merged in order of time.
//!
//! With a filter pattern one call reads a bounded number of events. When that
//! ends the page early, the page is short or even empty and still has a token,
//! as in AWS; the next call goes on behind the last place that was read. What
//! is needed is taken under the lock (segments, places in log files); messages
//! are read after it is released.
//!
//! Source: CloudWatch Logs API reference, FilterLogEvents.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, VecDeque};
use std::ops::Bound;

use crate::error::LogsError;
use crate::index::{Entry, Place, State, Stream, kept_from};
use crate::limits::{Constraints, EVENT_OVERHEAD_BYTES, MAX_PAGE_EVENTS, at_least, at_most};
use crate::pattern::{Pattern, PatternError};
use crate::read::{Located, PageSize};
use crate::segment::{Scratch, Selection, Walk, Wanted};
use crate::store::{Scope, Store};
use crate::token::{Kind, event_digits, event_id, page_token, read_page_token};
use weir_types::time::UnixMillis;

/// What FilterLogEvents takes. Names and prefix exclude each other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FilterLogEvents {
    pub group: String,
    /// 1 to 100 streams; `None` is all.
    pub stream_names: Option<Vec<String>>,
    pub stream_name_prefix: Option<String>,
    /// Included. Milliseconds since 1970.
    pub start_time: Option<i64>,
    /// Included, other than in GetLogEvents. Milliseconds since 1970.
    pub end_time: Option<i64>,
    /// See [`pattern`](crate::pattern); absent or blank matches every event.
    pub filter_pattern: Option<String>,
    /// 1 to 10,000; by default what fits 1 MiB, at most 10,000.
    pub limit: Option<i64>,
    pub next_token: Option<String>,
}

/// What one call with a pattern reads at most, of log files and of segments.
/// Each chunk is in memory at once.
const SCAN_EVENTS: usize = if cfg!(test) { 100 } else { 200_000 };
const SEGMENT_SCAN_EVENTS: usize = if cfg!(test) { 20 } else { 500_000 };
const SCAN_BYTES: usize = 64 << 20;
const CHUNK_BYTES: usize = 4 << 20;

/// One event as FilterLogEvents gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilteredLogEvent {
    pub log_stream_name: String,
    pub timestamp: UnixMillis,
    pub message: String,
    pub ingestion_time: UnixMillis,
    /// 56 digits, unique in the store, the same in every answer.
    pub event_id: String,
}

/// One event as [`Store::each_filtered_log_event`] gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundLogEvent<'a> {
    pub log_stream_name: &'a str,
    pub timestamp: UnixMillis,
    pub message: &'a str,
    pub ingestion_time: UnixMillis,
    stream: u64,
    sequence: u64,
}

impl FoundLogEvent<'_> {
    /// The event's id: 56 digits, unique in the store, the same in every answer.
    pub fn event_id(&self) -> String {
        event_id(self.stream, Place { timestamp: self.timestamp.0, sequence: self.sequence })
    }

    /// [`FoundLogEvent::event_id`], in ASCII.
    pub fn event_id_digits(&self) -> [u8; 56] {
        event_digits(self.stream, Place { timestamp: self.timestamp.0, sequence: self.sequence })
    }
}

/// A page in order of timestamp, then of ingestion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilteredLogEvents {
    pub events: Vec<FilteredLogEvent>,
    /// `None`: no event follows.
    pub next_token: Option<String>,
}

impl Store {
    /// FilterLogEvents. Events past the group's retention are left out.
    pub fn filter_log_events(
        &self,
        scope: &Scope,
        request: &FilterLogEvents,
        now: UnixMillis,
    ) -> Result<FilteredLogEvents, LogsError> {
        let mut events = Vec::new();
        let next_token = self.each_filtered_log_event(scope, request, now, |event| {
            events.push(FilteredLogEvent {
                log_stream_name: event.log_stream_name.to_owned(),
                timestamp: event.timestamp,
                message: event.message.to_owned(),
                ingestion_time: event.ingestion_time,
                event_id: event.event_id(),
            });
        })?;
        Ok(FilteredLogEvents { events, next_token })
    }

    /// [`Store::filter_log_events`] without a copy of each event: they are
    /// given one by one, in order, and are gone when `each` returns. Returns the
    /// token of the next page. After an error what was given is no page.
    pub fn each_filtered_log_event(
        &self,
        scope: &Scope,
        request: &FilterLogEvents,
        now: UnixMillis,
        mut each: impl FnMut(FoundLogEvent<'_>),
    ) -> Result<Option<String>, LogsError> {
        let pattern = check(request)?;
        let state = self.state();
        let group = state.group(scope, &request.group)?;
        let owner = group.meta.id;
        let token = request.next_token.as_deref();
        let from = token.map(|token| read_page_token(token, owner, &[Kind::Filter])).transpose()?;
        let streams: Vec<&Stream> = match &request.stream_names {
            Some(names) => {
                let names: BTreeSet<&String> = names.iter().collect();
                names.into_iter().map(|name| state.stream(group, name)).collect::<Result<_, _>>()?
            }
            None => {
                let prefix = request.stream_name_prefix.as_deref().unwrap_or_default();
                let named = group.streams.range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
                let named = named.take_while(|(name, _)| name.starts_with(prefix));
                named.filter_map(|(_, id)| state.streams.get(id)).collect()
            }
        };
        let kept_from = kept_from(group.meta.retention_days, now);
        let start = request.start_time.unwrap_or(0).max(kept_from);
        let end = request.end_time.unwrap_or(i64::MAX).saturating_add(1);
        let after = Place::before(start).max(from.map_or(Place::FIRST, |(_, place)| place));
        let mut merge = Merge::default();
        for stream in &streams {
            let range = stream.between(start, end, kept_from);
            let seen = range.partition_point(|e| e.place() <= after);
            merge.add(stream.meta.id, &range[seen..]);
        }

        // Of the log files what one page may read: what follows is not looked at.
        let mut size = PageSize::new(request.limit);
        let mut scan = Scan::default();
        let (mut chunks, mut chunk) = (VecDeque::new(), Chunk::default());
        let (mut last, mut cut) = (None, None);
        for (entry, stream) in &mut merge {
            let fits = match &pattern {
                Some(_) => scan.take(entry),
                None => size.take(entry.counted_bytes()),
            };
            if !fits {
                cut = last;
                break;
            }
            if chunk.bytes >= CHUNK_BYTES {
                chunks.push_back(std::mem::take(&mut chunk).locate(&state));
            }
            chunk.add(entry, stream);
            last = Some(entry.place());
        }
        chunks.push_back(chunk.locate(&state));
        let names = group.stream_names.clone();
        let wanted = Wanted {
            group: owner,
            streams: if request.stream_names.is_some() || request.stream_name_prefix.is_some() {
                let mut ids: Vec<u64> = streams.iter().map(|stream| stream.meta.id).collect();
                ids.sort_unstable();
                Selection::Only(ids)
            } else {
                Selection::All(names.clone())
            },
            after,
            // Places up to the last one that was looked at in the log files.
            before: cut.map_or(Place::before(end), |Place { timestamp, sequence }| Place {
                timestamp,
                sequence: sequence + 1,
            }),
            expired: group.meta.expired.clone(),
            after_sequence: 0,
            pattern: pattern.as_ref(),
        };
        let segments = state.segments_of(owner, after.timestamp, wanted.before.timestamp);
        drop(streams);
        drop(state);

        let mut walk = Walk::new(segments, wanted, Some(&self.inner.cache), true);
        if pattern.is_some() {
            walk = walk.at_most(SEGMENT_SCAN_EVENTS);
        }
        let mut recent = Recent { chunks, chunk: Vec::new().into_iter(), pattern: pattern.as_ref() };
        let mut size = PageSize::new(request.limit);
        let mut room = Scratch::default();
        let (mut seen, mut full) = (None, false);
        let (mut stored, mut newer) = (walk.next_stretch()?, recent.next()?);
        loop {
            if stored.as_ref().is_some_and(|stretch| stretch.rows().is_empty()) {
                stored = walk.next_stretch()?;
                continue;
            }
            let (until, mut count) = (newer.as_ref().map(|(entry, ..)| entry.place()), 0);
            if let Some(stretch) = &stored {
                let (block, rows) = (stretch.block(), stretch.rows());
                let before = until.map_or(rows.len(), |until| rows.partition_point(|p| p.place < until));
                count = block.each_text(&rows[..before], &mut room, |placed, message| {
                    if !size.take(message.len() + EVENT_OVERHEAD_BYTES) {
                        full = true;
                        return Ok(false);
                    }
                    seen = Some(placed.place);
                    let stream = block.stream_of(placed.run);
                    let Some(name) = names.get(&stream) else { return Ok(true) };
                    each(FoundLogEvent {
                        log_stream_name: name,
                        timestamp: UnixMillis(placed.place.timestamp),
                        message,
                        ingestion_time: UnixMillis(block.ingestion(placed.row as usize)?),
                        stream,
                        sequence: placed.place.sequence,
                    });
                    Ok(true)
                })?;
            }
            if full {
                break;
            }
            if count > 0 {
                stored.iter_mut().for_each(|stretch| stretch.advance(count));
                continue;
            }
            // Behind the end of what was read of the segments.
            let behind = |place| walk.stopped().is_some_and(|stopped| place > stopped);
            let Some((entry, message, stream)) = newer.take().filter(|(e, ..)| !behind(e.place())) else {
                break;
            };
            newer = recent.next()?;
            if !size.take(message.len() + EVENT_OVERHEAD_BYTES) {
                full = true;
                break;
            }
            let place = entry.place();
            seen = Some(place);
            let Some(name) = names.get(&stream) else { continue };
            each(FoundLogEvent {
                log_stream_name: name,
                timestamp: UnixMillis(place.timestamp),
                message: &message,
                ingestion_time: UnixMillis(entry.ingestion),
                stream,
                sequence: place.sequence,
            });
        }
        let place = if full { seen } else { [walk.stopped(), cut].into_iter().flatten().min() };
        Ok(place.map(|place| page_token(Kind::Filter, owner, place)))
    }
}

/// The pattern, if one is given that not every event matches.
fn check(request: &FilterLogEvents) -> Result<Option<Pattern>, LogsError> {
    let mut constraints = Constraints::new();
    constraints.group_name(&request.group, "logGroupName");
    if let Some(names) = &request.stream_names {
        let count = names.len();
        constraints.that(count >= 1, "[]", "logStreamNames", at_least("length", 1));
        let shown = format!("[{count} names]");
        constraints.that(count <= 100, shown, "logStreamNames", at_most("length", 100));
        for (i, name) in names.iter().enumerate() {
            constraints.stream_name(name, &format!("logStreamNames.{}.member", i + 1));
        }
    }
    if let Some(prefix) = &request.stream_name_prefix {
        constraints.stream_name(prefix, "logStreamNamePrefix");
    }
    constraints.range(request.start_time, "startTime", 0, i64::MAX);
    constraints.range(request.end_time, "endTime", 0, i64::MAX);
    constraints.range(request.limit, "limit", 1, MAX_PAGE_EVENTS as i64);
    let pattern = request.filter_pattern.as_deref().unwrap_or_default();
    constraints.length(pattern, "filterPattern", 0, 1024);
    constraints.finish()?;
    if request.stream_names.is_some() && request.stream_name_prefix.is_some() {
        let text = "logStreamNames and logStreamNamePrefix are mutually exclusive parameters.";
        return Err(LogsError::InvalidParameter(text.into()));
    }
    let pattern = Pattern::parse(pattern).map_err(invalid_pattern)?;
    Ok(Some(pattern).filter(|pattern| !pattern.matches_everything()))
}

fn invalid_pattern(error: PatternError) -> LogsError {
    LogsError::InvalidParameter(error.to_string())
}

/// What one call has read.
#[derive(Default)]
struct Scan {
    events: usize,
    bytes: usize,
}

impl Scan {
    /// Whether the event may still be read; the first one always may.
    fn take(&mut self, entry: &Entry) -> bool {
        if self.events >= SCAN_EVENTS || self.bytes >= SCAN_BYTES {
            return false;
        }
        self.events += 1;
        self.bytes += entry.counted_bytes();
        true
    }
}

/// Events of the log files that match, in order of time; read chunk by chunk.
struct Recent<'a> {
    chunks: VecDeque<(Located, Vec<u64>)>,
    chunk: std::vec::IntoIter<((Entry, String), u64)>,
    pattern: Option<&'a Pattern>,
}

impl Recent<'_> {
    fn next(&mut self) -> Result<Option<(Entry, String, u64)>, LogsError> {
        loop {
            for ((entry, message), stream) in self.chunk.by_ref() {
                if self.pattern.is_none_or(|pattern| pattern.matches(&message)) {
                    return Ok(Some((entry, message, stream)));
                }
            }
            let Some((located, streams)) = self.chunks.pop_front() else { return Ok(None) };
            self.chunk = located.read()?.into_iter().zip(streams).collect::<Vec<_>>().into_iter();
        }
    }
}

/// Events that are read together, each with its stream.
#[derive(Default)]
struct Chunk {
    entries: Vec<Entry>,
    streams: Vec<u64>,
    bytes: usize,
}

impl Chunk {
    fn add(&mut self, entry: &Entry, stream: u64) {
        self.bytes += entry.counted_bytes();
        self.entries.push(*entry);
        self.streams.push(stream);
    }

    fn locate(self, state: &State) -> (Located, Vec<u64>) {
        (Located::new(state, self.entries), self.streams)
    }
}

/// Merges sorted runs of entries.
#[derive(Default)]
struct Merge<'a> {
    runs: Vec<&'a [Entry]>,
    /// The first place of each run that is not empty, smallest on top, with
    /// the run's index and the stream.
    heads: BinaryHeap<Reverse<(Place, usize, u64)>>,
}

impl<'a> Merge<'a> {
    fn add(&mut self, stream: u64, run: &'a [Entry]) {
        if let Some(first) = run.first() {
            self.heads.push(Reverse((first.place(), self.runs.len(), stream)));
            self.runs.push(run);
        }
    }
}

impl<'a> Iterator for Merge<'a> {
    type Item = (&'a Entry, u64);

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((_, run, stream)) = self.heads.pop()?;
        let (entry, rest) = self.runs[run].split_first()?;
        self.runs[run] = rest;
        if let Some(next) = rest.first() {
            self.heads.push(Reverse((next.place(), run, stream)));
        }
        Some((entry, stream))
    }
}
