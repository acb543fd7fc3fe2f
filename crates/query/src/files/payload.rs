//! Base64 of gzip: how a subscription's payload looks where bytes cannot stand.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::MultiGzDecoder;
use std::io::{self, BufRead, BufReader, Read};

/// A payload is at most 1 MiB, base64 of gzip; this much may come out of it.
pub const MAX_BYTES: usize = 16 << 20;

/// Whether it begins as base64 of a gzip header does: 1f 8b 08.
pub fn is_payload(text: &[u8]) -> bool {
    text.starts_with(b"H4sI")
}

/// The text inside.
pub fn decode(text: &[u8]) -> io::Result<Vec<u8>> {
    let invalid = |message: String| io::Error::new(io::ErrorKind::InvalidData, message);
    let packed = STANDARD
        .decode(text.trim_ascii())
        .map_err(|error| invalid(format!("a payload is not base64: {error}")))?;
    let mut plain = Vec::new();
    let limit = MAX_BYTES as u64 + 1;
    MultiGzDecoder::new(packed.as_slice()).take(limit).read_to_end(&mut plain)?;
    if plain.len() > MAX_BYTES {
        return Err(invalid("a payload is longer than 16 MiB".to_owned()));
    }
    Ok(plain)
}

/// Reads lines of payloads as what is inside them, one after the other.
pub struct Payloads<R> {
    source: BufReader<R>,
    plain: io::Cursor<Vec<u8>>,
}

impl<R: Read> Payloads<R> {
    pub fn new(source: R) -> Self {
        Self { source: BufReader::new(source), plain: io::Cursor::default() }
    }
}

impl<R: Read> Read for Payloads<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.plain.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let mut line = Vec::new();
            let limit = MAX_BYTES as u64;
            if (&mut self.source).take(limit).read_until(b'\n', &mut line)? == 0 {
                return Ok(0);
            }
            if !line.trim_ascii().is_empty() {
                self.plain = io::Cursor::new(decode(&line)?);
            }
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use std::io::Write;

    /// What a subscription sends for `json`.
    pub fn encode(json: &str) -> String {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packed.write_all(json.as_bytes()).unwrap();
        STANDARD.encode(packed.finish().unwrap())
    }

    #[test]
    fn lines_of_payloads_are_read_one_after_the_other() {
        let text = format!("{}\n\n{}\r\n", encode("first"), encode("second"));
        let mut plain = String::new();
        Payloads::new(text.as_bytes()).read_to_string(&mut plain).unwrap();
        assert_eq!(plain, "firstsecond");
        assert!(is_payload(text.as_bytes()));
        assert!(decode(b"H4sI!").is_err());
    }
}
