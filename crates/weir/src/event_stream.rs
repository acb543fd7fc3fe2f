//! Frames of `application/vnd.amazon.eventstream`, as the server sends them
//! (`weir_api::logs::start_live_tail`).
//!
//! Source: smithy.io, "Amazon Event Stream specification".

use anyhow::{Result, bail};

/// One frame with its text headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub headers: Vec<(String, String)>,
    pub payload: Vec<u8>,
}

impl Frame {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The largest frame that is read.
const MAX: usize = 24 << 20;

/// Puts frames together from pieces of any length.
#[derive(Debug, Default)]
pub struct Frames(Vec<u8>);

impl Frames {
    pub fn push(&mut self, piece: &[u8]) {
        self.0.extend_from_slice(piece);
    }

    /// The next whole frame, if it has come.
    ///
    /// # Errors
    /// The bytes are no frames, or were changed on the way.
    pub fn take(&mut self) -> Result<Option<Frame>> {
        let Some(prelude) = self.0.get(..12) else { return Ok(None) };
        let (length, headers) = (number(&prelude[..4]), number(&prelude[4..8]));
        if number(&prelude[8..]) != crc32fast::hash(&prelude[..8]) as usize
            || !(16..=MAX).contains(&length)
            || headers > length - 16
        {
            bail!("the server's answer is no event stream");
        }
        if self.0.len() < length {
            return Ok(None);
        }
        let rest = self.0.split_off(length);
        let frame = std::mem::replace(&mut self.0, rest);
        let (body, sum) = frame.split_at(length - 4);
        if number(sum) != crc32fast::hash(body) as usize {
            bail!("the server's answer was damaged on its way");
        }
        let headers_end = 12 + headers;
        Ok(Some(Frame {
            headers: texts(&body[12..headers_end]),
            payload: body.get(headers_end..).unwrap_or_default().to_vec(),
        }))
    }
}

fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
}

/// The text headers, up to one of another type.
fn texts(mut block: &[u8]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut one = || -> Option<(String, String)> {
        let (length, rest) = block.split_first()?;
        let (name, rest) = rest.split_at_checked(usize::from(*length))?;
        let (kind, rest) = rest.split_first()?;
        let (length, rest) = rest.split_at_checked(2)?;
        let (value, rest) = rest.split_at_checked(number(length)).filter(|_| *kind == 7)?;
        block = rest;
        Some((String::from_utf8_lossy(name).into_owned(), String::from_utf8_lossy(value).into_owned()))
    };
    while let Some(header) = one() {
        found.push(header);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sample "payload_one_str_header" of the AWS SDKs' test vectors.
    const SAMPLE: &[u8] = b"\0\0\0\x3d\0\0\0\x20\x07\xfd\x83\x96\x0ccontent-type\x07\0\x10application/json{'foo':'bar'}\x8d\x9c\x08\xb1";

    #[test]
    fn frames_come_whole_however_they_are_cut() {
        let mut frames = Frames::default();
        let mut found = Vec::new();
        for piece in [SAMPLE, SAMPLE].concat().chunks(7) {
            frames.push(piece);
            while let Some(frame) = frames.take().unwrap() {
                found.push(frame);
            }
        }
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].header("content-type"), Some("application/json"));
        assert_eq!(found[1].payload, b"{'foo':'bar'}");
    }

    #[test]
    fn damage_is_noticed() {
        for at in 0..SAMPLE.len() {
            let mut damaged = SAMPLE.to_vec();
            damaged[at] ^= 1;
            let mut frames = Frames::default();
            frames.push(&damaged);
            assert!(frames.take().is_err(), "byte {at}");
        }
    }
}
