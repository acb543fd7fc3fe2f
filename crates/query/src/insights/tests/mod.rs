//! Queries over a store in memory.

mod columns;
mod oracle;
mod random;
mod results;

use super::{Limits, run};
use std::sync::Arc;
use weir_logs::insights::{Group, Progress, Query, Request, Rows};
use weir_logs::{CreateLogGroup, InputLogEvent, PutLogEvents, Scope, Store};
use weir_types::time::UnixMillis;

/// 2026-11-22T12:00:00Z.
pub const NOW: UnixMillis = UnixMillis(1_795_348_800_000);

pub struct World {
    store: Store,
    groups: Vec<Group>,
}

impl World {
    pub fn new() -> Self {
        Self { store: Store::in_memory(), groups: Vec::new() }
    }

    /// Adds a group with one stream; each event is seconds before [`NOW`], and a message.
    pub fn group(mut self, name: &str, formats: &[&str], events: &[(i64, &str)]) -> Self {
        let scope = Scope::new("123456789012", "us-east-1");
        let create = CreateLogGroup { name: name.into(), ..Default::default() };
        self.store.create_log_group(&scope, create, NOW).unwrap();
        self.store.create_log_stream(&scope, name, "stream", NOW).unwrap();
        let mut events: Vec<InputLogEvent> = events
            .iter()
            .map(|(age, message)| InputLogEvent {
                timestamp: UnixMillis(NOW.0 - age * 1000),
                message: (*message).to_owned(),
            })
            .collect();
        events.sort_by_key(|event| event.timestamp);
        if !events.is_empty() {
            let put =
                PutLogEvents { group: name.into(), stream: "stream".into(), events, sequence_token: None };
            self.store.put_log_events(&scope, &put, NOW).unwrap();
        }
        let formats = formats.iter().map(|format| (*format).to_owned()).collect();
        self.groups.push(Group { scope, name: name.into(), formats });
        self
    }

    /// Adds events to some streams of a group, one after the other.
    pub fn put(self, group: &str, streams: usize, events: &[(i64, &str)]) -> Self {
        let scope = Scope::new("123456789012", "us-east-1");
        for number in 0..streams {
            let stream = format!("stream{number}");
            // It may be there.
            let _ = self.store.create_log_stream(&scope, group, &stream, NOW);
            let own = events.iter().skip(number).step_by(streams);
            let events: Vec<InputLogEvent> = own
                .map(|(age, message)| InputLogEvent {
                    timestamp: UnixMillis(NOW.0 - age * 1000),
                    message: (*message).to_owned(),
                })
                .collect();
            if !events.is_empty() {
                let put = PutLogEvents { group: group.into(), stream, events, sequence_token: None };
                self.store.put_log_events(&scope, &put, NOW).unwrap();
            }
        }
        self
    }

    /// Moves all events from log files to segments.
    pub fn flushed(self) -> Self {
        self.store.flush().unwrap();
        self
    }

    /// All events but those of the future.
    pub fn run(&self, query: &str) -> Rows {
        self.run_with(query, 10_000).0
    }

    pub fn run_with(&self, query: &str, limit: usize) -> (Rows, Arc<Progress>) {
        self.run_in(query, limit, (0, NOW.0))
    }

    pub fn run_between(&self, query: &str, span: (i64, i64)) -> Rows {
        self.run_in(query, 10_000, span).0
    }

    fn run_in(&self, query: &str, limit: usize, (start, end): (i64, i64)) -> (Rows, Arc<Progress>) {
        let request = Request {
            query: Query::parse(query).unwrap_or_else(|error| panic!("{query}: {error}")),
            groups: self.groups.clone(),
            start,
            end,
            limit,
            now: NOW,
        };
        let progress = Arc::new(Progress::default());
        let limits = Limits { parallelism: 2, ..Limits::default() };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let rows = runtime.block_on(run(&self.store, request, limits, progress.clone()));
        (rows.unwrap_or_else(|error| panic!("{query}: {error:?}")), progress)
    }
}

/// Rows as lines, `field=value` by `field=value`, without `@ptr`.
pub fn lines(rows: &Rows) -> Vec<String> {
    let line = |row: &Vec<Option<String>>| {
        let cells = rows.columns.iter().zip(row).filter(|(name, _)| *name != "@ptr");
        let cells = cells.filter_map(|(name, value)| Some(format!("{name}={}", value.as_ref()?)));
        cells.collect::<Vec<_>>().join(" ")
    };
    rows.rows.iter().map(line).collect()
}
