//! FilterLogEvents: the events of a group's streams, merged in order of time.
//!
//! Not yet: filter patterns. One that is not blank is refused, not ignored.
//!
//! Source: CloudWatch Logs API reference, FilterLogEvents.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::ops::Bound;

use crate::error::LogsError;
use crate::index::{Entry, Place, Stream, kept_from};
use crate::limits::{Constraints, MAX_PAGE_EVENTS, at_least, at_most};
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
    /// Must be absent or blank as yet.
    pub filter_pattern: Option<String>,
    /// 1 to 10,000; by default what fits 1 MiB, at most 10,000.
    pub limit: Option<i64>,
    pub next_token: Option<String>,
}

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
        check(request)?;
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

        let mut size = PageSize::new(request.limit);
        let (mut entries, mut from_streams) = (Vec::new(), Vec::new());
        let mut next_token = None;
        for (entry, stream) in &mut merge {
            if !size.take(entry) {
                let last = entries.last().map(Entry::place);
                next_token = last.map(|place| page_token(Kind::Filter, owner, place));
                break;
            }
            entries.push(*entry);
            from_streams.push((streams[stream].meta.id, streams[stream].meta.name.clone()));
        }
        let located = Located::new(&state, entries);
        drop(state);

        let events = located.read()?.into_iter().zip(from_streams);
        let events = events.map(|((entry, message), (stream, log_stream_name))| FilteredLogEvent {
            log_stream_name,
            timestamp: UnixMillis(entry.timestamp),
            message,
            ingestion_time: UnixMillis(entry.ingestion),
            event_id: event_id(stream, entry.place()),
        });
        Ok(FilteredLogEvents { events: events.collect(), next_token })
    }
}

fn check(request: &FilterLogEvents) -> Result<(), LogsError> {
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
    if !pattern.trim().is_empty() {
        let text = "Filter patterns are not supported yet; leave filterPattern empty to get all events.";
        return Err(LogsError::InvalidParameter(text.into()));
    }
    Ok(())
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
