//! One column of the batch that is being read.
//!
//! Each decoder walks down one column over all rows of a chunk: no branch on
//! the format inside the loop, and no other value of the line is touched.
//! Texts are copied 32 bytes at a time whatever their length, and cut.

use super::address::is_address;
use super::number::number;
use super::split::Stops;
use crate::field::{Field, Kind, ParquetType};
use crate::text::is_plain;
use arrow_array::types::{ArrowPrimitiveType, Int32Type, Int64Type};
use arrow_array::{ArrayRef, PrimitiveArray, StringArray, new_null_array};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType};
use fearless_simd::Simd;
use std::sync::Arc;

/// The rows of one chunk.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    /// From the beginning of the chunk, and on past its end as far as the block goes.
    pub(super) text: &'a [u8],
    pub(super) stops: &'a Stops,
    /// For each row, the stop before its first value.
    pub(super) first_stops: &'a [u32],
}

pub(super) struct Column {
    /// Where the value stands in a line, from 0.
    position: usize,
    max: u64,
    is_nullable: bool,
    values: Values,
    validity: Bits,
}

enum Values {
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Text(Texts),
    Address(Texts),
}

impl Column {
    pub(super) fn new(field: Field, position: usize) -> Self {
        let values = match (field.parquet_type(), field.kind()) {
            (ParquetType::Int32, _) => Values::Int32(Vec::new()),
            (ParquetType::Int64, _) => Values::Int64(Vec::new()),
            (ParquetType::String, Kind::Address) => Values::Address(Texts::default()),
            (ParquetType::String, _) => Values::Text(Texts::default()),
        };
        let max = field.kind().max().and_then(|max| u64::try_from(max).ok()).unwrap_or(0);
        Self { position, max, is_nullable: field.is_nullable(), values, validity: Bits::default() }
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// Appends the column's values of all rows. `wrong(row)` is called for each
    /// row whose value is malformed; something stands in its place.
    #[inline(always)]
    pub(super) fn read<S: Simd>(&mut self, simd: S, rows: Rows<'_>, wrong: &mut impl FnMut(usize)) {
        let Self { position, max, is_nullable, values, validity } = self;
        let reader = Values64 { rows, position: *position, is_nullable: *is_nullable, validity, wrong };
        // A function of its own for each sort of value: the registers do not
        // suffice for all of them in one.
        match values {
            Values::Int32(values) => simd.vectorize(
                #[inline(always)]
                || {
                    reader.numbers(
                        *max,
                        values,
                        #[inline(always)]
                        |number| number as i32,
                    )
                },
            ),
            Values::Int64(values) => simd.vectorize(
                #[inline(always)]
                || {
                    reader.numbers(
                        *max,
                        values,
                        #[inline(always)]
                        |number| number as i64,
                    )
                },
            ),
            Values::Text(texts) if rows.stops.is_plain() => simd.vectorize(
                #[inline(always)]
                || {
                    reader.texts(
                        texts,
                        #[inline(always)]
                        |_, _| true,
                    )
                },
            ),
            Values::Text(texts) => reader.texts(texts, |start, end| is_text(rows.text, start, end)),
            Values::Address(texts) => simd.vectorize(
                #[inline(always)]
                || {
                    reader.texts(
                        texts,
                        #[inline(always)]
                        |start, end| is_address(simd, rows.text, start, end),
                    )
                },
            ),
        }
    }

    /// Takes back all rows from `rows` on.
    pub(super) fn truncate(&mut self, rows: usize) {
        self.validity.truncate(rows);
        match &mut self.values {
            Values::Int32(values) => values.truncate(rows),
            Values::Int64(values) => values.truncate(rows),
            Values::Text(texts) | Values::Address(texts) => texts.offsets.truncate(rows + 1),
        }
    }

    /// The array of all rows since the last call.
    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let nulls = self.validity.finish();
        Ok(match &mut self.values {
            Values::Int32(values) => primitive::<Int32Type>(values, nulls)?,
            Values::Int64(values) => primitive::<Int64Type>(values, nulls)?,
            Values::Text(texts) | Values::Address(texts) => Arc::new(texts.finish(nulls)?),
        })
    }
}

fn primitive<T: ArrowPrimitiveType>(
    values: &mut Vec<T::Native>,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef, ArrowError> {
    let fresh = Vec::with_capacity(values.len() + values.len() / 8);
    let values = std::mem::replace(values, fresh);
    Ok(Arc::new(PrimitiveArray::<T>::try_new(ScalarBuffer::from(values), nulls)?))
}

/// A column that the format does not have.
pub(super) fn missing(data_type: &DataType, rows: usize) -> ArrayRef {
    new_null_array(data_type, rows)
}

#[cold]
fn is_text(text: &[u8], start: usize, end: usize) -> bool {
    text.get(start..end)
        .is_some_and(|value| value.iter().all(|&byte| is_plain(byte)) && std::str::from_utf8(value).is_ok())
}

/// Reads a column 64 rows at a time: as many as fit in a word of validity.
struct Values64<'a, W> {
    rows: Rows<'a>,
    position: usize,
    is_nullable: bool,
    validity: &'a mut Bits,
    wrong: &'a mut W,
}

