//! One spool file: what it holds, and its bytes.
//!
//! ```text
//! {"weir_spool":1,"flow_log":"fl-...","account":...,"destination":{...},...}   header
//! {"stream":"eni-0123456789abcdef0-all","events":2}                            a stream
//! 1418530010000 2 123456789010 eni-0123456789abcdef0 ... ACCEPT OK             its events:
//! 1418530012000 2 123456789010 eni-0123456789abcdef0 ... REJECT OK             milliseconds, line
//! {"stream":...}                                                               the next stream
//! {"crc32":"0123abcd","bytes":4711}                                            of all before this line
//! ```
//!
//! Lines end with `\n`. A file without a last line that fits is torn and is
//! never delivered.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::Write;
use weir_types::id::{EniId, FlowLogId};
use weir_types::orders;
use weir_types::time::UnixMillis;

/// The format that this code writes.
const VERSION: u32 = 1;

/// Whose records they are, and where they go. On disk as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub flow_log: FlowLogId,
    pub account: String,
    pub region: String,
    pub destination: orders::Destination,
    pub window_start_s: i64,
    pub window_end_s: i64,
    /// Tells files of one flow log and window apart. It must come out the same
    /// when the step is repeated after a crash: see [`part_of`].
    #[serde(with = "hex16")]
    pub part: u64,
    pub created: UnixMillis,
    /// The LogFormat of the records' lines; `None` in files of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_format: Option<String>,
    /// What stood here before the spool was full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<Skipped>,
}

/// What was given up of a window because the spool was full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Skipped {
    pub windows: u64,
    pub records: u64,
    /// As far as the format has them.
    pub packets: u64,
    pub bytes: u64,
}

impl std::ops::AddAssign for Skipped {
    fn add_assign(&mut self, more: Self) {
        self.windows = self.windows.saturating_add(more.windows);
        self.records = self.records.saturating_add(more.records);
        self.packets = self.packets.saturating_add(more.packets);
        self.bytes = self.bytes.saturating_add(more.bytes);
    }
}

/// The part for a file that holds the records of these interfaces, whatever
/// their order.
pub fn part_of<'a>(interfaces: impl IntoIterator<Item = &'a EniId>) -> u64 {
    let mut interfaces: Vec<&EniId> = interfaces.into_iter().collect();
    interfaces.sort_unstable();
    interfaces.dedup();
    let mut hash = Sha256::new();
    for interface in interfaces {
        hash.update(interface.as_str());
        hash.update(b"\n");
    }
    hash.finalize().iter().take(8).fold(0, |part, &byte| part << 8 | u64::from(byte))
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub timestamp: UnixMillis,
    /// Not empty, one line.
    pub message: String,
}

/// The records of one log stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamEvents {
    pub stream: String,
    pub events: Vec<Event>,
}

/// The records of one flow log and window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolFile {
    pub header: Header,
    pub streams: Vec<StreamEvents>,
}

impl SpoolFile {
    pub fn new(header: Header) -> Self {
        Self { header, streams: Vec::new() }
    }

    /// Adds a record. Records of one stream should come one after the other.
    pub fn push(&mut self, stream: &str, timestamp: UnixMillis, message: impl Into<String>) {
        let event = Event { timestamp, message: message.into() };
        match self.streams.last_mut() {
            Some(last) if last.stream == stream => last.events.push(event),
            _ => self.streams.push(StreamEvents { stream: stream.to_owned(), events: vec![event] }),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.streams.is_empty()
    }

    /// Records in all streams.
    pub fn events(&self) -> usize {
        self.streams.iter().map(|stream| stream.events.len()).sum()
    }
}

/// Why bytes are not a spool file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("it ends early: its checksum is missing")]
    Torn,
    #[error("its checksum does not fit")]
    Checksum,
    #[error("it has format {0}, this version reads {VERSION}")]
    Version(u32),
    #[error("line {line} is malformed")]
    Malformed { line: usize },
    #[error("it belongs to another flow log or window than its name says")]
    Misplaced,
}

