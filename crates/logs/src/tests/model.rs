//! Random operations, failing disks and power cuts against a plain model.
//!
//! After each operation the store must show exactly what the model has. One
//! that failed must not be seen; after a restart the last that failed may be
//! there wholly or not at all, never in part.

use proptest::prelude::*;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::disk::Disk;
use super::*;
use crate::index::{Place, State};
use crate::segment::{Selection, Walk, Wanted};

#[derive(Debug, Clone)]
enum Op {
    CreateGroup(u8),
    DeleteGroup(u8),
    CreateStream(u8, u8),
    DeleteStream(u8, u8),
    /// Group, stream, minutes from now of each event, token.
    Put(u8, u8, Vec<i64>, Option<u8>),
    Retention(u8, Option<i64>),
    Maintain,
    /// Segments of all that is in the log files.
    Flush,
    Merge,
    /// Hours.
    Wait(i64),
    Reopen,
    /// Changes of the disk that work, then some that fail.
    Full(u64, u64),
    /// Changes of the disk that work; what comes back is drawn by the seed.
    PowerCut(u64, u64),
    /// Changes of the disk that work before the process dies.
    Kill(u64),
}

#[derive(Debug, Clone, PartialEq, Default)]
struct Model {
    groups: BTreeMap<String, Group>,
}

#[derive(Debug, Clone, PartialEq, Default)]
struct Group {
    retention: Option<i64>,
    streams: BTreeMap<String, Stream>,
}

#[derive(Debug, Clone, PartialEq, Default)]
struct Stream {
    events: Vec<Event>,
    tokens: VecDeque<String>,
}

#[derive(Debug, Clone, PartialEq)]
struct Event {
    timestamp: i64,
    ingestion: i64,
    /// Order of arrival.
    number: u64,
    text: String,
}

struct World {
    disk: Disk,
    store: Store,
    model: Model,
    /// What a restart may find instead.
    maybe: Vec<Model>,
    now: i64,
    number: u64,
    /// Of the planned power cut; 0 if the process is to die instead.
    seed: u64,
}

fn group_name(g: u8) -> String {
    format!("group-{}", g % 3)
}

fn stream_name(s: u8) -> String {
    format!("stream-{}", s % 3)
}

/// Of the batch's number and the event's index: records of two formats, prose,
/// and what looks like either.
fn text(number: u64, i: usize) -> String {
    let action = ["ACCEPT", "REJECT"][i % 2];
    match number % 5 {
        0 => format!("{number} {i}"),
        1 | 2 => format!("2 eni-{} 10.0.{i}.{number} - {} {action} OK", number % 3, number * 7),
        3 => format!("{number}  {i}"),
        _ => format!("[{number} {i}]\n"),
    }
}

/// Filter patterns that look at columns, at texts, or cannot match.
const PATTERNS: [&str; 10] = [
    "[..., action=REJECT, status]",
    "[v, e=eni-1, s=10.*, d, n>50, ...]",
    "[a, b=1]",
    "[a!=4, rest]",
    "REJECT",
    "-REJECT",
    "?REJECT ?eni-2",
    "?7 ?\"2 eni\"",
    "[a!=7, b=%^[0-9]+%, ...]",
    "[a, b, c, d, e, f, g, h, i, j]",
];

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let minutes = prop_oneof![8 => -60..60i64, 1 => -21 * 1440..200i64];
    let token = prop_oneof![2 => Just(None), 1 => (0..6u8).prop_map(Some)];
    let days = prop::sample::select(vec![None, Some(1), Some(3), Some(30)]);
    let op = prop_oneof![
        2 => (0..3u8).prop_map(Op::CreateGroup),
        1 => (0..3u8).prop_map(Op::DeleteGroup),
        4 => (0..3u8, 0..3u8).prop_map(|(g, s)| Op::CreateStream(g, s)),
        1 => (0..3u8, 0..3u8).prop_map(|(g, s)| Op::DeleteStream(g, s)),
        14 => (0..3u8, 0..3u8, prop::collection::vec(minutes, 1..5), token).prop_map(|(g, s, mut minutes, t)| {
            minutes.sort_unstable();
            Op::Put(g, s, minutes, t)
        }),
        2 => (0..3u8, days).prop_map(|(g, d)| Op::Retention(g, d)),
        2 => Just(Op::Maintain),
        3 => Just(Op::Flush),
        1 => Just(Op::Merge),
        2 => (1..40i64).prop_map(Op::Wait),
        2 => Just(Op::Reopen),
        2 => (0..8u64, 1..4u64).prop_map(|(after, n)| Op::Full(after, n)),
        2 => (0..12u64, 1..u64::MAX).prop_map(|(after, seed)| Op::PowerCut(after, seed)),
        2 => (0..12u64).prop_map(Op::Kill),
    ];
    prop::collection::vec(op, 1..70)
}

