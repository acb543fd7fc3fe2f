//! The loops that walk down one column over the rows of a chunk.
//!
//! No branch on the format, no other value of the line is touched. 64 rows at a
//! time give one word of validity: a bit is set when the value is what most
//! values are. Only rows whose bit is not set are looked at again, to tell `-`
//! from what is malformed.
//!
//! Loops and not iterator adapters: a closure inside an adapter is not compiled
//! for the processor's SIMD level, and each SIMD operation becomes a call; zipped
//! ones pass their items through memory. And a function for each sort of value:
//! the registers do not suffice for all in one.

use super::bits::Bits;
use super::number::number;
use super::split::bounds;
use fearless_simd::Simd;

/// The rows of one chunk.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    /// From the beginning of the chunk, and on past its end as far as the block goes.
    pub(super) text: &'a [u8],
    /// Of each row the stop before its first value and those after its values:
    /// `stride` more for the next row, and as much room after the last one.
    pub(super) stops: &'a [u32],
    /// At least 2. As many as a line has values, if a row's last stop is the one
    /// before the next row, or one more.
    pub(super) stride: usize,
    pub(super) count: usize,
    /// Whether no value has a byte that a text may not have.
    pub(super) is_plain: bool,
}

/// What the values of one column have in common.
#[derive(Clone, Copy)]
pub(super) struct Rule {
    /// Where the value stands in a line, from 0.
    pub(super) position: usize,
    /// The largest number.
    pub(super) max: u64,
    pub(super) is_nullable: bool,
}

impl<'a> Rows<'a> {
    /// The stops around one value, group by group of 64 rows and of each group
    /// with how many there are: each row has them at the beginning of a
    /// `stride`.
    #[inline(always)]
    fn groups(self, rule: Rule) -> impl Iterator<Item = (&'a [u32], usize)> {
        let stops = self.stops.get(rule.position..).unwrap_or_default();
        let counts = (0..self.count).step_by(64).map(move |done| (self.count - done).min(64));
        stops.chunks(64 * self.stride).zip(counts)
    }

    /// Looks again at the rows of a group whose bit is not set, and puts those
    /// that are malformed into `wrong`.
    #[cold]
    #[inline(never)]
    fn find_wrong(
        &self,
        rule: Rule,
        group: &[u32],
        count: usize,
        row: usize,
        bits: u64,
        wrong: &mut Vec<u32>,
    ) {
        let mut others = all(count) & !bits;
        while others != 0 {
            let bit = others.trailing_zeros() as usize;
            others &= others - 1;
            let (start, end) = bounds(group.get(bit * self.stride..).unwrap_or_default());
            // Not compared as slices: that would be a call.
            if !(rule.is_nullable && end == start + 1 && self.text.get(start) == Some(&b'-')) {
                wrong.push((row + bit) as u32);
            }
        }
    }
}

/// All bits of a group of `rows`.
fn all(rows: usize) -> u64 {
    u64::MAX >> (64 - rows.clamp(1, 64))
}

/// Appends numbers. Something stands in the place of what is null or wrong.
#[inline(never)]
pub(super) fn numbers<S: Simd, T: Copy + Default>(
    simd: S,
    rows: Rows<'_>,
    rule: Rule,
    values: &mut Vec<T>,
    validity: &mut Bits,
    wrong: &mut Vec<u32>,
    cast: impl Fn(u64) -> T,
) {
    simd.vectorize(
        #[inline(always)]
        move || {
            let Rows { text, stride, .. } = rows;
            // What is right is asked of all at once, afterwards.
            let mut found = [0; 64];
            let mut buffer = [T::default(); 64];
            for (index, (group, count)) in rows.groups(rule).enumerate() {
                for (found, stops) in found.iter_mut().zip(group.chunks_exact(stride)).take(count) {
                    let (start, end) = bounds(stops);
                    *found = number(simd, text, start, end);
                }
                let mut bits = 0u64;
                for (bit, (found, to)) in found.iter().zip(&mut buffer).enumerate() {
                    let is_right = *found <= rule.max;
                    bits |= u64::from(is_right) << bit;
                    *to = cast(if is_right { *found } else { 0 });
                }
                bits &= all(count);
                if bits != all(count) {
                    rows.find_wrong(rule, group, count, 64 * index, bits, wrong);
                }
                values.extend_from_slice(buffer.get(..count).unwrap_or_default());
                validity.push(bits, count);
            }
        },
    );
}