/// A message that would be two lines.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a record for stream {stream} has a line break in it")]
pub struct LineBreak {
    pub stream: String,
}

#[derive(Serialize, Deserialize)]
struct HeaderLine<H> {
    weir_spool: u32,
    #[serde(flatten)]
    header: H,
}

#[derive(Serialize, Deserialize)]
struct StreamLine {
    stream: String,
    events: usize,
}

#[derive(Serialize, Deserialize)]
struct LastLine {
    crc32: String,
    bytes: usize,
}

/// The bytes of a file.
pub(super) fn encode(file: &SpoolFile) -> Result<Vec<u8>, LineBreak> {
    let mut out = Vec::new();
    json_line(&mut out, &HeaderLine { weir_spool: VERSION, header: &file.header });
    for StreamEvents { stream, events } in &file.streams {
        json_line(&mut out, &StreamLine { stream: stream.clone(), events: events.len() });
        for event in events {
            if event.message.contains('\n') {
                return Err(LineBreak { stream: stream.clone() });
            }
            // Writing to a Vec cannot fail.
            drop(writeln!(out, "{} {}", event.timestamp.0, event.message));
        }
    }
    let last = LastLine { crc32: format!("{:08x}", crc32fast::hash(&out)), bytes: out.len() };
    json_line(&mut out, &last);
    Ok(out)
}

fn json_line(out: &mut Vec<u8>, value: &impl Serialize) {
    // Neither a Vec nor these types can fail.
    drop(serde_json::to_writer(&mut *out, value));
    out.push(b'\n');
}

/// A file from its bytes; the checksum is looked at first.
pub(super) fn decode(bytes: &[u8]) -> Result<SpoolFile, Unreadable> {
    let whole = bytes.strip_suffix(b"\n").ok_or(Unreadable::Torn)?;
    let last_at = whole.iter().rposition(|&b| b == b'\n').ok_or(Unreadable::Torn)? + 1;
    let (body, last) = whole.split_at(last_at);
    let last: LastLine = serde_json::from_slice(last).map_err(|_| Unreadable::Torn)?;
    if last.bytes != body.len() || last.crc32 != format!("{:08x}", crc32fast::hash(body)) {
        return Err(Unreadable::Checksum);
    }
    let text = std::str::from_utf8(body).map_err(|_| Unreadable::Malformed { line: 1 })?;
    let mut lines = (1..).zip(text.lines());
    let (_, first) = lines.next().ok_or(Unreadable::Torn)?;
    let malformed = |line| Unreadable::Malformed { line };
    let version: HeaderLine<serde_json::Value> = serde_json::from_str(first).map_err(|_| malformed(1))?;
    if version.weir_spool != VERSION {
        return Err(Unreadable::Version(version.weir_spool));
    }
    let header = serde_json::from_value(version.header).map_err(|_| malformed(1))?;
    let mut file = SpoolFile::new(header);
    while let Some((line, text)) = lines.next() {
        let head: StreamLine = serde_json::from_str(text).map_err(|_| malformed(line))?;
        // Not `with_capacity(head.events)`: the number comes from the file.
        let mut events = Vec::new();
        for _ in 0..head.events {
            let (line, text) = lines.next().ok_or(malformed(line))?;
            events.push(event(text).ok_or(malformed(line))?);
        }
        file.streams.push(StreamEvents { stream: head.stream, events });
    }
    Ok(file)
}

fn event(line: &str) -> Option<Event> {
    let (timestamp, message) = line.split_once(' ')?;
    Some(Event { timestamp: UnixMillis(timestamp.parse().ok()?), message: message.to_owned() })
}

