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
            let Texts { offsets, memory, filled: end_before } = values;
            let mut room = memory.as_mut_slice();
            let mut filled = *end_before;
            let mut ends = [0; 64];
            for (index, (group, count)) in rows.groups(rule).enumerate() {
                let mut bits = 0u64;
                for (bit, stops) in group.chunks_exact(stride).take(count).enumerate() {
                    let (start, end) = bounds(stops);
                    let mut len = end.wrapping_sub(start);
                    let to = room.get_mut(filled..).and_then(|room| room.first_chunk_mut::<COPIED>());
                    let from = text.get(start..).and_then(|from| from.first_chunk::<COPIED>());
                    if let (Some(to), Some(from)) = (to, from)
                        && len <= COPIED
                    {
                        *to = *from;
                        // Not asked of `from`, which would then be copied in parts.
                        if len == 1 && text.get(start) == Some(&b'-') {
                            len = 0;
                        }
                    } else {
                        len = append(text.get(start..end).unwrap_or_default(), memory, filled);
                        room = memory.as_mut_slice();
                    }
                    filled += len;
                    bits |= u64::from(len != 0 && is_right(start, end)) << bit;
                    ends[bit % 64] = filled as i32;
                }
                if bits != all(count) {
                    rows.find_wrong(rule, group, count, 64 * index, bits, wrong);
                }
                offsets.extend_from_slice(ends.get(..count).unwrap_or_default());
                validity.push(bits, count);
            }
            *end_before = filled;
        },
    );
}

/// How many bytes are copied at once: most values are shorter, and the next one
/// is written over what was too much.
const COPIED: usize = 32;

/// Puts a text after the first `filled` bytes of `memory` that is long, or at
/// the end of the block or of the memory. Gives how long it is.
#[inline(never)]
fn append(value: &[u8], memory: &mut Vec<u8>, filled: usize) -> usize {
    let value = if value == b"-" { &[] } else { value };
    let end = filled + value.len();
    if memory.len() < end + COPIED {
        memory.resize((end + COPIED).max(2 * memory.len()).max(4096), 0);
    }
    if let Some(room) = memory.get_mut(filled..end) {
        room.copy_from_slice(value);
    }
    value.len()
}

/// Texts one after the other.
pub(super) struct Texts {
    /// Where each one begins in `memory`, and at the end where the last one ends.
    pub(super) offsets: Vec<i32>,
    /// The texts are its first bytes; what follows means nothing. Not a `Vec` of
    /// the texts alone: how long that is would be written to memory and read
    /// again for each value, and nothing could be written behind its end.
    pub(super) memory: Vec<u8>,
    pub(super) filled: usize,
}

impl Default for Texts {
    fn default() -> Self {
        Self { offsets: vec![0], memory: Vec::new(), filled: 0 }
    }
}

impl Texts {
    /// Takes back all texts from this one on.
    pub(super) fn truncate(&mut self, texts: usize) {
        self.offsets.truncate(texts + 1);
        self.filled = self.offsets.last().map_or(0, |&end| end as usize);
    }
}