impl Model {
    /// The model after the operation, and whether the store shall accept it.
    fn after(&self, op: &Op, now: i64, number: u64) -> (Self, bool) {
        let mut model = self.clone();
        let ok = model.change(op, now, number).is_some();
        if ok { (model, true) } else { (self.clone(), false) }
    }

    fn change(&mut self, op: &Op, now: i64, number: u64) -> Option<()> {
        let groups = &mut self.groups;
        match op {
            Op::CreateGroup(g) if groups.contains_key(&group_name(*g)) => return None,
            Op::CreateGroup(g) => _ = groups.insert(group_name(*g), Group::default()),
            Op::DeleteGroup(g) => _ = groups.remove(&group_name(*g))?,
            Op::CreateStream(g, s) => {
                let streams = &mut groups.get_mut(&group_name(*g))?.streams;
                if streams.insert(stream_name(*s), Stream::default()).is_some() {
                    return None;
                }
            }
            Op::DeleteStream(g, s) => {
                groups.get_mut(&group_name(*g))?.streams.remove(&stream_name(*s))?;
            }
            Op::Retention(g, days) => groups.get_mut(&group_name(*g))?.retention = *days,
            Op::Put(g, s, minutes, token) => {
                let group = groups.get_mut(&group_name(*g))?;
                let retention = group.retention;
                let stream = group.streams.get_mut(&stream_name(*s))?;
                let token = token.map(|t| format!("weir:{t}"));
                if token.as_ref().is_some_and(|token| stream.tokens.contains(token)) {
                    return Some(());
                }
                let times = minutes.iter().map(|m| now + m * 60_000);
                let taken: Vec<_> = times
                    .enumerate()
                    .filter(|(_, t)| *t >= now - 14 * DAY && *t <= now + 2 * HOUR)
                    .filter(|(_, t)| retention.is_none_or(|days| *t >= now - days * DAY))
                    .collect();
                let (Some((_, first)), Some((_, last))) = (taken.first(), taken.last()) else {
                    return Some(());
                };
                if last - first > DAY {
                    return None;
                }
                for (i, timestamp) in &taken {
                    let text = text(number, *i);
                    let number = number * 10 + *i as u64;
                    stream.events.push(Event { timestamp: *timestamp, ingestion: now, number, text });
                }
                stream.events.sort_by_key(|event| event.timestamp);
                stream.tokens.extend(token);
            }
            Op::Maintain => {
                for group in groups.values_mut() {
                    let Some(days) = group.retention else { continue };
                    for stream in group.streams.values_mut() {
                        stream.events.retain(|event| event.timestamp >= now - days * DAY);
                    }
                }
            }
            Op::Flush
            | Op::Merge
            | Op::Wait(_)
            | Op::Reopen
            | Op::Full(..)
            | Op::PowerCut(..)
            | Op::Kill(_) => {}
        }
        Some(())
    }
}

/// The events of a stream in segments, without those that expired.
fn in_segments(state: &State, group: u64, stream: u64) -> Vec<(Place, i64)> {
    let wanted = Wanted {
        group,
        streams: Selection::Only(vec![stream]),
        after: Place::FIRST,
        before: Place { timestamp: i64::MAX, sequence: u64::MAX },
        expired: state.groups[&group].meta.expired.clone(),
        after_sequence: 0,
        pattern: None,
    };
    let mut walk = Walk::new(state.segments.values().cloned(), wanted, None, true);
    let mut found = Vec::new();
    while let Some(row) = walk.next().unwrap() {
        found.push((row.place, row.block.ingestion(row.row).unwrap()));
    }
    found
}

fn open(disk: &Disk) -> Store {
    let options = StoreOptions { file_bytes: 1, ..Default::default() };
    Store::open_on(Arc::new(disk.clone()), options).unwrap()
}

impl World {
    fn new() -> Self {
        let disk = Disk::default();
        let store = open(&disk);
        Self { disk, store, model: Model::default(), maybe: Vec::new(), now: NOW, number: 0, seed: 0 }
    }

