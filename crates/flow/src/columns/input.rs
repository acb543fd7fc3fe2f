//! Reads an input in blocks of whole lines, in bounded memory.

use std::io::{self, Read};

/// Gives the lines of a reader in blocks: each ends at the end of a line, and
/// the line that was cut by the end of the buffer begins the next one.
///
/// Memory: one buffer of the size that was asked for, whatever the input.
#[derive(Debug)]
pub struct BlockReader<R> {
    source: R,
    buffer: Vec<u8>,
    /// The bytes of `buffer` that were read and not given out: `kept..filled`.
    kept: usize,
    filled: usize,
    is_at_end: bool,
}

impl<R: Read> BlockReader<R> {
    /// A size of block that fits in a processor's second-level cache and still
    /// gives batches of thousands of rows.
    pub const BLOCK_BYTES: usize = 1 << 20;

    /// Blocks of at most [`Self::BLOCK_BYTES`].
    pub fn new(source: R) -> Self {
        Self::with_block_bytes(source, Self::BLOCK_BYTES)
    }

    /// Blocks of at most `block_bytes`, which is also the longest line that
    /// can be read. At least 64.
    pub fn with_block_bytes(source: R, block_bytes: usize) -> Self {
        Self { source, buffer: vec![0; block_bytes.max(64)], kept: 0, filled: 0, is_at_end: false }
    }

    /// The next lines, or `None` at the end. The last block may end without a
    /// newline.
    ///
    /// # Errors
    /// Those of the source, and `InvalidData` for a line longer than a block:
    /// no flow log has one.
    pub fn next_block(&mut self) -> io::Result<Option<&[u8]>> {
        self.buffer.copy_within(self.kept..self.filled, 0);
        self.filled -= self.kept;
        self.kept = 0;
        while !self.is_at_end && self.filled < self.buffer.len() {
            match self.source.read(self.buffer.get_mut(self.filled..).unwrap_or_default()) {
                Ok(0) => self.is_at_end = true,
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let read = self.buffer.get(..self.filled).unwrap_or_default();
        self.kept = match memchr::memrchr(b'\n', read) {
            _ if self.is_at_end => self.filled,
            Some(newline) => newline + 1,
            None => {
                let message = format!("a line is longer than {} bytes", self.buffer.len());
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
        };
        Ok(self.buffer.get(..self.kept).filter(|block| !block.is_empty()))
    }

    /// The source, and what was read of it and not given out.
    pub fn into_parts(self) -> (R, Vec<u8>) {
        let rest = self.buffer.get(self.kept..self.filled).unwrap_or_default().to_vec();
        (self.source, rest)
    }
}
