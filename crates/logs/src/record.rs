//! Records: what the log says happened, as bytes.
//!
//! A frame (see `wal`) holds one or more records; integers are little-endian:
//!
//! ```text
//! record   u32 length of what follows | u8 kind | payload
//!
//! kind  1 snapshot     u64 next id | u64 next sequence | u32 n | n * u32 number of a log file that exists
//!                      the rest of the frame: every group, stream and document; nothing else exists
//!       2 group        JSON of GroupMeta: a new group or its new state
//!       3 group gone   u64 group
//!       4 stream       u64 stream | u64 group | i64 created | u8 has events | i64 first | i64 last
//!                      | i64 last ingestion | u64 last sequence | u16 n | n * 16 bytes token | name
//!       5 stream gone  u64 stream
//!       6 batch        u64 stream | i64 ingestion | u64 sequence of the first event
//!                      | u8 has token | 16 bytes token | u32 n | n * event
//!       7 files gone   u32 n | n * u32 number of a log file that is removed
//!       8 document     JSON of Document: new, changed or gone
//!       9 segments     u32 n | n * segment that is new | u32 n | n * u64 segment that is gone
//!                      | u32 n | n * u32 number of a log file whose events are in the new ones
//!                      | u32 n | n * (u64 stream | i64 bytes that it has more in segments)
//!
//! segment  u64 id | u64 bytes | i64 day | u32 n | n * (u64 group | u64 rows | i64 first | i64 last
//!          | u64 first sequence | u64 last sequence)
//!
//! event    i64 timestamp | u32 length | u32 crc32 of the message | message in UTF-8
//! ```
//!
//! Ids of groups and streams are never used twice. Sequences count events in
//! the order in which they became durable, over the whole store; of the events
//! of a batch the i-th has the first one's sequence plus i.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

use crate::filters::{MetricFilter, SubscriptionFilter};
use crate::segment::{Part, SegmentMeta};
use crate::store::Scope;

/// The first 16 bytes of the SHA-256 of a `weir:` sequence token.
pub(crate) type TokenHash = [u8; 16];

/// Bytes before the message of an event.
pub(crate) const EVENT_HEADER: usize = 16;

/// A log group as it rests on disk. New members need `serde(default)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct GroupMeta {
    pub id: u64,
    pub scope: Scope,
    pub name: String,
    /// Milliseconds since 1970.
    pub created: i64,
    pub class: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u16>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    #[serde(default)]
    pub deletion_protection: bool,
    /// `(before, sequence)`: events older than `before` whose sequence is less
    /// are gone for good, even if retention is lengthened afterwards.
    /// Invariant: `before` falls and `sequence` rises from one to the next.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expired: Vec<(i64, u64)>,
    /// By name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metric_filters: BTreeMap<String, MetricFilter>,
    /// By name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub subscription_filters: BTreeMap<String, SubscriptionFilter>,
}

/// What an account has besides groups, by kind and id: `value` is JSON text,
/// `None` if it is gone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Document {
    pub scope: Scope,
    pub kind: String,
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

impl GroupMeta {
    /// Notes that what is older than `before` now, is gone.
    pub fn expire(&mut self, before: i64, next_sequence: u64) {
        self.expired.retain(|&(older, _)| older > before);
        self.expired.push((before, next_sequence));
    }

    pub fn is_expired(&self, timestamp: i64, sequence: u64) -> bool {
        self.expired.iter().any(|&(before, until)| timestamp < before && sequence < until)
    }
}

/// A log stream as it rests on disk.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StreamMeta {
    pub id: u64,
    pub group: u64,
    pub name: String,
    pub created: i64,
    /// Of all events ever stored, also those that expired.
    pub seen: Option<Seen>,
    /// The newest tokens, oldest first.
    pub tokens: VecDeque<TokenHash>,
}

/// What a stream remembers of its events. Times are milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Seen {
    pub first: i64,
    pub last: i64,
    pub last_ingestion: i64,
    pub last_sequence: u64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct BatchHead {
    pub stream: u64,
    pub ingestion: i64,
    pub first_sequence: u64,
    pub token: Option<TokenHash>,
}

/// Where an event lies: `offset` of its header from the start of the bytes it
/// was read from, `length` of its message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct EventAt {
    pub timestamp: i64,
    pub offset: u32,
    pub length: u32,
}

/// Events ready to be written.
#[derive(Debug, Default)]
pub(crate) struct Events {
    pub bytes: Vec<u8>,
    pub at: Vec<EventAt>,
}