    fn run(&mut self, op: &Op) {
        self.number += 1;
        match op {
            Op::Wait(hours) => self.now += hours * HOUR,
            Op::Reopen => self.restart(),
            Op::Full(after, failures) => self.disk.fail(*after, *failures),
            Op::PowerCut(after, seed) => {
                self.seed = *seed;
                self.disk.stop(*after);
            }
            Op::Kill(after) => {
                self.seed = 0;
                self.disk.stop(*after);
            }
            _ => self.try_op(op),
        }
        self.check(&self.model);
    }

    fn try_op(&mut self, op: &Op) {
        let (after, accepted) = self.model.after(op, self.now, self.number);
        match self.call(op) {
            Ok(()) => {
                assert!(accepted, "{op:?} was accepted");
                if after != self.model {
                    self.maybe.clear();
                }
                self.model = after;
            }
            Err(error) if error.is_client_fault() => assert!(!accepted, "{op:?}: {error}"),
            // Upkeep is two steps; the first may be done.
            Err(_) if matches!(op, Op::Maintain) && self.differs(&self.model).is_some() => {
                self.maybe.clear();
                self.model = after;
            }
            Err(_) => self.maybe.push(after),
        }
        if self.disk.is_dead() {
            self.restart();
        }
    }

    fn call(&self, op: &Op) -> Result<(), LogsError> {
        let (store, scope, now) = (&self.store, scope(), UnixMillis(self.now));
        match op {
            Op::CreateGroup(g) => {
                let request = CreateLogGroup { name: group_name(*g), ..Default::default() };
                store.create_log_group(&scope, request, now)
            }
            Op::DeleteGroup(g) => store.delete_log_group(&scope, &group_name(*g)),
            Op::CreateStream(g, s) => store.create_log_stream(&scope, &group_name(*g), &stream_name(*s), now),
            Op::DeleteStream(g, s) => store.delete_log_stream(&scope, &group_name(*g), &stream_name(*s)),
            Op::Retention(g, Some(days)) => store.put_retention_policy(&scope, &group_name(*g), *days),
            Op::Retention(g, None) => store.delete_retention_policy(&scope, &group_name(*g)),
            Op::Maintain => store.maintain(now).map(|_| ()),
            Op::Flush => store.inner.flush_all(),
            Op::Merge => store.inner.merge(),
            Op::Put(g, s, minutes, token) => {
                let events = minutes.iter().enumerate().map(|(i, m)| InputLogEvent {
                    timestamp: UnixMillis(self.now + m * 60_000),
                    message: text(self.number, i),
                });
                let request = PutLogEvents {
                    group: group_name(*g),
                    stream: stream_name(*s),
                    events: events.collect(),
                    sequence_token: token.map(|t| format!("weir:{t}")),
                };
                store.put_log_events(&scope, &request, now).map(|_| ())
            }
            _ => Ok(()),
        }
    }

    /// Closes and opens the store; after a power cut with what the disk kept.
    fn restart(&mut self) {
        self.store = Store::in_memory();
        if self.disk.is_dead() && self.seed != 0 {
            self.disk.power_up(self.seed);
        }
        self.disk.revive();
        self.store = open(&self.disk);
        let mut candidates = std::iter::once(&self.model).chain(&self.maybe);
        let found = candidates.find(|model| self.differs(model).is_none()).cloned();
        match found {
            Some(model) => self.model = model,
            None => self.check(&self.model),
        }
        self.maybe.clear();
    }

    fn check(&self, model: &Model) {
        if let Some(difference) = self.differs(model) {
            panic!("{difference}");
        }
        self.check_pages(model);
    }

