//! A query to be run, and what comes of it: what the service and the engine
//! tell each other.

use super::ast::Query;
use super::discover::{Discovery, RecordFormat};
use crate::store::Scope;
use std::sync::atomic::{AtomicU64, Ordering};
use weir_types::time::UnixMillis;

/// A query over the events of some groups.
#[derive(Debug, Clone)]
pub struct Request {
    pub query: Query,
    pub groups: Vec<Group>,
    /// The first millisecond, included.
    pub start: i64,
    /// The last millisecond, included.
    pub end: i64,
    /// The most rows of a query without the command `limit`.
    pub limit: usize,
    pub now: UnixMillis,
}

/// A group whose events are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub scope: Scope,
    pub name: String,
    /// LogFormats of the flow logs that write to it.
    pub formats: Vec<String>,
}

impl Group {
    pub fn discovery(&self) -> Discovery {
        Discovery::new(self.formats.iter().map(|format| RecordFormat::new(format)))
    }

    /// The value of `@log`.
    pub fn log(&self) -> String {
        format!("{}:{}", self.scope.account, self.name)
    }
}

/// Rows of a result. All values are texts, as the service gives them; `None`:
/// the row does not have the field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rows {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Option<String>>>,
}

impl Rows {
    /// What they take in memory, about, bytes.
    pub fn bytes(&self) -> usize {
        let value =
            |value: &Option<String>| size_of::<Option<String>>() + value.as_ref().map_or(0, String::len);
        self.rows.iter().map(|row| size_of::<Vec<String>>() + row.iter().map(value).sum::<usize>()).sum()
    }
}

/// What a running query has read so far.
#[derive(Debug, Default)]
pub struct Progress {
    records: AtomicU64,
    bytes: AtomicU64,
    matched: AtomicU64,
}

impl Progress {
    pub fn read(&self, records: u64, bytes: u64) {
        self.records.fetch_add(records, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Records that the filters let through.
    pub fn matched_more(&self, records: u64) {
        self.matched.fetch_add(records, Ordering::Relaxed);
    }

    /// How many records the filters let through, where it is known at the end only.
    pub fn set_matched(&self, records: u64) {
        self.matched.store(records, Ordering::Relaxed);
    }

    /// Events read.
    pub fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    /// Bytes of their messages.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub fn matched(&self) -> u64 {
        self.matched.load(Ordering::Relaxed)
    }
}

/// Where an event is: what `@ptr` means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    pub group: String,
    pub stream: String,
    /// Milliseconds since 1970.
    pub timestamp: i64,
    /// As FilterLogEvents gives it.
    pub event_id: String,
}

impl Pointer {
    /// Texts without characters that JSON would escape; names of streams have
    /// no colon.
    pub fn to_text(&self) -> String {
        format!("{}:{}:{}:{}", self.timestamp, self.event_id, self.group, self.stream)
    }

    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(4, ':');
        let timestamp = parts.next()?.parse().ok()?;
        let event_id = parts.next()?.to_owned();
        let group = parts.next()?.to_owned();
        Some(Self { group, stream: parts.next()?.to_owned(), timestamp, event_id })
    }
}
