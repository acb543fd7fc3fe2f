//! All events of a group in a stretch of time, part by part and in no order:
//! for queries that look at every event, on as many threads as they like.
//!
//! A part is a block of a segment, whose typed columns are read as they are
//! ([`TypedEvents`]), or a stretch of the log files. The parts are of one
//! moment: what comes later is not in them, and what is removed later still is.
//!
//! Not for: pages (FilterLogEvents), single streams, filter patterns.

use std::sync::Arc;

use crate::error::LogsError;
use crate::index::{Entry, Place, StreamNames, kept_from};
use crate::read::Located;
use crate::segment::{BlockPart, block_parts};
use crate::store::{Scope, Store};
use crate::token;
use weir_types::time::UnixMillis;

pub use crate::segment::{Texts, Tokens, TypedEvents, address_token, number_token};

/// Events of the log files that are one part, and their bytes.
const PART_EVENTS: usize = if cfg!(test) { 7 } else { 8192 };
const PART_BYTES: usize = 4 << 20;

/// The parts of a scan, and the names of the streams in them.
pub struct EventScan {
    pub parts: Vec<ScanPart>,
    pub streams: Streams,
}

/// Names of a group's streams by their ids.
#[derive(Clone)]
pub struct Streams(Arc<StreamNames>);

impl Streams {
    pub fn name(&self, id: u64) -> Option<&str> {
        self.0.get(&id).map(String::as_str)
    }
}

/// What is read at once.
pub struct ScanPart(Kind);

enum Kind {
    Block(BlockPart),
    Log { located: Located, streams: Vec<u64>, last: i64 },
}

/// An event with its message as it was put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextEvent {
    /// Milliseconds since 1970.
    pub timestamp: i64,
    /// Of its ingestion: unique in the store.
    pub sequence: u64,
    pub stream: u64,
    /// Milliseconds since 1970.
    pub ingestion: i64,
    pub message: String,
}

/// The events of a part.
pub struct PartEvents {
    /// Those whose messages are columns.
    pub typed: Option<TypedEvents>,
    pub texts: Vec<TextEvent>,
    /// Bytes of all messages; of a part of a segment the mean.
    pub bytes: u64,
}

impl ScanPart {
    /// The newest timestamp that may be in it.
    pub fn last(&self) -> i64 {
        match &self.0 {
            Kind::Block(part) => part.last(),
            Kind::Log { last, .. } => *last,
        }
    }

    /// Events and bytes of messages, if they are known without reading it.
    pub fn known(&self) -> Option<(u64, u64)> {
        match &self.0 {
            Kind::Block(part) => part.known(),
            Kind::Log { .. } => None,
        }
    }

    pub fn read(self) -> Result<PartEvents, LogsError> {
        match self.0 {
            Kind::Block(part) => part.read(),
            Kind::Log { located, streams, .. } => {
                let read = located.read()?;
                let event = |((entry, message), stream): ((Entry, String), u64)| TextEvent {
                    timestamp: entry.timestamp,
                    sequence: entry.sequence,
                    stream,
                    ingestion: entry.ingestion,
                    message,
                };
                let texts: Vec<TextEvent> = read.into_iter().zip(streams).map(event).collect();
                let bytes = texts.iter().map(|event| event.message.len() as u64).sum();
                Ok(PartEvents { typed: None, texts, bytes })
            }
        }
    }
}

/// The id that FilterLogEvents gives an event.
pub fn event_id(stream: u64, timestamp: i64, sequence: u64) -> String {
    token::event_id(stream, Place { timestamp, sequence })
}

impl Store {
    /// The events of a group from `start` to `end`, both included, milliseconds
    /// since 1970. Events past the group's retention are left out.
    pub fn scan_events(
        &self,
        scope: &Scope,
        group: &str,
        (start, end): (i64, i64),
        now: UnixMillis,
    ) -> Result<EventScan, LogsError> {
        let state = self.state();
        let group = state.group(scope, group)?;
        let start = start.max(kept_from(group.meta.retention_days, now));
        let names = group.stream_names.clone();
        let mut parts = Vec::new();
        let (mut entries, mut streams, mut bytes) = (Vec::new(), Vec::new(), 0);
        let mut end_part = |entries: &mut Vec<Entry>, streams: &mut Vec<u64>| {
            let entries = std::mem::take(entries);
            let last = entries.iter().map(|entry| entry.timestamp).max().unwrap_or(i64::MIN);
            let located = Located::new(&state, entries);
            parts.push(ScanPart(Kind::Log { located, streams: std::mem::take(streams), last }));
        };
        for stream in group.streams.values().filter_map(|id| state.streams.get(id)) {
            for entry in stream.between(start, end.saturating_add(1), start) {
                entries.push(*entry);
                streams.push(stream.meta.id);
                bytes += entry.counted_bytes();
                if entries.len() >= PART_EVENTS || bytes >= PART_BYTES {
                    end_part(&mut entries, &mut streams);
                    bytes = 0;
                }
            }
        }
        if !entries.is_empty() {
            end_part(&mut entries, &mut streams);
        }
        let segments = state.segments_of(group.meta.id, start, end);
        let (id, expired) = (group.meta.id, group.meta.expired.clone());
        drop(state);
        let blocks = block_parts(&segments, id, (start, end), expired, &names)?;
        parts.extend(blocks.into_iter().map(|part| ScanPart(Kind::Block(part))));
        Ok(EventScan { parts, streams: Streams(names) })
    }
}
