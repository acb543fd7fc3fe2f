//! Log events in JSON to lines: whatever AWS wraps a record in.
//!
//! ```text
//! {"events": [{"message": "2 1234 ..."}]}             aws logs get-log-events, filter-log-events
//! {"messageType": "DATA_MESSAGE", "logEvents": [...]} subscription, as Lambda and Kinesis get it
//! {"message": "2 1234 ..."}                           Firehose, one object a line
//! {"awslogs": {"data": "H4sI..."}}, {"Records": [{"Data": "H4sI..."}]}   base64 of gzip of the second
//! {"results": [[{"field": "@message", "value": "2 1234 ..."}]]}          aws logs get-query-results
//! ["2 1234 ...", {"message": "..."}]                  with --query 'events[].message' or 'events'
//! ```
//!
//! Any number of these may follow each other, pretty or compact. It is read as
//! a stream: memory does not grow with the input. What stands elsewhere is
//! passed over; control messages of subscriptions have no records.

use super::payload;
use std::io::{self, Read};

const OUT_BYTES: usize = 64 << 10;
/// Deeper nesting than any envelope has.
const MAX_DEPTH: usize = 64;

/// Reads the messages, each as a line.
pub struct JsonLines<R> {
    source: R,
    chunk: Vec<u8>,
    at: usize,
    filled: usize,
    /// Of `chunk`'s first byte in the input.
    offset: u64,
    out: Vec<u8>,
    out_at: usize,
    stack: Vec<Frame>,
    /// The text of the last string that was wanted.
    text: Vec<u8>,
    has_events: bool,
}

enum Frame {
    Array { is_wanted: bool },
    Object { is_wanted: bool, key: Key, is_value_next: bool, is_message: bool },
}

/// What a member of an object is to us.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    /// A record.
    Message,
    /// Something with records in it.
    Events,
    /// Base64 of gzip.
    Data,
    MessageType,
    /// `field` and `value` of a query's results.
    FieldName,
    FieldValue,
    Other,
}

impl Key {
    fn of(name: &[u8]) -> Self {
        match name {
            b"message" | b"@message" => Self::Message,
            b"events" | b"logEvents" | b"results" | b"Records" | b"records" | b"awslogs" | b"kinesis" => {
                Self::Events
            }
            b"data" | b"Data" => Self::Data,
            b"messageType" => Self::MessageType,
            b"field" => Self::FieldName,
            b"value" => Self::FieldValue,
            _ => Self::Other,
        }
    }
}

impl<R: Read> JsonLines<R> {
    pub fn new(source: R) -> Self {
        Self {
            source,
            chunk: vec![0; 64 << 10],
            at: 0,
            filled: 0,
            offset: 0,
            out: Vec::new(),
            out_at: 0,
            stack: Vec::new(),
            text: Vec::new(),
            has_events: false,
        }
    }

    fn error(&self, problem: &str) -> io::Error {
        let at = self.offset + self.at as u64;
        io::Error::new(io::ErrorKind::InvalidData, format!("byte {at} of the JSON: {problem}"))
    }

