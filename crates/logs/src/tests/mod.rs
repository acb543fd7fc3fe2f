//! Tests of the whole store. Rules are tables; durability runs on a disk that
//! fails on command; `model` compares with a plain list of events.

mod disk;
mod durability;
mod exports;
mod filters;
mod groups;
mod model;
mod pages;
mod patterns;
mod rules;
mod segments;
mod writers;

use crate::*;
use weir_types::time::UnixMillis;

/// 2023-11-14T22:13:20Z
pub(crate) const NOW: i64 = 1_700_000_000_000;
pub(crate) const HOUR: i64 = 3_600_000;
pub(crate) const DAY: i64 = 24 * HOUR;

pub(crate) fn now() -> UnixMillis {
    UnixMillis(NOW)
}

pub(crate) fn scope() -> Scope {
    Scope::new("123456789012", "us-east-1")
}

/// A store in memory with the group `g` and its streams.
pub(crate) fn store(streams: &[&str]) -> Store {
    let store = Store::in_memory();
    fill(&store, streams);
    store
}

pub(crate) fn fill(store: &Store, streams: &[&str]) {
    create_group(store, "g").unwrap();
    for stream in streams {
        store.create_log_stream(&scope(), "g", stream, now()).unwrap();
    }
}

pub(crate) fn create_group(store: &Store, name: &str) -> Result<(), LogsError> {
    let request = CreateLogGroup { name: name.into(), ..Default::default() };
    store.create_log_group(&scope(), request, now())
}

/// Puts events `(milliseconds after NOW, text)` at NOW.
pub(crate) fn put(
    store: &Store,
    stream: &str,
    events: &[(i64, &str)],
) -> Result<PutLogEventsResult, LogsError> {
    put_with(store, stream, events, None)
}

pub(crate) fn put_with(
    store: &Store,
    stream: &str,
    events: &[(i64, &str)],
    token: Option<&str>,
) -> Result<PutLogEventsResult, LogsError> {
    let events = events
        .iter()
        .map(|(after, text)| InputLogEvent { timestamp: UnixMillis(NOW + after), message: (*text).into() });
    let request = PutLogEvents {
        group: "g".into(),
        stream: stream.into(),
        events: events.collect(),
        sequence_token: token.map(Into::into),
    };
    store.put_log_events(&scope(), &request, now())
}

/// The messages of a stream, oldest first.
pub(crate) fn messages(store: &Store, stream: &str) -> Vec<String> {
    let request = GetLogEvents {
        group: "g".into(),
        stream: stream.into(),
        start_from_head: true,
        ..Default::default()
    };
    let page = store.get_log_events(&scope(), &request, now()).unwrap();
    page.events.into_iter().map(|event| event.message).collect()
}

/// `Code: text` of an error, "ok" without one.
pub(crate) fn said<T: std::fmt::Debug>(result: Result<T, LogsError>) -> String {
    match result {
        Ok(_) => "ok".into(),
        Err(error) => format!("{}: {error}", error.code().trim_end_matches("Exception")),
    }
}
