//! One column of the batch that is being read.

use super::address::is_address;
use super::bits::Bits;
use super::decode::{Rows, Rule, Texts, numbers, texts};
use super::pool::Pool;
use crate::field::{Field, Kind, ParquetType};
use crate::text::is_plain;
use arrow_array::types::{ArrowPrimitiveType, Int32Type, Int64Type};
use arrow_array::{ArrayRef, PrimitiveArray, StringArray};
use arrow_buffer::{ArrowNativeType, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::ArrowError;
use fearless_simd::Simd;
use std::sync::Arc;

pub(super) struct Column {
    rule: Rule,
    values: Values,
    validity: Bits,
}

enum Values {
    Int32(Vec<i32>, Pool<i32>),
    Int64(Vec<i64>, Pool<i64>),
    Text(Texts, TextPool),
    Address(Texts, TextPool),
}

#[derive(Default)]
struct TextPool {
    offsets: Pool<i32>,
    bytes: Pool<u8>,
}

impl Column {
    /// A column of `field`, which is the value at `position` of a line.
    pub(super) fn new(field: Field, position: usize) -> Self {
        let values = match (field.parquet_type(), field.kind()) {
            (ParquetType::Int32, _) => Values::Int32(Vec::new(), Pool::default()),
            (ParquetType::Int64, _) => Values::Int64(Vec::new(), Pool::default()),
            (ParquetType::String, Kind::Address) => Values::Address(Texts::default(), TextPool::default()),
            (ParquetType::String, _) => Values::Text(Texts::default(), TextPool::default()),
        };
        let max = field.kind().max().and_then(|max| u64::try_from(max).ok()).unwrap_or(0);
        let rule = Rule { position, max, is_nullable: field.is_nullable() };
        Self { rule, values, validity: Bits::default() }
    }

    pub(super) fn position(&self) -> usize {
        self.rule.position
    }

    /// Appends the column's values of all rows, and to `wrong` the rows whose
    /// value is malformed: something stands in its place.
    #[inline(always)]
    pub(super) fn read<S: Simd>(&mut self, simd: S, rows: Rows<'_>, wrong: &mut Vec<u32>) {
        let Self { rule, values, validity } = self;
        match values {
            Values::Int32(values, _) => numbers(simd, rows, *rule, values, validity, wrong, to_i32),
            Values::Int64(values, _) => numbers(simd, rows, *rule, values, validity, wrong, to_i64),
            Values::Text(values, _) if rows.is_plain => {
                texts(simd, rows, *rule, values, validity, wrong, |_, _| true);
            }
            Values::Text(values, _) => {
                texts(simd, rows, *rule, values, validity, wrong, |start, end| {
                    is_text(rows.text, start, end)
                });
            }
            Values::Address(values, _) => texts(
                simd,
                rows,
                *rule,
                values,
                validity,
                wrong,
                #[inline(always)]
                |start, end| is_address(simd, rows.text, start, end),
            ),
        }
    }

    /// Takes back all rows from `rows` on.
    pub(super) fn truncate(&mut self, rows: usize) {
        self.validity.truncate(rows);
        match &mut self.values {
            Values::Int32(values, _) => values.truncate(rows),
            Values::Int64(values, _) => values.truncate(rows),
            Values::Text(texts, _) | Values::Address(texts, _) => texts.truncate(rows),
        }
    }

    /// The array of all rows since the last call.
    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let nulls = self.validity.finish();
        Ok(match &mut self.values {
            Values::Int32(values, pool) => primitive::<Int32Type>(values, pool, nulls)?,
            Values::Int64(values, pool) => primitive::<Int64Type>(values, pool, nulls)?,
            Values::Text(values, pool) | Values::Address(values, pool) => strings(values, pool, nulls)?,
        })
    }
}

// A number that is no larger than the field's maximum fits.
#[inline(always)]
fn to_i32(number: u64) -> i32 {
    number as i32
}

#[inline(always)]
fn to_i64(number: u64) -> i64 {
    number as i64
}

#[cold]
fn is_text(text: &[u8], start: usize, end: usize) -> bool {
    text.get(start..end)
        .is_some_and(|value| value.iter().all(|&byte| is_plain(byte)) && std::str::from_utf8(value).is_ok())
}

// The next batch gets memory that came back, or room for as much as this one
// had, and an eighth more.

fn primitive<T: ArrowPrimitiveType>(
    values: &mut Vec<T::Native>,
    pool: &Pool<T::Native>,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef, ArrowError> {
    let values = replace(values, pool);
    Ok(Arc::new(PrimitiveArray::<T>::try_new(values, nulls)?))
}

fn strings(values: &mut Texts, pool: &TextPool, nulls: Option<NullBuffer>) -> Result<ArrayRef, ArrowError> {
    let filled = std::mem::take(&mut values.filled);
    let mut fresh = pool.bytes.take();
    if fresh.is_empty() {
        fresh = vec![0; filled + filled / 8];
    }
    let bytes = pool.bytes.lend(std::mem::replace(&mut values.memory, fresh), filled);
    let offsets = match common_length(&values.offsets) {
        // Arrow makes these itself, which is faster than its looking whether they rise.
        Some(length) => {
            let texts = values.offsets.len() - 1;
            values.offsets.clear();
            OffsetBuffer::from_repeated_length(length, texts)
        }
        None => OffsetBuffer::new(replace(&mut values.offsets, &pool.offsets)),
    };
    values.offsets.push(0);
    Ok(Arc::new(StringArray::try_new(offsets, bytes, nulls)?))
}

/// How long every text is, if all are as long: identifiers are.
fn common_length(offsets: &[i32]) -> Option<usize> {
    let mut expected = 0i32;
    let length = *offsets.get(1)?;
    for some in offsets.chunks(256) {
        let mut others = 0;
        for &offset in some {
            others |= offset ^ expected;
            expected = expected.wrapping_add(length);
        }
        if others != 0 {
            return None;
        }
    }
    usize::try_from(length).ok()
}

/// Takes the values out and leaves room for others.
fn replace<T: ArrowNativeType>(values: &mut Vec<T>, pool: &Pool<T>) -> ScalarBuffer<T> {
    let mut fresh = pool.take();
    fresh.clear();
    fresh.reserve(values.len() + values.len() / 8);
    let values = std::mem::replace(values, fresh);
    let len = values.len();
    ScalarBuffer::from(pool.lend(values, len))
}