/// All 64 bits as text: numbers in JSON are safe only up to 2^53.
mod hex16 {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(part: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{part:016x}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> SpoolFile {
        let mut file = SpoolFile::new(Header {
            flow_log: "fl-0123456789abcdef0".parse().unwrap(),
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            destination: orders::Destination::CloudWatchLogs {
                log_group: "/flow/logs".to_owned(),
                role: "arn:aws:iam::123456789012:role/flow".parse().unwrap(),
            },
            window_start_s: 1_418_530_020,
            window_end_s: 1_418_530_080,
            part: u64::MAX,
            created: UnixMillis(1_418_530_080_123),
            log_format: None,
            skipped: None,
        });
        file.push("eni-0-all", UnixMillis(1_418_530_020_000), "2 a - OK");
        file.push("eni-0-all", UnixMillis(1_418_530_021_000), " spaces and \"quotes\" ");
        file.push("eni-1-all", UnixMillis(-1), "größe");
        file
    }

    /// The format on disk: files of earlier versions must be read for ever.
    const GOLDEN: &str = r#"{"weir_spool":1,"flow_log":"fl-0123456789abcdef0","account":"123456789012","region":"us-east-1","destination":{"type":"cloud-watch-logs","log_group":"/flow/logs","role":"arn:aws:iam::123456789012:role/flow"},"window_start_s":1418530020,"window_end_s":1418530080,"part":"ffffffffffffffff","created":1418530080123}
{"stream":"eni-0-all","events":2}
1418530020000 2 a - OK
1418530021000  spaces and "quotes" 
{"stream":"eni-1-all","events":1}
-1 größe
"#;

    #[test]
    fn the_format_on_disk_is_version_1() {
        let bytes = encode(&file()).unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        let last = text.strip_prefix(GOLDEN).unwrap();
        assert_eq!(
            last,
            format!(
                "{{\"crc32\":\"{:08x}\",\"bytes\":{}}}\n",
                crc32fast::hash(GOLDEN.as_bytes()),
                GOLDEN.len()
            )
        );
        assert_eq!(decode(&bytes), Ok(file()));
        assert_eq!(file().events(), 3);
    }

    #[test]
    fn every_cut_and_every_flipped_byte_is_noticed() {
        let bytes = encode(&file()).unwrap();
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length]).is_err(), "cut at {length}");
        }
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert!(decode(&flipped).is_err(), "flipped at {at}");
        }
    }

    #[test]
    fn a_newer_format_and_foreign_text_say_so() {
        let with_checksum = |text: &str| {
            let crc32 = crc32fast::hash(text.as_bytes());
            format!("{text}{{\"crc32\":\"{crc32:08x}\",\"bytes\":{}}}\n", text.len())
        };
        for (text, expected) in [
            (with_checksum("{\"weir_spool\":2,\"new\":true}\n"), Unreadable::Version(2)),
            (with_checksum("hello\n"), Unreadable::Malformed { line: 1 }),
            (with_checksum(&GOLDEN.replace("events\":1", "events\":9")), Unreadable::Malformed { line: 5 }),
            (with_checksum(&GOLDEN.replace("-1 gr", "x gr")), Unreadable::Malformed { line: 6 }),
            ("hello\n".to_owned(), Unreadable::Torn),
            (String::new(), Unreadable::Torn),
        ] {
            assert_eq!(decode(text.as_bytes()), Err(expected), "{text}");
        }
    }

    #[test]
    fn a_line_break_in_a_record_is_refused() {
        let mut file = file();
        file.push("eni-2-all", UnixMillis(0), "two\nlines");
        assert_eq!(encode(&file), Err(LineBreak { stream: "eni-2-all".to_owned() }));
    }

    #[test]
    fn the_part_depends_on_the_set_of_interfaces_only() {
        let eni = |n| EniId::from_random(n);
        assert_eq!(part_of([&eni(1), &eni(2)]), part_of([&eni(2), &eni(1), &eni(2)]));
        assert_ne!(part_of([&eni(1), &eni(2)]), part_of([&eni(1)]));
        assert_ne!(part_of([&eni(1)]), part_of([]));
    }
}
