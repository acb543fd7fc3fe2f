//! Log streams: create, delete, describe.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::str::FromStr;
use std::sync::Arc;

use crate::describe::{page, page_size};
use crate::error::LogsError;
use crate::index::{Group, Place, State, Stream, kept_from};
use crate::limits::{Constraints, one_of};
use crate::record::{Record, StreamMeta};
use crate::segment::{Cache, Segment, Selection, Walk, Wanted};
use crate::store::{Scope, Store};
use crate::token::{list_token, read_list_token, sequence_token};
use weir_types::time::UnixMillis;

/// `orderBy` of DescribeLogStreams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OrderBy {
    /// ASCII order of the names.
    #[default]
    LogStreamName,
    /// The newest event's timestamp; a stream without events is oldest.
    LastEventTime,
}

impl FromStr for OrderBy {
    type Err = LogsError;
    fn from_str(text: &str) -> Result<Self, LogsError> {
        match text {
            "LogStreamName" => Ok(Self::LogStreamName),
            "LastEventTime" => Ok(Self::LastEventTime),
            _ => {
                let rule = one_of(["LogStreamName", "LastEventTime"]);
                Constraints::new().that(false, text, "orderBy", rule).finish()?;
                Ok(Self::LogStreamName)
            }
        }
    }
}

/// What DescribeLogStreams takes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DescribeLogStreams {
    pub group: String,
    /// Not together with [`OrderBy::LastEventTime`].
    pub name_prefix: Option<String>,
    pub order_by: OrderBy,
    pub descending: bool,
    /// 1 to 50, default 50.
    pub limit: Option<i64>,
    pub next_token: Option<String>,
}

/// A log stream as DescribeLogStreams shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogStream {
    pub name: String,
    pub creation_time: UnixMillis,
    /// The oldest event that can still be read; if all have expired, the
    /// oldest there ever was. `None` before the first event.
    pub first_event_timestamp: Option<UnixMillis>,
    /// The newest event there ever was.
    pub last_event_timestamp: Option<UnixMillis>,
    pub last_ingestion_time: Option<UnixMillis>,
    /// 56 digits; clients need not send it back.
    pub upload_sequence_token: Option<String>,
}

/// A page of streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogStreams {
    pub log_streams: Vec<LogStream>,
    /// `None` on the last page.
    pub next_token: Option<String>,
}

impl Store {
    /// CreateLogStream. `ResourceAlreadyExists` if the name is taken.
    pub fn create_log_stream(
        &self,
        scope: &Scope,
        group: &str,
        stream: &str,
        now: UnixMillis,
    ) -> Result<(), LogsError> {
        check_names(group, stream)?;
        let (scope, group, name) = (scope.clone(), group.to_owned(), stream.to_owned());
        self.change(move |state| {
            let group = state.group(&scope, &group)?;
            if group.streams.contains_key(&name) {
                return Err(LogsError::STREAM_EXISTS);
            }
            Ok(vec![Record::Stream(StreamMeta {
                id: state.next_id.max(1),
                group: group.meta.id,
                name,
                created: now.0,
                seen: None,
                tokens: VecDeque::new(),
            })])
        })?;
        Ok(())
    }

    /// DeleteLogStream, with its events.
    pub fn delete_log_stream(&self, scope: &Scope, group: &str, stream: &str) -> Result<(), LogsError> {
        check_names(group, stream)?;
        let (scope, group, name) = (scope.clone(), group.to_owned(), stream.to_owned());
        self.change(move |state| {
            let stream = state.stream(state.group(&scope, &group)?, &name)?;
            Ok(vec![Record::StreamGone(stream.meta.id)])
        })?;
        Ok(())
    }

