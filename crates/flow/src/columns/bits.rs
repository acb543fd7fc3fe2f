//! One bit a row: whether it has a value.

use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};

#[derive(Default)]
pub(super) struct Bits {
    words: Vec<u64>,
    len: usize,
}

impl Bits {
    /// Appends the lowest `count` bits of `bits`, at most 64. Bits above them are 0.
    #[inline(always)]
    pub(super) fn push(&mut self, bits: u64, count: usize) {
        let shift = self.len % 64;
        match self.words.last_mut() {
            Some(last) if shift > 0 => {
                *last |= bits << shift;
                if shift + count > 64 {
                    self.words.push(bits >> (64 - shift));
                }
            }
            _ => self.words.push(bits),
        }
        self.len += count;
    }

    /// Takes back all rows from `len` on.
    pub(super) fn truncate(&mut self, len: usize) {
        self.len = len;
        self.words.truncate(len.div_ceil(64));
        if let (Some(last), used @ 1..) = (self.words.last_mut(), len % 64) {
            *last &= (1 << used) - 1;
        }
    }

    /// The bits of all rows since the last call; `None` if every row has a value.
    pub(super) fn finish(&mut self) -> Option<NullBuffer> {
        let fresh = Vec::with_capacity(self.words.len() + self.words.len() / 8);
        let words = std::mem::replace(&mut self.words, fresh);
        let len = std::mem::take(&mut self.len);
        let valid: usize = words.iter().map(|word| word.count_ones() as usize).sum();
        (valid < len).then(|| NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(words), 0, len)))
    }
}