    /// The first difference between the index and the model.
    fn differs(&self, model: &Model) -> Option<String> {
        let state = self.store.state();
        let names = state.names.get(&scope()).cloned().unwrap_or_default();
        if !names.keys().eq(model.groups.keys()) {
            return Some(format!("groups {:?}, not {:?}", names.keys(), model.groups.keys()));
        }
        let mut live: BTreeMap<u32, u64> = state.files.keys().map(|file| (*file, 0)).collect();
        for (name, expect) in &model.groups {
            let group = state.group(&scope(), name).unwrap();
            if group.meta.retention_days.map(i64::from) != expect.retention {
                return Some(format!("retention of {name}"));
            }
            if !group.streams.keys().eq(expect.streams.keys()) {
                return Some(format!("streams of {name}"));
            }
            for (stream_name, expect) in &expect.streams {
                let stream = state.stream(group, stream_name).unwrap();
                let entries = stream.entries.iter().map(|e| (e.place(), e.ingestion));
                let stored = in_segments(&state, group.meta.id, stream.meta.id);
                let mut found: Vec<_> = entries.chain(stored).collect();
                found.sort_unstable();
                let wanted = expect.events.iter().map(|event| (event.timestamp, event.ingestion));
                let times = found.iter().map(|(place, ingestion)| (place.timestamp, *ingestion));
                if !times.eq(wanted) {
                    return Some(format!("{name} {stream_name}: {found:?}, not {:?}", expect.events));
                }
                let hash = |token: &String| Sha256::digest(token)[..16].to_vec();
                if !stream.meta.tokens.iter().map(|t| t.to_vec()).eq(expect.tokens.iter().map(hash)) {
                    return Some(format!("{name} {stream_name}: tokens"));
                }
                let bytes: usize = stream.entries.iter().map(|entry| entry.counted_bytes()).sum();
                assert_eq!(stream.bytes, bytes as u64);
                let parts = state.segments.values().map(|segment| segment.stream_bytes(stream.meta.id));
                assert_eq!(stream.segment_bytes, parts.sum::<u64>(), "bytes in segments");
                let kept: usize = expect.events.iter().map(|event| event.text.len() + 26).sum();
                assert!(stream.bytes + stream.segment_bytes >= kept as u64);
                for entry in &stream.entries {
                    *live.get_mut(&entry.file).unwrap() += 1;
                }
            }
        }
        let counted: BTreeMap<u32, u64> = state.files.iter().map(|(n, file)| (*n, file.live)).collect();
        assert_eq!(counted, live, "events per file");
        None
    }

    /// Everything through the API, in small pages.
    fn check_pages(&self, model: &Model) {
        let now = UnixMillis(self.now);
        for (name, group) in &model.groups {
            let visible =
                |event: &&Event| group.retention.is_none_or(|days| event.timestamp >= self.now - days * DAY);
            let mut all = Vec::new();
            for (stream_name, stream) in &group.streams {
                let expect: Vec<&Event> = stream.events.iter().filter(visible).collect();
                let texts: Vec<&str> = expect.iter().map(|event| event.text.as_str()).collect();
                for (start_from_head, limit) in [(true, 3), (false, 4)] {
                    assert_eq!(self.pages(name, stream_name, start_from_head, limit), texts);
                }
                all.extend(expect.into_iter().map(|event| (event, stream_name)));
            }
            all.sort_by_key(|(event, _)| (event.timestamp, event.number));
            let expect: Vec<_> =
                all.into_iter().map(|(event, stream)| (event.text.clone(), stream.clone())).collect();
            assert_eq!(self.filtered(name, None, now), expect);
            let pattern = PATTERNS[self.number as usize % PATTERNS.len()];
            let compiled = crate::pattern::Pattern::parse(pattern).unwrap();
            let expect: Vec<_> = expect.into_iter().filter(|(text, _)| compiled.matches(text)).collect();
            assert_eq!(self.filtered(name, Some(pattern), now), expect, "{pattern}");
        }
    }

    fn filtered(&self, group: &str, pattern: Option<&str>, now: UnixMillis) -> Vec<(String, String)> {
        let mut request = FilterLogEvents {
            group: group.into(),
            limit: Some(5),
            filter_pattern: pattern.map(Into::into),
            ..Default::default()
        };
        let mut found = Vec::new();
        loop {
            let page = self.store.filter_log_events(&scope(), &request, now).unwrap();
            found.extend(page.events.into_iter().map(|event| (event.message, event.log_stream_name)));
            request.next_token = page.next_token;
            if request.next_token.is_none() {
                return found;
            }
        }
    }

    fn pages(&self, group: &str, stream: &str, start_from_head: bool, limit: i64) -> Vec<String> {
        let mut request = GetLogEvents {
            group: group.into(),
            stream: stream.into(),
            start_from_head,
            limit: Some(limit),
            ..Default::default()
        };
        let mut pages: VecDeque<Vec<String>> = VecDeque::new();
        loop {
            let page = self.store.get_log_events(&scope(), &request, UnixMillis(self.now)).unwrap();
            let texts = page.events.into_iter().map(|event| event.message).collect();
            let next = if start_from_head {
                pages.push_back(texts);
                page.next_forward_token
            } else {
                pages.push_front(texts);
                page.next_backward_token
            };
            if request.next_token.as_ref() == Some(&next) {
                return pages.into_iter().flatten().collect();
            }
            request.next_token = Some(next);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_is_the_model(ops in ops()) {
        let mut world = World::new();
        for op in &ops {
            world.run(op);
        }
        world.restart();
        world.check(&world.model);
    }
}
