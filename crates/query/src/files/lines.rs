//! Blocks of whole lines from a reader, into the caller's buffer.

use std::io::{self, Read};

/// How many bytes of text a block has: small enough for a processor's
/// second-level cache with the columns that are made of it, large enough for a
/// thousand records.
pub const BLOCK_BYTES: usize = 256 << 10;

/// The longest line that can be read: far longer than any flow log's.
const MAX_LINE_BYTES: usize = 16 << 20;

/// Cuts a stream after line ends.
pub struct Lines<R> {
    source: R,
    /// What was read after the last line end that was given out.
    rest: Vec<u8>,
    /// Whether a line is given out as soon as it is there, because somebody may
    /// be waiting for it at the other end of a pipe.
    is_live: bool,
    is_at_end: bool,
    block_bytes: usize,
    /// Why nothing comes after what was given out.
    failure: Option<io::Error>,
}

impl<R: Read> Lines<R> {
    pub fn new(source: R, is_live: bool) -> Self {
        Self { source, rest: Vec::new(), is_live, is_at_end: false, block_bytes: BLOCK_BYTES, failure: None }
    }

    /// Blocks of another size than [`BLOCK_BYTES`].
    #[must_use]
    pub fn with_block_bytes(self, block_bytes: usize) -> Self {
        Self { block_bytes, ..self }
    }

    /// Puts the next lines at the beginning of `block` and gives how many bytes
    /// they are; `None` at the end. What follows them means nothing: that memory
    /// is not cleared is what makes it worth to be used again. The last lines may
    /// end without a line end.
    ///
    /// # Errors
    /// The source fails, or a line is too long. Whole lines before are given out first.
    pub fn next(&mut self, block: &mut Vec<u8>) -> io::Result<Option<usize>> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let mut filled = self.rest.len();
        self.make_room(block, filled);
        block.iter_mut().zip(self.rest.drain(..)).for_each(|(to, from)| *to = from);
        // Where a line end may be that was not seen yet.
        let mut searched = 0;
        while !self.is_at_end {
            self.make_room(block, filled);
            let count = match read(&mut self.source, block.get_mut(filled..).unwrap_or_default()) {
                Ok(count) => count,
                Err(failure) => {
                    let read = block.get(..filled).unwrap_or_default();
                    let Some(end) = memchr::memrchr(b'\n', read) else { return Err(failure) };
                    self.failure = Some(failure);
                    return Ok(Some(end + 1));
                }
            };
            filled += count;
            self.is_at_end = count == 0;
            if filled < self.block_bytes && !self.is_live {
                continue;
            }
            let read = block.get(..filled).unwrap_or_default();
            if let Some(end) = memchr::memrchr(b'\n', read.get(searched..).unwrap_or_default()) {
                let end = searched + end + 1;
                self.rest.extend_from_slice(read.get(end..).unwrap_or_default());
                return Ok(Some(end));
            }
            searched = filled;
            if searched > MAX_LINE_BYTES {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a line is longer than 16 MiB"));
            }
        }
        Ok(Some(filled).filter(|&filled| filled > 0))
    }

    /// Room for the rest of a block, or for a quarter of one more.
    fn make_room(&self, block: &mut Vec<u8>, filled: usize) {
        let wanted = self.block_bytes.saturating_sub(filled).max(self.block_bytes / 4);
        if block.len() < filled + wanted {
            block.resize(filled + wanted, 0);
        }
    }
}

fn read(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader of at most `step` bytes a call.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(buffer.len());
            let count = (&self.0[..count.min(self.0.len())]).read(buffer)?;
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    #[test]
    fn blocks_end_at_line_ends_and_lose_nothing() {
        let line = "2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249\n";
        for (text, step, is_live) in [
            (line.repeat(10_000), 1 << 16, false),
            (line.repeat(10_000), 70_001, true),
            (line.repeat(3), 5, true),
            (format!("{}no end", line.repeat(2)), 7, false),
            ("x".repeat(BLOCK_BYTES * 2) + "\ny", 100_000, false),
            (String::new(), 1, false),
        ] {
            let mut lines = Lines::new(Slow(text.as_bytes(), step), is_live);
            let (mut block, mut all) = (Vec::new(), Vec::new());
            while let Some(length) = lines.next(&mut block).unwrap() {
                all.extend_from_slice(&block[..length]);
                assert!(all.ends_with(b"\n") || all.len() == text.len());
                assert!(block.len() <= BLOCK_BYTES * 3);
            }
            assert!(all == text.as_bytes());
        }
    }
}