impl Events {
    /// The caller keeps a batch below 4 GiB (1 MiB and overheads).
    pub fn push(&mut self, timestamp: i64, message: &str) {
        let at = EventAt { timestamp, offset: self.bytes.len() as u32, length: message.len() as u32 };
        self.at.push(at);
        self.bytes.extend(timestamp.to_le_bytes());
        self.bytes.extend(at.length.to_le_bytes());
        self.bytes.extend(crc32fast::hash(message.as_bytes()).to_le_bytes());
        self.bytes.extend(message.as_bytes());
    }
}

/// Segments that came and went, and what that changes.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct SegmentsChange {
    pub added: Vec<SegmentMeta>,
    pub gone: Vec<u64>,
    /// Log files whose events are in what was added.
    pub flushed: Vec<u32>,
    /// How many bytes more streams have in segments; every stream with events
    /// in a flushed file is there.
    pub streams: Vec<(u64, i64)>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Record {
    Snapshot { next_id: u64, next_sequence: u64, files: Vec<u32> },
    Group(GroupMeta),
    GroupGone(u64),
    Stream(StreamMeta),
    StreamGone(u64),
    Batch(BatchHead, Vec<EventAt>),
    FilesGone(Vec<u32>),
    Document(Document),
    Segments(SegmentsChange),
}

/// Appends a record that has no events.
pub(crate) fn encode(record: &Record, out: &mut Vec<u8>) {
    let start = begin(out);
    match record {
        Record::Snapshot { next_id, next_sequence, files } => {
            out.push(1);
            out.extend(next_id.to_le_bytes());
            out.extend(next_sequence.to_le_bytes());
            numbers(files, out);
        }
        Record::Group(meta) => {
            out.push(2);
            // Strings, numbers and maps with string keys always have a JSON form.
            out.extend(serde_json::to_vec(meta).unwrap_or_default());
        }
        Record::GroupGone(id) => {
            out.push(3);
            out.extend(id.to_le_bytes());
        }
        Record::Stream(meta) => {
            out.push(4);
            out.extend(meta.id.to_le_bytes());
            out.extend(meta.group.to_le_bytes());
            out.extend(meta.created.to_le_bytes());
            out.push(meta.seen.is_some().into());
            let seen = meta.seen.unwrap_or(Seen { first: 0, last: 0, last_ingestion: 0, last_sequence: 0 });
            out.extend(seen.first.to_le_bytes());
            out.extend(seen.last.to_le_bytes());
            out.extend(seen.last_ingestion.to_le_bytes());
            out.extend(seen.last_sequence.to_le_bytes());
            out.extend((meta.tokens.len() as u16).to_le_bytes());
            out.extend(meta.tokens.iter().flatten());
            out.extend(meta.name.as_bytes());
        }
        Record::StreamGone(id) => {
            out.push(5);
            out.extend(id.to_le_bytes());
        }
        // Batches are written by `encode_batch`, which has their text.
        Record::Batch(..) => debug_assert!(false, "a batch without its text"),
        Record::FilesGone(files) => {
            out.push(7);
            numbers(files, out);
        }
        Record::Document(document) => {
            out.push(8);
            out.extend(serde_json::to_vec(document).unwrap_or_default());
        }
        Record::Segments(change) => {
            out.push(9);
            segments(change, out);
        }
    }
    end(start, out);
}

/// Appends a batch. Returns the offset in `out` that the events' offsets count from.
pub(crate) fn encode_batch(head: &BatchHead, events: &Events, out: &mut Vec<u8>) -> u32 {
    let start = begin(out);
    out.push(6);
    out.extend(head.stream.to_le_bytes());
    out.extend(head.ingestion.to_le_bytes());
    out.extend(head.first_sequence.to_le_bytes());
    out.push(head.token.is_some().into());
    out.extend(head.token.unwrap_or_default());
    out.extend((events.at.len() as u32).to_le_bytes());
    let base = out.len() as u32;
    out.extend(&events.bytes);
    end(start, out);
    base
}

fn begin(out: &mut Vec<u8>) -> usize {
    out.extend([0; 4]);
    out.len()
}

fn end(start: usize, out: &mut [u8]) {
    let length = (out.len() - start) as u32;
    out[start - 4..start].copy_from_slice(&length.to_le_bytes());
}

fn numbers(files: &[u32], out: &mut Vec<u8>) {
    out.extend((files.len() as u32).to_le_bytes());
    out.extend(files.iter().flat_map(|n| n.to_le_bytes()));
}

