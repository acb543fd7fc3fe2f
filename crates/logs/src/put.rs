//! PutLogEvents: what a batch must be, and which of its events are taken.
//!
//! Order of the checks: modelled constraints, group, stream, chronology, sizes,
//! then which events are too old, expired or too new, then the span of the rest.
//!
//! Source: CloudWatch Logs API reference, PutLogEvents.

use sha2::{Digest, Sha256};
use std::ops::Range;

use crate::commit::{Put, Reply, Request};
use crate::error::LogsError;
use crate::index::kept_from;
use crate::limits::{
    Constraints, EVENT_OVERHEAD_BYTES, MAX_AGE_MS, MAX_AHEAD_MS, MAX_BATCH_BYTES, MAX_BATCH_EVENTS,
    MAX_SPAN_MS, at_least, at_most,
};
use crate::listen::Stored;
use crate::record::{Events, TokenHash};
use crate::store::{Scope, Store};
use crate::token::sequence_token;
use weir_types::time::UnixMillis;

/// One event of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputLogEvent {
    pub timestamp: UnixMillis,
    /// At least one character.
    pub message: String,
}

/// What PutLogEvents takes.
///
/// AWS ignores `sequence_token`. So does Weir, unless it starts with `weir:`:
/// then a later batch for the stream with the same token is acknowledged
/// without being stored again, so that a publisher that does not know whether
/// its batch arrived may send it once more. A stream remembers the tokens of
/// its last 64 batches that had one, also over a restart. A batch of which
/// nothing was stored leaves no token.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PutLogEvents {
    pub group: String,
    pub stream: String,
    /// In order of time, 1 to 10,000.
    pub events: Vec<InputLogEvent>,
    pub sequence_token: Option<String>,
}

/// The batch is durable, but for the rejected events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutLogEventsResult {
    /// 56 digits.
    pub next_sequence_token: String,
    /// `None` if every event was stored (or the whole batch was before).
    pub rejected: Option<RejectedLogEventsInfo>,
}

/// Which events were not stored; indexes into the request's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RejectedLogEventsInfo {
    /// Events before this index were more than 14 days old.
    pub too_old_log_event_end_index: Option<usize>,
    /// Events before this index were older than the group's retention.
    pub expired_log_event_end_index: Option<usize>,
    /// Events from this index on were more than 2 hours ahead.
    pub too_new_log_event_start_index: Option<usize>,
}

impl Store {
    /// PutLogEvents: returns when the events are durable.
    pub fn put_log_events(
        &self,
        scope: &Scope,
        request: &PutLogEvents,
        now: UnixMillis,
    ) -> Result<PutLogEventsResult, LogsError> {
        check_model(request)?;
        let PutLogEvents { group, stream, events, sequence_token: token } = request;
        let token = token.as_deref().and_then(token_hash);
        let (kept_from, last, repeated, filters) = {
            let state = self.state();
            let group = state.group(scope, group)?;
            let stream = state.stream(group, stream)?;
            let repeated = token.is_some_and(|token| stream.meta.tokens.contains(&token));
            let last = stream.meta.seen.map_or(0, |seen| seen.last_sequence);
            (kept_from(group.meta.retention_days, now), last, repeated, group.compiled.clone())
        };
        check_batch(events, self.inner.options.max_event_bytes)?;
        if repeated {
            return Ok(PutLogEventsResult { next_sequence_token: sequence_token(last), rejected: None });
        }
        let (taken, rejected) = classify(events, now, kept_from);
        let taken = &events[taken];
        if let (Some(first), Some(last)) = (taken.first(), taken.last())
            && last.timestamp.0.saturating_sub(first.timestamp.0) > MAX_SPAN_MS
        {
            let text =
                "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.";
            return Err(LogsError::InvalidParameter(text.into()));
        }
        if taken.is_empty() {
            return Ok(PutLogEventsResult { next_sequence_token: sequence_token(last), rejected });
        }
        let mut bytes = Events::default();
        for event in taken {
            bytes.push(event.timestamp.0, &event.message);
        }
        let put = Put {
            scope: scope.clone(),
            group: group.clone(),
            stream: stream.clone(),
            token,
            events: bytes,
            now,
        };
        let last = match self.inner.committer.submit(Request::Put(put))? {
            Reply::Put(done) => {
                if done.stored {
                    self.tell(&Stored {
                        scope,
                        group,
                        stream,
                        stream_id: done.stream,
                        first_sequence: done.last_sequence + 1 - taken.len() as u64,
                        ingestion: now,
                        events: taken,
                        filters,
                    });
                }
                done.last_sequence
            }
            Reply::Changed(_) => last,
        };
        Ok(PutLogEventsResult { next_sequence_token: sequence_token(last), rejected })
    }
}

