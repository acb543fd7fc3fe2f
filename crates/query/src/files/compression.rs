//! What an input is wrapped in, told by its first bytes, and how to get it out.
//!
//! A gzip object of moderate size with one member is inflated as a whole by
//! libdeflate, which is much faster and checks the sum; everything else is
//! inflated as a stream. Both give the same text.

use super::meter::Meter;
use flate2::bufread::MultiGzDecoder;
use libdeflater::Decompressor;
use std::io::{self, BufReader, Read};
use std::sync::Arc;

const STREAM_BUFFER_BYTES: usize = 64 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Magic {
    Gzip,
    Zstd,
    Parquet,
    /// Text, or something unknown.
    None,
}

impl Magic {
    /// How many bytes [`of`](Self::of) looks at.
    pub const BYTES: usize = 4;

    /// Sources: RFC 1952 section 2.3.1; RFC 8878 section 3.1; Parquet, "File Format".
    pub fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, 8, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [b'P', b'A', b'R', b'1', ..] => Self::Parquet,
            _ => Self::None,
        }
    }
}

/// A reader whose beginning can be looked at before it is read.
pub struct Peek {
    head: Vec<u8>,
    at: usize,
    source: Box<dyn Read + Send>,
    /// Why there is no more than the head: it is good all the same.
    failure: Option<io::Error>,
}

impl Peek {
    pub fn new(source: impl Read + Send + 'static) -> Self {
        Self { head: Vec::new(), at: 0, source: Box::new(source), failure: None }
    }

    /// The unread beginning: at least what makes `is_enough` true, or
    /// `most_bytes`, or all there is.
    ///
    /// # Errors
    /// Nothing can be read. What fails after the first byte fails when it is read.
    pub fn look(&mut self, most_bytes: usize, is_enough: impl Fn(&[u8]) -> bool) -> io::Result<&[u8]> {
        while self.rest().len() < most_bytes && !is_enough(self.rest()) && self.failure.is_none() {
            let mut chunk = [0; 16 << 10];
            match self.source.read(&mut chunk) {
                Ok(0) => break,
                Ok(count) => self.head.extend_from_slice(chunk.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if self.rest().is_empty() => return Err(error),
                Err(error) => self.failure = Some(error),
            }
        }
        Ok(self.rest())
    }

    /// Why reading ended where it did, if it is known already.
    pub fn take_failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    fn rest(&self) -> &[u8] {
        self.head.get(self.at..).unwrap_or_default()
    }

    pub fn magic(&mut self) -> io::Result<Magic> {
        Ok(Magic::of(self.look(Magic::BYTES, |_| false)?))
    }

    /// Passes over bytes that were looked at.
    pub fn skip(&mut self, bytes: usize) {
        self.at = (self.at + bytes).min(self.head.len());
    }

    /// What comes out of the wrapping that `magic` names, as a stream.
    pub fn unwrap(self, magic: Magic) -> io::Result<Self> {
        let packed = BufReader::with_capacity(STREAM_BUFFER_BYTES, self);
        Ok(match magic {
            Magic::Gzip => Self::new(MultiGzDecoder::new(packed)),
            Magic::Zstd => Self::new(zstd::stream::read::Decoder::with_buffer(packed)?),
            Magic::Parquet | Magic::None => Self::new(packed),
        })
    }
}

impl Read for Peek {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = self.head.get(self.at..).unwrap_or_default();
        if rest.is_empty() {
            self.head = Vec::new();
            self.at = 0;
            return match self.failure.take() {
                Some(failure) => Err(failure),
                None => self.source.read(buffer),
            };
        }
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.at += count;
        Ok(count)
    }
}

/// A text that was inflated as a whole; its memory is used again.
#[derive(Debug)]
pub struct WholeText {
    pub bytes: Vec<u8>,
    meter: Arc<Meter>,
}

impl Drop for WholeText {
    fn drop(&mut self) {
        self.meter.give_back(std::mem::take(&mut self.bytes));
    }
}