fn segments(change: &SegmentsChange, out: &mut Vec<u8>) {
    out.extend((change.added.len() as u32).to_le_bytes());
    for SegmentMeta { id, bytes, day, parts } in &change.added {
        out.extend(id.to_le_bytes());
        out.extend(bytes.to_le_bytes());
        out.extend(day.to_le_bytes());
        out.extend((parts.len() as u32).to_le_bytes());
        for Part { group, rows, first, last, first_sequence, last_sequence } in parts {
            out.extend(group.to_le_bytes());
            out.extend(rows.to_le_bytes());
            out.extend(first.to_le_bytes());
            out.extend(last.to_le_bytes());
            out.extend(first_sequence.to_le_bytes());
            out.extend(last_sequence.to_le_bytes());
        }
    }
    out.extend((change.gone.len() as u32).to_le_bytes());
    out.extend(change.gone.iter().flat_map(|id| id.to_le_bytes()));
    numbers(&change.flushed, out);
    out.extend((change.streams.len() as u32).to_le_bytes());
    for (stream, bytes) in &change.streams {
        out.extend(stream.to_le_bytes());
        out.extend(bytes.to_le_bytes());
    }
}

/// The records of a frame's body, in order; events' offsets count from its
/// start. `None` if the bytes do not have the form drawn above.
pub(crate) fn decode(body: &[u8]) -> Option<Vec<Record>> {
    let mut all = Reader { bytes: body, position: 0 };
    let mut records = Vec::new();
    while all.position < body.len() {
        let length = all.u32()? as usize;
        let end = all.position.checked_add(length)?;
        let mut one = Reader { bytes: body.get(..end)?, position: all.position };
        records.push(one.record()?);
        if one.position != end {
            return None;
        }
        all.position = end;
    }
    Some(records)
}

struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.position..self.position.checked_add(n)?)?;
        self.position += n;
        Some(taken)
    }

    fn rest(&mut self) -> &'a [u8] {
        let rest = &self.bytes[self.position..];
        self.position = self.bytes.len();
        rest
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    fn bool(&mut self) -> Option<bool> {
        match self.array()? {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }

    fn numbers(&mut self) -> Option<Vec<u32>> {
        let n = self.u32()?;
        (0..n).map(|_| self.u32()).collect()
    }

    fn record(&mut self) -> Option<Record> {
        let [kind] = self.array()?;
        Some(match kind {
            1 => {
                Record::Snapshot { next_id: self.u64()?, next_sequence: self.u64()?, files: self.numbers()? }
            }
            2 => Record::Group(serde_json::from_slice(self.rest()).ok()?),
            3 => Record::GroupGone(self.u64()?),
            4 => Record::Stream(self.stream()?),
            5 => Record::StreamGone(self.u64()?),
            6 => self.batch()?,
            7 => Record::FilesGone(self.numbers()?),
            8 => Record::Document(serde_json::from_slice(self.rest()).ok()?),
            9 => Record::Segments(self.segments()?),
            _ => return None,
        })
    }

    fn stream(&mut self) -> Option<StreamMeta> {
        let (id, group, created) = (self.u64()?, self.u64()?, self.i64()?);
        let has_events = self.bool()?;
        let seen = Seen {
            first: self.i64()?,
            last: self.i64()?,
            last_ingestion: self.i64()?,
            last_sequence: self.u64()?,
        };
        let n = self.array().map(u16::from_le_bytes)?;
        let tokens = (0..n).map(|_| self.array()).collect::<Option<_>>()?;
        let name = str::from_utf8(self.rest()).ok()?.to_owned();
        Some(StreamMeta { id, group, name, created, seen: has_events.then_some(seen), tokens })
    }

    fn segments(&mut self) -> Option<SegmentsChange> {
        let mut change = SegmentsChange::default();
        for _ in 0..self.u32()? {
            let (id, bytes, day) = (self.u64()?, self.u64()?, self.i64()?);
            let mut parts = Vec::new();
            for _ in 0..self.u32()? {
                parts.push(Part {
                    group: self.u64()?,
                    rows: self.u64()?,
                    first: self.i64()?,
                    last: self.i64()?,
                    first_sequence: self.u64()?,
                    last_sequence: self.u64()?,
                });
            }
            change.added.push(SegmentMeta { id, bytes, day, parts });
        }
        for _ in 0..self.u32()? {
            change.gone.push(self.u64()?);
        }
        change.flushed = self.numbers()?;
        for _ in 0..self.u32()? {
            change.streams.push((self.u64()?, self.i64()?));
        }
        Some(change)
    }

    fn batch(&mut self) -> Option<Record> {
        let (stream, ingestion, first_sequence) = (self.u64()?, self.i64()?, self.u64()?);
        let has_token = self.bool()?;
        let token = self.array()?;
        let n = self.u32()?;
        let mut at = Vec::new();
        for _ in 0..n {
            let offset = u32::try_from(self.position).ok()?;
            let event = parse_event(&self.bytes[self.position..])?;
            self.take(EVENT_HEADER)?;
            self.take(event.length as usize)?;
            at.push(EventAt { offset, ..event });
        }
        let token = has_token.then_some(token);
        Some(Record::Batch(BatchHead { stream, ingestion, first_sequence, token }, at))
    }
}

