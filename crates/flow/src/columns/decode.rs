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
use super::split::{Stops, value};
use fearless_simd::Simd;

/// The rows of one chunk.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    /// From the beginning of the chunk, and on past its end as far as the block goes.
    pub(super) text: &'a [u8],
    pub(super) stops: &'a Stops,
    /// For each row, the stop before its first value.
    pub(super) first_stops: &'a [u32],
}

/// What the values of one column have in common.
#[derive(Clone, Copy)]
pub(super) struct Rule {
    /// Where the value stands in a line, from 0.
    pub(super) position: u32,
    /// The largest number.
    pub(super) max: u64,
    pub(super) is_nullable: bool,
}

impl Rows<'_> {
    /// Looks again at the rows of a group whose bit is not set, and puts those
    /// that are malformed into `wrong`.
    #[cold]
    #[inline(never)]
    fn find_wrong(&self, rule: Rule, group: &[u32], row: usize, bits: u64, wrong: &mut Vec<u32>) {
        let mut others = all(group.len()) & !bits;
        while others != 0 {
            let bit = others.trailing_zeros() as usize;
            others &= others - 1;
            let first_stop = group.get(bit).copied().unwrap_or_default();
            let (start, end) = value(self.stops.all(), first_stop + rule.position);
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
            let Rows { text, stops, first_stops } = rows;
            let stops = stops.all();
            let mut buffer = [T::default(); 64];
            for (index, group) in first_stops.chunks(64).enumerate() {
                let mut bits = 0u64;
                for (bit, &first_stop) in group.iter().enumerate() {
                    let (start, end) = value(stops, first_stop + rule.position);
                    let number = number(simd, text, start, end);
                    let is_right = number <= rule.max;
                    bits |= u64::from(is_right) << bit;
                    buffer[bit % 64] = cast(if is_right { number } else { 0 });
                }
                if bits != all(group.len()) {
                    rows.find_wrong(rule, group, 64 * index, bits, wrong);
                }
                values.extend_from_slice(buffer.get(..group.len()).unwrap_or_default());
                validity.push(bits, group.len());
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
            let Rows { text, stops, first_stops } = rows;
            let stops = stops.all();
            let Texts { offsets, bytes } = values;
            let mut ends = [0; 64];
            for (index, group) in first_stops.chunks(64).enumerate() {
                bytes.reserve(64 * STRIDE);
                let mut bits = 0u64;
                for (bit, &first_stop) in group.iter().enumerate() {
                    let (start, end) = value(stops, first_stop + rule.position);
                    let len = append(text, start, end, bytes);
                    bits |= u64::from(len != 0 && is_right(start, end)) << bit;
                    ends[bit % 64] = bytes.len() as i32;
                }
                if bits != all(group.len()) {
                    rows.find_wrong(rule, group, 64 * index, bits, wrong);
                }
                offsets.extend_from_slice(ends.get(..group.len()).unwrap_or_default());
                validity.push(bits, group.len());
            }
        },
    );
}

/// How many bytes are copied at once: most values are shorter, and are cut.
const STRIDE: usize = 32;

/// Appends `text[start..end]`, or nothing for a `-`. Gives how long it is.
#[inline(always)]
fn append(text: &[u8], start: usize, end: usize, bytes: &mut Vec<u8>) -> usize {
    let len = end.wrapping_sub(start);
    let before = bytes.len();
    match text.get(start..).and_then(|from| from.first_chunk::<STRIDE>()) {
        Some(from) if len <= STRIDE => {
            bytes.extend_from_slice(from);
            // Not asked of `from`, which would then be copied in parts.
            let len = if len == 1 && text.get(start) == Some(&b'-') { 0 } else { len };
            bytes.truncate(before + len);
            len
        }
        _ => append_exactly(text.get(start..end).unwrap_or_default(), bytes),
    }
}

/// Long texts, and those at the end of the block.
#[inline(never)]
fn append_exactly(value: &[u8], bytes: &mut Vec<u8>) -> usize {
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
}

impl Default for Texts {
    fn default() -> Self {
        Self { offsets: vec![0], bytes: Vec::new() }
    }
}

impl Texts {
    /// Takes back all texts from this one on.
    pub(super) fn truncate(&mut self, texts: usize) {
        self.offsets.truncate(texts + 1);
        self.bytes.truncate(self.offsets.last().map_or(0, |&end| end as usize));
    }
}
