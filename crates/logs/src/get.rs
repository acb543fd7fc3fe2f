//! GetLogEvents: one stream, a page at a time, in both directions.
//!
//! A token is a place between events: `f/` means after it, `b/` before it. The
//! two tokens of a page stand right behind its last event and right before its
//! first one. At an end of the stream the page is empty and the token that was
//! sent comes back, so that clients stop there; sent again later it gives what
//! has arrived since.
//!
//! Source: CloudWatch Logs API reference, GetLogEvents.

use crate::error::LogsError;
use crate::index::{Entry, Place, kept_from};
use crate::limits::{Constraints, MAX_PAGE_EVENTS};
use crate::read::{Located, PageSize};
use crate::store::{Scope, Store};
use crate::token::{Kind, page_token, read_page_token};
use weir_types::time::UnixMillis;

/// What GetLogEvents takes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GetLogEvents {
    pub group: String,
    pub stream: String,
    /// Included. Milliseconds since 1970.
    pub start_time: Option<i64>,
    /// Excluded. Milliseconds since 1970.
    pub end_time: Option<i64>,
    /// Either token of an earlier page.
    pub next_token: Option<String>,
    /// 1 to 10,000; by default what fits 1 MiB, at most 10,000.
    pub limit: Option<i64>,
    /// Without a token: the oldest page instead of the newest.
    pub start_from_head: bool,
}

/// One event as GetLogEvents gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputLogEvent {
    pub timestamp: UnixMillis,
    pub message: String,
    pub ingestion_time: UnixMillis,
}

/// A page, oldest event first whichever way it was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEvents {
    pub events: Vec<OutputLogEvent>,
    pub next_forward_token: String,
    pub next_backward_token: String,
}

/// Before every event: sequences start at 1.
const NOWHERE: Place = Place { timestamp: 0, sequence: 0 };

impl Store {
    /// GetLogEvents. Events past the group's retention are left out.
    pub fn get_log_events(
        &self,
        scope: &Scope,
        request: &GetLogEvents,
        now: UnixMillis,
    ) -> Result<LogEvents, LogsError> {
        let GetLogEvents { group, stream, start_time, end_time, next_token, limit, start_from_head } =
            request;
        let mut constraints = Constraints::new();
        constraints.group_name(group, "logGroupName").stream_name(stream, "logStreamName");
        constraints.range(*start_time, "startTime", 0, i64::MAX);
        constraints.range(*end_time, "endTime", 0, i64::MAX);
        constraints.range(*limit, "limit", 1, MAX_PAGE_EVENTS as i64);
        constraints.finish()?;

        let state = self.state();
        let group = state.group(scope, group)?;
        let stream = state.stream(group, stream)?;
        let owner = stream.meta.id;
        let both = [Kind::Forward, Kind::Backward];
        let from = next_token.as_deref().map(|token| read_page_token(token, owner, &both)).transpose()?;
        let range = stream.between(
            start_time.unwrap_or(0),
            end_time.unwrap_or(i64::MAX),
            kept_from(group.meta.retention_days, now),
        );
        let mut size = PageSize::new(*limit);
        let forward = match from {
            Some((kind, _)) => kind == Kind::Forward,
            None => *start_from_head,
        };
        let page: &[Entry] = if forward {
            let start = from.map_or(0, |(_, place)| range.partition_point(|e| e.place() <= place));
            let rest = &range[start..];
            &rest[..rest.iter().take_while(|entry| size.take(entry)).count()]
        } else {
            let end = from.map_or(range.len(), |(_, place)| range.partition_point(|e| e.place() < place));
            let rest = &range[..end];
            &rest[end - rest.iter().rev().take_while(|entry| size.take(entry)).count()..]
        };
        let (after, before) = match (page.first(), page.last(), from) {
            (Some(first), Some(last), _) => (last.place(), first.place()),
            // The event that the token was made for lies at the place itself.
            (_, _, Some((Kind::Forward, place))) if place != NOWHERE => {
                (place, Place { sequence: place.sequence.saturating_add(1), ..place })
            }
            (_, _, Some((_, place))) => {
                (Place { sequence: place.sequence.saturating_sub(1), ..place }, place)
            }
            (_, _, None) => (NOWHERE, NOWHERE),
        };
        let page = Located::new(&state, page.to_vec());
        drop(state);

        let events = page.read()?.into_iter().map(|(entry, message)| OutputLogEvent {
            timestamp: UnixMillis(entry.timestamp),
            message,
            ingestion_time: UnixMillis(entry.ingestion),
        });
        Ok(LogEvents {
            events: events.collect(),
            next_forward_token: page_token(Kind::Forward, owner, after),
            next_backward_token: page_token(Kind::Backward, owner, before),
        })
    }
}
