//! FilterLogEvents: the events of a group's streams, merged in order of time.
//!
//! With a filter pattern one call reads a bounded number of events. When that
//! ends the page early, the page is short or even empty and still has a token,
//! as in AWS; the next call goes on behind the last event that was read.
//!
//! Source: CloudWatch Logs API reference, FilterLogEvents.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};
use std::ops::Bound;

use crate::error::LogsError;
use crate::index::{Entry, Place, State, Stream, kept_from};
use crate::limits::{Constraints, MAX_PAGE_EVENTS, at_least, at_most};
use crate::pattern::{Pattern, PatternError};
use crate::read::{Located, PageSize};
use crate::store::{Scope, Store};
use crate::token::{Kind, event_id, page_token, read_page_token};
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

/// What one call with a pattern reads at most. Each chunk is in memory at once.
const SCAN_EVENTS: usize = if cfg!(test) { 100 } else { 200_000 };
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
        let start = request.start_time.unwrap_or(0);
        let end = request.end_time.unwrap_or(i64::MAX).saturating_add(1);
        let kept_from = kept_from(group.meta.retention_days, now);
        let mut merge = Merge::default();
        for (i, stream) in streams.iter().enumerate() {
            let range = stream.between(start, end, kept_from);
            let seen = from.map_or(0, |(_, place)| range.partition_point(|e| e.place() <= place));
            merge.add(i, &range[seen..]);
        }

        // Without a pattern what is read is the page.
        let mut page = PageSize::new(request.limit);
        let mut scan = Scan::default();
        let (mut chunks, mut chunk) = (Vec::new(), Chunk::default());
        let mut names = HashMap::new();
        let mut goes_on = false;
        for (entry, stream) in &mut merge {
            goes_on = match &pattern {
                Some(_) => !scan.take(entry),
                None => !page.take(entry),
            };
            if goes_on {
                break;
            }
            if chunk.bytes >= CHUNK_BYTES {
                chunks.push(std::mem::take(&mut chunk).locate(&state));
            }
            names
                .entry(stream)
                .or_insert_with(|| (streams[stream].meta.id, streams[stream].meta.name.clone()));
            chunk.add(entry, stream);
        }
        chunks.push(chunk.locate(&state));
        drop(state);

        let mut events = Vec::new();
        let mut seen = None;
        'page: for (located, from_streams) in chunks {
            for ((entry, message), stream) in located.read()?.into_iter().zip(from_streams) {
                if let Some(pattern) = &pattern {
                    if !pattern.matches(&message) {
                        seen = Some(entry.place());
                        continue;
                    }
                    if !page.take(&entry) {
                        goes_on = true;
                        break 'page;
                    }
                }
                seen = Some(entry.place());
                let Some((stream, name)) = names.get(&stream) else { continue };
                events.push(FilteredLogEvent {
                    log_stream_name: name.clone(),
                    timestamp: UnixMillis(entry.timestamp),
                    message,
                    ingestion_time: UnixMillis(entry.ingestion),
                    event_id: event_id(*stream, entry.place()),
                });
            }
        }
        let next_token = seen.filter(|_| goes_on).map(|place| page_token(Kind::Filter, owner, place));
        Ok(FilteredLogEvents { events, next_token })
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

/// Events that are read together, each with its stream's number.
#[derive(Default)]
struct Chunk {
    entries: Vec<Entry>,
    streams: Vec<usize>,
    bytes: usize,
}

impl Chunk {
    fn add(&mut self, entry: &Entry, stream: usize) {
        self.bytes += entry.counted_bytes();
        self.entries.push(*entry);
        self.streams.push(stream);
    }

    fn locate(self, state: &State) -> (Located, Vec<usize>) {
        (Located::new(state, self.entries), self.streams)
    }
}

/// Merges sorted runs of entries.
#[derive(Default)]
struct Merge<'a> {
    runs: Vec<&'a [Entry]>,
    /// The first place of each run that is not empty, smallest on top, with
    /// the run's index and the stream's number.
    heads: BinaryHeap<Reverse<(Place, usize, usize)>>,
}

impl<'a> Merge<'a> {
    fn add(&mut self, stream: usize, run: &'a [Entry]) {
        if let Some(first) = run.first() {
            self.heads.push(Reverse((first.place(), self.runs.len(), stream)));
            self.runs.push(run);
        }
    }
}

impl<'a> Iterator for Merge<'a> {
    type Item = (&'a Entry, usize);

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