    /// DescribeLogStreams.
    pub fn describe_log_streams(
        &self,
        scope: &Scope,
        request: &DescribeLogStreams,
        now: UnixMillis,
    ) -> Result<LogStreams, LogsError> {
        let DescribeLogStreams { group, name_prefix, order_by, descending, limit, next_token } = request;
        let mut constraints = Constraints::new();
        constraints.group_name(group, "logGroupName");
        let size = page_size(*limit, &mut constraints);
        if let Some(prefix) = name_prefix {
            constraints.stream_name(prefix, "logStreamNamePrefix");
        }
        constraints.finish()?;
        if name_prefix.is_some() && *order_by == OrderBy::LastEventTime {
            let text = "Cannot order by LastEventTime with a logStreamNamePrefix.";
            return Err(LogsError::InvalidParameter(text.into()));
        }
        let prefix = name_prefix.as_deref().unwrap_or_default();

        let state = self.state();
        let group = state.group(scope, group)?;
        let kept_from = kept_from(group.meta.retention_days, now);
        let list = format!("log streams of {} {order_by:?} {descending}", group.meta.id);
        let key = |stream: &Stream| {
            let by_time = *order_by == OrderBy::LastEventTime;
            // 20 digits, so that texts sort as their numbers do.
            let last = stream.meta.seen.filter(|_| by_time).map_or(0, |seen| seen.last.max(0) as u64 + 1);
            format!("{last:020} {}", stream.meta.name)
        };
        let after = next_token.as_deref().map(|token| read_list_token(token, &list)).transpose()?;
        let streams = group.streams.iter().filter(|(name, _)| name.starts_with(prefix));
        let mut streams: Vec<(String, &Stream)> = streams
            .filter_map(|(_, id)| state.streams.get(id))
            .map(|stream| (key(stream), stream))
            .filter(|(key, _)| {
                after.as_ref().is_none_or(|after| if *descending { key < after } else { key > after })
            })
            .collect();
        if *descending {
            streams.sort_unstable_by(|(a, _), (b, _)| Reverse(a).cmp(&Reverse(b)));
        } else {
            streams.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        }
        let (streams, last) = page(streams.into_iter(), size, |(key, _)| list_token(&list, key));
        let mut shown: Vec<(LogStream, Option<Oldest>)> = streams
            .into_iter()
            .map(|(_, stream)| (shown(stream), Oldest::of(&state, group, stream, kept_from)))
            .collect();
        drop(state);
        for (stream, oldest) in &mut shown {
            if let Some(oldest) = oldest.take()
                && let Some(time) = oldest.find(&self.inner.cache)?
            {
                stream.first_event_timestamp = Some(UnixMillis(time));
            }
        }
        let log_streams = shown.into_iter().map(|(stream, _)| stream).collect();
        Ok(LogStreams { log_streams, next_token: last })
    }
}

pub(crate) fn check_names(group: &str, stream: &str) -> Result<(), LogsError> {
    let mut constraints = Constraints::new();
    constraints.group_name(group, "logGroupName").stream_name(stream, "logStreamName");
    constraints.finish()
}

/// With the time of the oldest event there ever was.
fn shown(stream: &Stream) -> LogStream {
    let seen = stream.meta.seen;
    LogStream {
        name: stream.meta.name.clone(),
        creation_time: UnixMillis(stream.meta.created),
        first_event_timestamp: seen.map(|seen| UnixMillis(seen.first)),
        last_event_timestamp: seen.map(|seen| UnixMillis(seen.last)),
        last_ingestion_time: seen.map(|seen| UnixMillis(seen.last_ingestion)),
        upload_sequence_token: seen.map(|seen| sequence_token(seen.last_sequence)),
    }
}

/// Where the oldest event is looked for of a stream of which some have expired.
struct Oldest {
    in_log: Option<i64>,
    segments: Vec<Arc<Segment>>,
    wanted: Wanted<'static>,
}

impl Oldest {
    /// `None`: the oldest event there ever was is still there.
    fn of(state: &State, group: &Group, stream: &Stream, kept_from: i64) -> Option<Self> {
        let first = stream.meta.seen?.first;
        let expired = group.meta.expired.iter().any(|&(before, _)| first < before);
        if first >= kept_from && !expired {
            return None;
        }
        let wanted = Wanted {
            group: group.meta.id,
            streams: Selection::Only(vec![stream.meta.id]),
            after: Place::before(kept_from),
            before: Place::before(i64::MAX),
            expired: group.meta.expired.clone(),
            after_sequence: 0,
            pattern: None,
        };
        Some(Self {
            in_log: stream.between(i64::MIN, i64::MAX, kept_from).first().map(|entry| entry.timestamp),
            segments: state.segments_of(group.meta.id, kept_from, i64::MAX),
            wanted,
        })
    }

    fn find(self, cache: &Cache) -> Result<Option<i64>, LogsError> {
        let found = Walk::new(self.segments, self.wanted, Some(cache), true).next()?;
        let in_segments = found.map(|found| found.place.timestamp);
        Ok(self.in_log.into_iter().chain(in_segments).min())
    }
}