/// Appends texts that `is_right(start, end)` accepts.
#[inline(never)]
pub(super) fn texts<S: Simd>(
    simd: S,
    rows: Rows<'_>,
    rule: Rule,
    values: &mut Texts,
    validity: &mut Bits,
    wrong: &mut Vec<u32>,
    is_right: impl Fn(usize, usize) -> bool,
) {
    simd.vectorize(
        #[inline(always)]
        move || {
            let Rows { text, stride, .. } = rows;
            let Texts { offsets, bytes, piece } = values;
            let mut ends = [0; 64];
            for (index, (group, count)) in rows.groups(rule).enumerate() {
                let mut bits = 0u64;
                let mut filled = 0;
                let mut before = bytes.len();
                for (bit, stops) in group.chunks_exact(stride).take(count).enumerate() {
                    let (start, end) = bounds(stops);
                    let mut len = end.wrapping_sub(start);
                    let room = piece.get_mut(filled..).and_then(|room| room.first_chunk_mut::<COPIED>());
                    let from = text.get(start..).and_then(|from| from.first_chunk::<COPIED>());
                    if let (Some(room), Some(from)) = (room, from)
                        && len <= COPIED
                    {
                        *room = *from;
                        // Not asked of `from`, which would then be copied in parts.
                        if len == 1 && text.get(start) == Some(&b'-') {
                            len = 0;
                        }
                        filled += len;
                    } else {
                        bytes.extend_from_slice(piece.get(..filled).unwrap_or_default());
                        filled = 0;
                        len = append(text.get(start..end).unwrap_or_default(), bytes);
                        before = bytes.len();
                    }
                    bits |= u64::from(len != 0 && is_right(start, end)) << bit;
                    ends[bit % 64] = (before + filled) as i32;
                }
                bytes.extend_from_slice(piece.get(..filled).unwrap_or_default());
                if bits != all(count) {
                    rows.find_wrong(rule, group, count, 64 * index, bits, wrong);
                }
                offsets.extend_from_slice(ends.get(..count).unwrap_or_default());
                validity.push(bits, count);
            }
        },
    );
}

/// How many bytes are copied at once: most values are shorter, and the next one
/// is written over what was too much.
const COPIED: usize = 32;

/// Appends a long text, or one at the end of the block. Gives how long it is.
#[inline(never)]
fn append(value: &[u8], bytes: &mut Vec<u8>) -> usize {
    if value == b"-" {
        return 0;
    }
    bytes.extend_from_slice(value);
    value.len()
}

/// Texts one after the other.
pub(super) struct Texts {
    /// Where each one begins in `bytes`, and at the end where the last one ends.
    pub(super) offsets: Vec<i32>,
    pub(super) bytes: Vec<u8>,
    /// Where up to 64 values are put together, and not in `bytes`: how long that
    /// is would be written to memory and read again for each value.
    piece: Box<[u8; 64 * COPIED]>,
}

impl Default for Texts {
    fn default() -> Self {
        Self { offsets: vec![0], bytes: Vec::new(), piece: Box::new([0; 64 * COPIED]) }
    }
}

impl Texts {
    /// Takes back all texts from this one on.
    pub(super) fn truncate(&mut self, texts: usize) {
        self.offsets.truncate(texts + 1);
        self.bytes.truncate(self.offsets.last().map_or(0, |&end| end as usize));
    }
}