// Loops and not iterator adapters: a closure inside an adapter is not compiled
// for the processor's SIMD level, and each SIMD operation becomes a call.
impl<W: FnMut(usize)> Values64<'_, W> {
    #[inline(always)]
    fn numbers<T: Copy + Default>(self, max: u64, values: &mut Vec<T>, cast: impl Fn(u64) -> T) {
        let Rows { text, stops, first_stops } = self.rows;
        let mut row = 0;
        for group in first_stops.chunks(64) {
            let (mut valid, mut malformed) = (0u64, 0u64);
            let mut buffer = [T::default(); 64];
            for ((bit, &first_stop), to) in (0u32..).zip(group).zip(&mut buffer) {
                let (start, end) = stops.value(first_stop as usize + self.position);
                let up_to = text.get(..end).unwrap_or_default();
                let number = number(up_to, end.wrapping_sub(start));
                let is_null = end == start + 1 && up_to.last() == Some(&b'-');
                malformed |= u64::from(number > max && !(is_null && self.is_nullable)) << bit;
                valid |= u64::from(!is_null) << bit;
                *to = cast(if is_null { 0 } else { number });
            }
            values.extend_from_slice(buffer.get(..group.len()).unwrap_or_default());
            self.validity.push(valid, group.len());
            for_each_bit(malformed, |bit| (self.wrong)(row + bit));
            row += group.len();
        }
    }

    #[inline(always)]
    fn texts(self, texts: &mut Texts, is_right: impl Fn(usize, usize) -> bool) {
        let Rows { text, stops, first_stops } = self.rows;
        let mut row = 0;
        let mut at = texts.end();
        for group in first_stops.chunks(64) {
            let (mut valid, mut malformed) = (0u64, 0u64);
            let mut ends = [0; 64];
            for ((bit, &first_stop), to) in (0u32..).zip(group).zip(&mut ends) {
                let (start, end) = stops.value(first_stop as usize + self.position);
                let len = end.wrapping_sub(start);
                let is_null = len == 1 && text.get(start) == Some(&b'-');
                let is_malformed =
                    if is_null { !self.is_nullable } else { len == 0 || !is_right(start, end) };
                malformed |= u64::from(is_malformed) << bit;
                valid |= u64::from(!is_null) << bit;
                copy(text, start, len, &mut texts.bytes, at);
                at += if is_null { 0 } else { len };
                *to = at as i32;
            }
            texts.offsets.extend_from_slice(ends.get(..group.len()).unwrap_or_default());
            self.validity.push(valid, group.len());
            for_each_bit(malformed, |bit| (self.wrong)(row + bit));
            row += group.len();
        }
    }
}

#[inline(always)]
fn for_each_bit(mut mask: u64, mut act: impl FnMut(usize)) {
    while mask != 0 {
        act(mask.trailing_zeros() as usize);
        mask &= mask - 1;
    }
}

/// Texts one after the other.
struct Texts {
    /// Where each one begins in `bytes`, and at the end where the last one ends.
    offsets: Vec<i32>,
    /// What lies after the last end means nothing.
    bytes: Vec<u8>,
}

impl Default for Texts {
    fn default() -> Self {
        Self { offsets: vec![0], bytes: Vec::new() }
    }
}

/// How many bytes are copied at once: most values are shorter.
const STRIDE: usize = 32;

/// Puts `text[start..start + len]` at `bytes[at..]`, with more after it or not.
#[inline(always)]
fn copy(text: &[u8], start: usize, len: usize, bytes: &mut Vec<u8>, at: usize) {
    bytes.truncate(at);
    match text.get(start..).and_then(|from| from.first_chunk::<STRIDE>()) {
        Some(from) if len <= STRIDE => bytes.extend_from_slice(from),
        _ => bytes.extend_from_slice(text.get(start..start + len).unwrap_or_default()),
    }
}

impl Texts {
    fn end(&self) -> usize {
        self.offsets.last().map_or(0, |&end| end as usize)
    }

    /// Leaves room for as much as there was.
    fn finish(&mut self, nulls: Option<NullBuffer>) -> Result<StringArray, ArrowError> {
        self.bytes.truncate(self.end());
        let fresh = Vec::with_capacity(self.bytes.len() + self.bytes.len() / 8 + STRIDE);
        let bytes = std::mem::replace(&mut self.bytes, fresh);
        let mut fresh = Vec::with_capacity(self.offsets.len() + self.offsets.len() / 8);
        fresh.push(0);
        let offsets = std::mem::replace(&mut self.offsets, fresh);
        StringArray::try_new(OffsetBuffer::new(ScalarBuffer::from(offsets)), Buffer::from_vec(bytes), nulls)
    }
}

/// One bit a row: whether it has a value.
#[derive(Default)]
struct Bits {
    words: Vec<u64>,
    len: usize,
}

impl Bits {
    /// Appends the lowest `count` bits of `bits`, at most 64. Bits above them are 0.
    #[inline(always)]
    fn push(&mut self, bits: u64, count: usize) {
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

    fn truncate(&mut self, len: usize) {
        self.len = len;
        self.words.truncate(len.div_ceil(64));
        if let (Some(last), used @ 1..) = (self.words.last_mut(), len % 64) {
            *last &= (1 << used) - 1;
        }
    }

    /// `None` if every row has a value.
    fn finish(&mut self) -> Option<NullBuffer> {
        let words = std::mem::take(&mut self.words);
        let len = std::mem::take(&mut self.len);
        let valid: usize = words.iter().map(|word| word.count_ones() as usize).sum();
        (valid < len).then(|| NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(words), 0, len)))
    }
}