/// The header of the event that starts `bytes`.
fn parse_event(bytes: &[u8]) -> Option<EventAt> {
    let mut reader = Reader { bytes, position: 0 };
    Some(EventAt { timestamp: reader.i64()?, length: reader.u32()?, offset: 0 })
}

/// The message of the event that starts `bytes`, if it is the one expected and
/// its check sum is right.
pub(crate) fn message(bytes: &[u8], timestamp: i64, length: u32) -> Option<&str> {
    let mut reader = Reader { bytes, position: 0 };
    if reader.i64()? != timestamp || reader.u32()? != length {
        return None;
    }
    let crc = reader.u32()?;
    let text = reader.take(length as usize)?;
    (crc32fast::hash(text) == crc).then_some(text).and_then(|text| str::from_utf8(text).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records() -> Vec<Record> {
        let group = GroupMeta {
            id: 7,
            scope: Scope::new("123456789012", "us-east-1"),
            name: "/vpc/flow".into(),
            created: 5,
            class: "STANDARD".into(),
            kms_key_id: Some("k".into()),
            retention_days: Some(14),
            tags: BTreeMap::from([("a".into(), "b".into())]),
            deletion_protection: true,
            expired: vec![(9, 1), (8, 2)],
            metric_filters: BTreeMap::new(),
            subscription_filters: BTreeMap::new(),
        };
        let seen = Seen { first: 1, last: 2, last_ingestion: 3, last_sequence: 4 };
        let stream = StreamMeta {
            id: 8,
            group: 7,
            name: "eni-ä".into(),
            created: 6,
            seen: Some(seen),
            tokens: VecDeque::from([[1; 16], [2; 16]]),
        };
        vec![
            Record::Snapshot { next_id: 9, next_sequence: 10, files: vec![1, 3] },
            Record::Group(group),
            Record::Stream(stream.clone()),
            Record::Stream(StreamMeta { seen: None, tokens: VecDeque::new(), ..stream }),
            Record::GroupGone(7),
            Record::StreamGone(8),
            Record::FilesGone(vec![]),
            Record::Document(Document {
                scope: Scope::new("123456789012", "us-east-1"),
                kind: "k".into(),
                id: "i".into(),
                value: Some("{}".into()),
            }),
            Record::Segments(SegmentsChange {
                added: vec![SegmentMeta {
                    id: 4,
                    bytes: 900,
                    day: -1,
                    parts: vec![Part {
                        group: 7,
                        rows: 5,
                        first: -3,
                        last: 9,
                        first_sequence: 1,
                        last_sequence: 6,
                    }],
                }],
                gone: vec![3],
                flushed: vec![1, 2],
                streams: vec![(8, -500)],
            }),
        ]
    }

    #[test]
    fn records_round_trip_and_every_cut_is_noticed() {
        let mut bytes = Vec::new();
        let mut ends = vec![0];
        for record in records() {
            encode(&record, &mut bytes);
            ends.push(bytes.len());
        }
        assert_eq!(decode(&bytes), Some(records()));
        for cut in 0..bytes.len() {
            let count = ends.iter().position(|&end| end == cut);
            assert_eq!(decode(&bytes[..cut]).map(|r| r.len()), count, "cut at {cut}");
        }
    }

    #[test]
    fn batches_round_trip() {
        let mut events = Events::default();
        events.push(5, "hello");
        events.push(6, "wörld");
        let head = BatchHead { stream: 3, ingestion: 9, first_sequence: 40, token: Some([7; 16]) };
        let mut bytes = Vec::new();
        encode(&Record::StreamGone(1), &mut bytes);
        let base = encode_batch(&head, &events, &mut bytes);
        let records = decode(&bytes).unwrap();
        let [_, Record::Batch(read, at)] = records.as_slice() else { panic!("{records:?}") };
        assert_eq!(*read, head);
        for (at, (written, text)) in at.iter().zip(events.at.iter().zip(["hello", "wörld"])) {
            assert_eq!(at.offset, base + written.offset);
            let bytes = &bytes[at.offset as usize..];
            assert_eq!(message(bytes, at.timestamp, at.length), Some(text));
            assert_eq!(message(bytes, at.timestamp + 1, at.length), None);
        }
    }

    #[test]
    fn what_expired_once_stays_expired() {
        let Record::Group(mut group) = records().remove(1) else { panic!() };
        group.expired.clear();
        group.expire(100, 10);
        group.expire(50, 20);
        assert_eq!(group.expired, [(100, 10), (50, 20)]);
        for (timestamp, sequence, gone) in
            [(99, 9, true), (99, 10, false), (100, 9, false), (49, 19, true), (49, 20, false)]
        {
            assert_eq!(group.is_expired(timestamp, sequence), gone, "{timestamp} {sequence}");
        }
        group.expire(100, 30);
        assert_eq!(group.expired, [(100, 30)]);
    }
}