fn token_hash(token: &str) -> Option<TokenHash> {
    if !token.starts_with("weir:") {
        return None;
    }
    let mut hash = TokenHash::default();
    hash.copy_from_slice(&Sha256::digest(token)[..16]);
    Some(hash)
}

/// The constraints that AWS's service model states.
fn check_model(request: &PutLogEvents) -> Result<(), LogsError> {
    let PutLogEvents { group, stream, events, sequence_token } = request;
    let mut constraints = Constraints::new();
    constraints.group_name(group, "logGroupName").stream_name(stream, "logStreamName");
    let count = events.len();
    let shown = format!("[{count} events]");
    constraints.that(count >= 1, "[]", "logEvents", at_least("length", 1));
    constraints.that(count <= MAX_BATCH_EVENTS, shown, "logEvents", at_most("length", MAX_BATCH_EVENTS));
    for (i, event) in events.iter().enumerate() {
        // Paths are made only for events that need one.
        if event.message.is_empty() {
            let path = format!("logEvents.{}.member.message", i + 1);
            constraints.that(false, "", &path, at_least("length", 1));
        }
        if event.timestamp.0 < 0 {
            let path = format!("logEvents.{}.member.timestamp", i + 1);
            constraints.that(false, event.timestamp.0, &path, at_least("value", 0));
        }
    }
    if let Some(token) = sequence_token {
        constraints.that(!token.is_empty(), token, "sequenceToken", at_least("length", 1));
    }
    constraints.finish()
}

fn check_batch(events: &[InputLogEvent], max_event_bytes: usize) -> Result<(), LogsError> {
    if !events.is_sorted_by_key(|event| event.timestamp) {
        let text = "Log events in a single PutLogEvents request must be in chronological order.";
        return Err(LogsError::InvalidParameter(text.into()));
    }
    let mut batch_bytes = 0;
    for event in events {
        let bytes = event.message.len() + EVENT_OVERHEAD_BYTES;
        if bytes > max_event_bytes {
            let text = format!("Log event too large: {bytes} bytes exceeds limit of {max_event_bytes}");
            return Err(LogsError::InvalidParameter(text));
        }
        batch_bytes += bytes;
    }
    if batch_bytes > MAX_BATCH_BYTES {
        let text = format!("Upload too large: {batch_bytes} bytes exceeds limit of {MAX_BATCH_BYTES}");
        return Err(LogsError::InvalidParameter(text));
    }
    Ok(())
}

/// The events to store, and what is said of the others. Events are sorted.
fn classify(
    events: &[InputLogEvent],
    now: UnixMillis,
    kept_from: i64,
) -> (Range<usize>, Option<RejectedLogEventsInfo>) {
    let older_than = |limit: i64| events.partition_point(|event| event.timestamp.0 < limit);
    let too_old = older_than(now.0.saturating_sub(MAX_AGE_MS));
    let expired = older_than(kept_from);
    let too_new = older_than(now.0.saturating_add(MAX_AHEAD_MS).saturating_add(1));
    let start = too_old.max(expired);
    let rejected = RejectedLogEventsInfo {
        too_old_log_event_end_index: (too_old > 0).then_some(too_old),
        expired_log_event_end_index: (expired > 0).then_some(expired),
        too_new_log_event_start_index: (too_new < events.len()).then_some(too_new),
    };
    let any = rejected != RejectedLogEventsInfo::default();
    (start.min(too_new)..too_new, any.then_some(rejected))
}
