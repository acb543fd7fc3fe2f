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
use crate::limits::{Constraints, EVENT_OVERHEAD_BYTES, MAX_PAGE_EVENTS};
use crate::read::{Located, PageSize};
use crate::segment::{Scratch, Selection, Walk, Wanted};
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
        let kept_from = kept_from(group.meta.retention_days, now);
        let (start, end) = (start_time.unwrap_or(0), end_time.unwrap_or(i64::MAX));
        let range = stream.between(start, end, kept_from);
        let forward = match from {
            Some((kind, _)) => kind == Kind::Forward,
            None => *start_from_head,
        };
        let (mut after, mut before) = (Place::before(start.max(kept_from)), Place::before(end));
        match from {
            Some((Kind::Forward, place)) => after = after.max(place),
            Some((_, place)) => before = before.min(place),
            None => {}
        }
        // What would be the page if no segment had anything.
        let mut size = PageSize::new(*limit);
        let mut recent: Vec<Entry> = if forward {
            let start = range.partition_point(|e| e.place() <= after);
            range[start..].iter().take_while(|entry| size.take(entry.counted_bytes())).copied().collect()
        } else {
            let end = range.partition_point(|e| e.place() < before);
            let taken = range[..end].iter().rev();
            taken.take_while(|entry| size.take(entry.counted_bytes())).copied().collect()
        };
        let segments = state.segments_of(group.meta.id, after.timestamp, before.timestamp);
        let wanted = Wanted {
            group: group.meta.id,
            streams: Selection::Only(vec![owner]),
            after,
            before,
            expired: group.meta.expired.clone(),
            after_sequence: 0,
            pattern: None,
        };
        let recent = Located::new(&state, std::mem::take(&mut recent));
        drop(state);

        let mut walk = Walk::new(segments, wanted, Some(&self.inner.cache), forward);
        let mut size = PageSize::new(*limit);
        let mut page: Vec<(Place, OutputLogEvent)> = Vec::new();
        let mut recent = recent.read()?.into_iter().peekable();
        let (mut stored, mut room) = (walk.next()?, Scratch::default());
        loop {
            let first = match (&stored, recent.peek()) {
                (Some(found), Some((entry, _))) => (found.place < entry.place()) == forward,
                (stored, recent) => stored.is_some() && recent.is_none(),
            };
            let (place, ingestion, message) = if first {
                let Some(found) = stored.take() else { break };
                let text = found.text(&mut room)?.to_owned();
                stored = walk.next()?;
                (found.place, found.block.ingestion(found.row)?, text)
            } else {
                let Some((entry, text)) = recent.next() else { break };
                (entry.place(), entry.ingestion, text)
            };
            if !size.take(message.len() + EVENT_OVERHEAD_BYTES) {
                break;
            }
            let timestamp = UnixMillis(place.timestamp);
            page.push((place, OutputLogEvent { timestamp, message, ingestion_time: UnixMillis(ingestion) }));
        }
        if !forward {
            page.reverse();
        }
        let (after, before) = match (page.first(), page.last(), from) {
            (Some(first), Some(last), _) => (last.0, first.0),
            // The event that the token was made for lies at the place itself.
            (_, _, Some((Kind::Forward, place))) if place != NOWHERE => {
                (place, Place { sequence: place.sequence.saturating_add(1), ..place })
            }
            (_, _, Some((_, place))) => {
                (Place { sequence: place.sequence.saturating_sub(1), ..place }, place)
            }
            (_, _, None) => (NOWHERE, NOWHERE),
        };
        Ok(LogEvents {
            events: page.into_iter().map(|(_, event)| event).collect(),
            next_forward_token: page_token(Kind::Forward, owner, after),
            next_backward_token: page_token(Kind::Backward, owner, before),
        })
    }
}