    /// The next byte, without taking it.
    fn peek(&mut self) -> io::Result<Option<u8>> {
        while self.at == self.filled {
            self.offset += self.filled as u64;
            (self.at, self.filled) = (0, 0);
            match self.source.read(&mut self.chunk) {
                Ok(0) => return Ok(None),
                Ok(count) => self.filled = count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.chunk.get(self.at).copied())
    }

    fn take(&mut self) -> io::Result<u8> {
        let byte = self.peek()?.ok_or_else(|| self.error("it ends in the middle"))?;
        self.at += 1;
        Ok(byte)
    }

    /// One token; `false` at the end.
    fn step(&mut self) -> io::Result<bool> {
        let Some(byte) = self.peek()? else {
            if !self.stack.is_empty() {
                return Err(self.error("it ends in the middle"));
            }
            if !self.has_events {
                return Err(self.error("no log events: expected 'events', 'logEvents' or 'message'"));
            }
            return Ok(false);
        };
        self.at += 1;
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b',' | 0x1e => {}
            b':' => match self.stack.last_mut() {
                Some(Frame::Object { is_value_next, .. }) => *is_value_next = true,
                _ => return Err(self.error("a ':' outside an object")),
            },
            b'{' => {
                let is_wanted = self.is_wanted();
                self.push(Frame::Object {
                    is_wanted,
                    key: Key::Other,
                    is_value_next: false,
                    is_message: false,
                })?;
            }
            b'[' => {
                let is_wanted = self.is_wanted();
                // An empty list of events is a good answer too.
                self.has_events |= is_wanted;
                self.push(Frame::Array { is_wanted })?;
            }
            b'}' if matches!(self.stack.last(), Some(Frame::Object { .. })) => self.pop(),
            b']' if matches!(self.stack.last(), Some(Frame::Array { .. })) => self.pop(),
            b'"' => self.string()?,
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
                while let Some(b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E') = self.peek()? {
                    self.at += 1;
                }
                self.value_done();
            }
            other => return Err(self.error(&format!("unexpected {:?}", char::from(other)))),
        }
        Ok(true)
    }

    /// Whether records may stand in the value that begins here.
    fn is_wanted(&self) -> bool {
        match self.stack.last() {
            None => true,
            Some(Frame::Array { is_wanted }) => *is_wanted,
            Some(Frame::Object { is_wanted, key, .. }) => *is_wanted && *key == Key::Events,
        }
    }

    fn push(&mut self, frame: Frame) -> io::Result<()> {
        if self.stack.len() == MAX_DEPTH {
            return Err(self.error("nested too deeply"));
        }
        self.stack.push(frame);
        Ok(())
    }

    fn pop(&mut self) {
        self.stack.pop();
        self.value_done();
    }

    fn value_done(&mut self) {
        if let Some(Frame::Object { is_value_next, .. }) = self.stack.last_mut() {
            *is_value_next = false;
        }
    }

    /// A string of which the opening quote was taken.
    fn string(&mut self) -> io::Result<()> {
        let role = match self.stack.last() {
            None | Some(Frame::Array { is_wanted: true }) => Some(Key::Message),
            Some(Frame::Object { is_wanted: true, key, is_value_next: true, .. }) if *key != Key::Other => {
                Some(*key)
            }
            Some(Frame::Object { is_wanted: true, is_value_next: false, .. }) => None,
            _ => return self.skip_string(),
        };
        self.read_string()?;
        let Some(role) = role else {
            let name = Key::of(&self.text);
            if let Some(Frame::Object { key, .. }) = self.stack.last_mut() {
                *key = name;
            }
            return Ok(());
        };
        let is_own_field = matches!(self.stack.last(), Some(Frame::Object { is_message: true, .. }));
        match role {
            Key::Message => self.message()?,
            Key::FieldValue if is_own_field => self.message()?,
            Key::Data => self.payload()?,
            Key::MessageType if self.text == b"CONTROL_MESSAGE" => {
                self.has_events = true;
                if let Some(Frame::Object { is_wanted, .. }) = self.stack.last_mut() {
                    *is_wanted = false;
                }
            }
            Key::FieldName => {
                let is_own = self.text == b"@message";
                if let Some(Frame::Object { is_message, .. }) = self.stack.last_mut() {
                    *is_message = is_own;
                }
            }
            _ => {}
        }
        self.value_done();
        Ok(())
    }

    fn message(&mut self) -> io::Result<()> {
        self.has_events = true;
        if payload::is_payload(&self.text) {
            return self.payload();
        }
        let line = self.text.strip_suffix(b"\n").unwrap_or(&self.text);
        self.out.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        self.out.push(b'\n');
        Ok(())
    }

    fn payload(&mut self) -> io::Result<()> {
        if payload::is_payload(&self.text) {
            self.has_events = true;
            let json = payload::decode(&self.text)?;
            // A payload in a payload is not a thing: depth one is enough.
            let mut inner: JsonLines<&[u8]> = JsonLines::new(json.as_slice());
            while inner.step()? {}
            self.out.append(&mut inner.out);
        }
        Ok(())
    }

    fn skip_string(&mut self) -> io::Result<()> {
        loop {
            self.peek()?.ok_or_else(|| self.error("it ends in the middle of a string"))?;
            let rest = self.chunk.get(self.at..self.filled).unwrap_or_default();
            match memchr::memchr2(b'"', b'\\', rest) {
                None => self.at = self.filled,
                Some(end) => {
                    self.at += end;
                    if self.take()? == b'"' {
                        self.value_done();
                        return Ok(());
                    }
                    self.take()?;
                }
            }
        }
    }

    /// Reads a string into `text`.
    fn read_string(&mut self) -> io::Result<()> {
        self.text.clear();
        loop {
            self.peek()?.ok_or_else(|| self.error("it ends in the middle of a string"))?;
            let rest = self.chunk.get(self.at..self.filled).unwrap_or_default();
            let plain = memchr::memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
            self.text.extend_from_slice(rest.get(..plain).unwrap_or_default());
            if self.text.len() > payload::MAX_BYTES {
                return Err(self.error("a string is longer than 16 MiB"));
            }
            self.at += plain;
            if self.at == self.filled {
                continue;
            }
            if self.take()? == b'"' {
                return Ok(());
            }
            self.escape()?;
        }
    }

    /// Source: RFC 8259 section 7.
    fn escape(&mut self) -> io::Result<()> {
        let letter = match self.take()? {
            byte @ (b'"' | b'\\' | b'/') => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.hex4()?;
                let code = if (0xd800..0xdc00).contains(&first) && self.peek()? == Some(b'\\') {
                    self.at += 1;
                    let second = if self.take()? == b'u' { self.hex4()? } else { 0 };
                    0x10000 + ((first - 0xd800) << 10) + (second.wrapping_sub(0xdc00) & 0x3ff)
                } else {
                    first
                };
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return Err(self.error("an unknown escape in a string")),
        };
        self.text.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }

    fn hex4(&mut self) -> io::Result<u32> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = char::from(self.take()?).to_digit(16);
            code = code * 16 + digit.ok_or_else(|| self.error("\\u without four digits"))?;
        }
        Ok(code)
    }
}

impl<R: Read> Read for JsonLines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.out_at == self.out.len() {
            self.out.clear();
            self.out_at = 0;
            while self.out.len() < OUT_BYTES && self.step()? {
                // What is there goes out before waiting for more.
                if self.at == self.filled && !self.out.is_empty() {
                    break;
                }
            }
        }
        let rest = self.out.get(self.out_at..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.out_at += count;
        Ok(count)
    }
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
