//! One column of the batch that is being read.

use super::address::is_address;
use super::bits::Bits;
use super::decode::{Rows, Rule, Texts, numbers, texts};
use crate::field::{Field, Kind, ParquetType};
use crate::text::is_plain;
use arrow_array::types::{ArrowPrimitiveType, Int32Type, Int64Type};
use arrow_array::{ArrayRef, PrimitiveArray, StringArray};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::ArrowError;
use fearless_simd::Simd;
use std::sync::Arc;

pub(super) struct Column {
    rule: Rule,
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
    /// A column of `field`, which is the value at `position` of a line.
    pub(super) fn new(field: Field, position: usize) -> Self {
        let values = match (field.parquet_type(), field.kind()) {
            (ParquetType::Int32, _) => Values::Int32(Vec::new()),
            (ParquetType::Int64, _) => Values::Int64(Vec::new()),
            (ParquetType::String, Kind::Address) => Values::Address(Texts::default()),
            (ParquetType::String, _) => Values::Text(Texts::default()),
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
            Values::Int32(values) => numbers(simd, rows, *rule, values, validity, wrong, to_i32),
            Values::Int64(values) => numbers(simd, rows, *rule, values, validity, wrong, to_i64),
            Values::Text(values) if rows.is_plain => {
                texts(simd, rows, *rule, values, validity, wrong, |_, _| true);
            }
            Values::Text(values) => {
                texts(simd, rows, *rule, values, validity, wrong, |start, end| {
                    is_text(rows.text, start, end)
                });
            }
            Values::Address(values) => texts(
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
            Values::Int32(values) => values.truncate(rows),
            Values::Int64(values) => values.truncate(rows),
            Values::Text(texts) | Values::Address(texts) => texts.truncate(rows),
        }
    }

    /// The array of all rows since the last call.
    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let nulls = self.validity.finish();
        Ok(match &mut self.values {
            Values::Int32(values) => primitive::<Int32Type>(values, nulls)?,
            Values::Int64(values) => primitive::<Int64Type>(values, nulls)?,
            Values::Text(values) | Values::Address(values) => strings(values, nulls)?,
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

// The next batch gets room for as much as this one had, and an eighth more.

fn primitive<T: ArrowPrimitiveType>(
    values: &mut Vec<T::Native>,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef, ArrowError> {
    let fresh = Vec::with_capacity(values.len() + values.len() / 8);
    let values = std::mem::replace(values, fresh);
    Ok(Arc::new(PrimitiveArray::<T>::try_new(ScalarBuffer::from(values), nulls)?))
}

fn strings(values: &mut Texts, nulls: Option<NullBuffer>) -> Result<ArrayRef, ArrowError> {
    let fresh = Vec::with_capacity(values.bytes.len() + values.bytes.len() / 8);
    let bytes = std::mem::replace(&mut values.bytes, fresh);
    let mut fresh = Vec::with_capacity(values.offsets.len() + values.offsets.len() / 8);
    fresh.push(0);
    let offsets = std::mem::replace(&mut values.offsets, fresh);
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    Ok(Arc::new(StringArray::try_new(offsets, Buffer::from_vec(bytes), nulls)?))
}