/// Inflates a gzip file that is in memory, if it is of moderate size and has
/// one member. `None`: as a stream, please; broken files too, so that they give
/// what they have before the error.
pub fn inflate_whole(packed: &[u8], meter: &Arc<Meter>) -> Option<WholeText> {
    let size = packed.last_chunk::<4>().map(|size| u32::from_le_bytes(*size))?;
    let size = usize::try_from(size).ok().filter(|size| (1..=meter.whole.text_bytes).contains(size))?;
    if may_have_more_members(packed) {
        return None;
    }
    let mut bytes = meter.borrow(size)?;
    let count = Decompressor::new().gzip_decompress(packed, &mut bytes);
    let whole = WholeText { bytes, meter: Arc::clone(meter) };
    (count == Ok(size)).then_some(whole)
}

/// Whether a second member may begin somewhere: libdeflate would pass over it
/// in silence. Its header has fixed bytes (RFC 1952 section 2.3.1), which turn
/// up by chance in one file of 32 MB.
fn may_have_more_members(packed: &[u8]) -> bool {
    let after_header = packed.get(10..).unwrap_or_default();
    memchr::memmem::find_iter(after_header, b"\x1f\x8b\x08")
        .any(|at| after_header.get(at + 3).is_none_or(|flags| flags & 0xe0 == 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packed.write_all(text).unwrap();
        packed.finish().unwrap()
    }

    fn stream(packed: &[u8]) -> io::Result<Vec<u8>> {
        let mut peek = Peek::new(io::Cursor::new(packed.to_vec()));
        let magic = peek.magic()?;
        let mut text = Vec::new();
        peek.unwrap(magic)?.read_to_end(&mut text)?;
        Ok(text)
    }

    #[test]
    fn whole_and_stream_give_the_same_text() {
        let meter = Arc::new(Meter::default());
        let text = b"2 123456789010 eni-1235b8ca123456789\n".repeat(5000);
        let one = gzip(&text);
        assert_eq!(inflate_whole(&one, &meter).unwrap().bytes, text);
        assert_eq!(stream(&one).unwrap(), text);
        // Two members, also two that are equal: never as a whole.
        let two = [one.clone(), one.clone()].concat();
        assert!(inflate_whole(&two, &meter).is_none());
        assert_eq!(stream(&two).unwrap(), text.repeat(2));
        // A broken sum.
        let mut broken = one.clone();
        let at = broken.len() - 6;
        broken[at] ^= 1;
        assert!(inflate_whole(&broken, &meter).is_none());
        assert!(stream(&broken).is_err());
        assert!(stream(&one[..one.len() / 2]).is_err());
        // The budget comes back.
        for _ in 0..100 {
            assert!(inflate_whole(&one, &meter).is_some());
        }
    }

    #[test]
    fn zstd_streams_may_have_several_frames() {
        let text = b"2 123456789010 eni-1235b8ca123456789\n".repeat(500);
        let one = zstd::bulk::compress(&text, 3).unwrap();
        assert_eq!(stream(&[one.clone(), one].concat()).unwrap(), text.repeat(2));
    }

    #[test]
    fn what_came_before_a_failure_is_read() {
        let packed = gzip(&b"2 123456789010 eni-1235b8ca123456789\n".repeat(100));
        let mut peek =
            Peek::new(io::Cursor::new(packed[..packed.len() - 10].to_vec())).unwrap(Magic::Gzip).unwrap();
        assert!(peek.look(1 << 16, |_| false).unwrap().starts_with(b"2 123"));
        assert!(peek.look(1 << 16, |_| false).is_ok());
        let mut text = Vec::new();
        assert!(peek.read_to_end(&mut text).is_err());
        assert!(text.len() > 37);
        // The sum alone is missing.
        let mut peek =
            Peek::new(io::Cursor::new(packed[..packed.len() - 8].to_vec())).unwrap(Magic::Gzip).unwrap();
        assert_eq!(peek.look(1 << 16, |_| false).unwrap().len(), 3700);
        assert!(peek.take_failure().is_some());
    }

    #[test]
    fn looking_takes_nothing_away() {
        let mut peek = Peek::new(io::Cursor::new(b"abcdef".to_vec()));
        assert_eq!(peek.look(3, |_| false).unwrap(), b"abcdef");
        peek.skip(2);
        let mut text = String::new();
        peek.read_to_string(&mut text).unwrap();
        assert_eq!(text, "cdef");
    }
}
