//! Sums by groups: the part of `weir top` that runs on all cores.
//!
//! Each worker sums into its own map; they are put together at the end. The
//! sums are exact, so that memory grows with the number of groups, not of
//! records.

use super::decode::{Decoded, Decoder};
use super::engine::Job;
use super::plan::{admit_condition, keep};
use super::source::{Block, Opened};
use anyhow::{Result, bail};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::DataType;
use hashbrown::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use weir_flow::columns::{Counts, Malformed};
use weir_flow::condition::Condition;
use weir_flow::field::Field;

/// What is summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Measure {
    Bytes,
    Packets,
    /// Records that are of a flow: neither NODATA nor SKIPDATA
    Flows,
}

impl Measure {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Packets => "packets",
            Self::Flows => "flows",
        }
    }

    fn field(self) -> Option<Field> {
        match self {
            Self::Bytes => Some(Field::Bytes),
            Self::Packets => Some(Field::Packets),
            Self::Flows => None,
        }
    }
}

/// A key: the bin's start, then each field's value, encoded one after another.
type Sums = HashMap<Vec<u8>, u64>;

pub struct Top {
    pub by: Vec<Field>,
    pub measure: Measure,
    pub condition: Option<Condition>,
    /// Length of a time bin in seconds.
    pub bin_s: Option<i64>,
    sums: Mutex<Sums>,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// Unix seconds.
    pub bin_start: Option<i64>,
    /// One for each field of `by`.
    pub values: Vec<Key>,
    pub sum: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Null,
    Number(i64),
    Text(String),
}

#[derive(Default)]
pub struct Worker {
    decoder: Decoder,
    sums: Sums,
    key: Vec<u8>,
}

pub struct Summed {
    pub counts: Counts,
    pub malformed: Vec<Malformed>,
    pub rows: u64,
    pub done: Result<()>,
}

enum Column<'a> {
    Int32(&'a Int32Array),
    Int64(&'a Int64Array),
    Text(&'a StringArray),
    Missing,
}

impl Top {
    pub fn new(by: Vec<Field>, measure: Measure, condition: Option<Condition>, bin_s: Option<i64>) -> Self {
        Self { by, measure, condition, bin_s, sums: Mutex::default() }
    }

    /// The fields to read of records that have `has`.
    pub fn admit(&self, has: &[Field]) -> Result<Vec<Field>> {
        let bin = self.bin_s.map(|_| Field::Start);
        for field in self.by.iter().copied().chain(self.measure.field()).chain(bin) {
            if !has.contains(&field) {
                let names: Vec<&str> = has.iter().map(|field| field.name()).collect();
                bail!("its records do not have the field {field}, only: {}", names.join(" "));
            }
        }
        admit_condition(self.condition.as_ref(), has)?;
        Ok(self.fields())
    }

    fn fields(&self) -> Vec<Field> {
        let mut fields = self.by.clone();
        let asked = self.condition.iter().flat_map(Condition::fields);
        let bin = self.bin_s.map(|_| Field::Start);
        let others = asked.chain(self.measure.field()).chain(bin);
        for field in others.chain([Field::LogStatus]) {
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
        fields
    }

    /// The sum of all groups, and the `limit` largest of each bin: bins in the
    /// order of time, groups by their sums.
    pub fn largest(self, limit: usize) -> Result<(u64, Vec<Group>)> {
        let Self { by, bin_s, sums, .. } = self;
        let sums = sums.into_inner().unwrap_or_else(PoisonError::into_inner);
        let total = sums.values().fold(0_u64, |total, &sum| total.saturating_add(sum));
        let mut groups = Vec::new();
        for (key, sum) in sums {
            groups.push(decode(&key, by.len(), bin_s.is_some(), sum));
        }
        groups.sort_unstable_by(|a, b| (a.bin_start, b.sum, &a.values).cmp(&(b.bin_start, a.sum, &b.values)));
        let mut kept = 0;
        let mut bin = None;
        groups.retain(|group| {
            if bin != Some(group.bin_start) {
                bin = Some(group.bin_start);
                kept = 0;
            }
            kept += 1;
            kept <= limit
        });
        Ok((total, groups))
    }

    fn add(&self, batch: &RecordBatch, sums: &mut Sums, key: &mut Vec<u8>) {
        let column = |field: Field| Column::new(batch, field);
        let by: Vec<Column<'_>> = self.by.iter().map(|&field| column(field)).collect();
        let measured = self.measure.field().map(column);
        let start = self.bin_s.map(|bin_s| (column(Field::Start), bin_s));
        let status = column(Field::LogStatus);
        for row in 0..batch.num_rows() {
            let amount = match &measured {
                Some(column) => column.number(row).and_then(|number| u64::try_from(number).ok()),
                None => match status.text(row) {
                    Some("NODATA" | "SKIPDATA") => None,
                    _ => Some(1),
                },
            };
            let Some(amount) = amount else { continue };
            key.clear();
            if let Some((start, bin_s)) = &start {
                let Some(at) = start.number(row) else { continue };
                key.extend_from_slice(&(at - at.rem_euclid(*bin_s)).to_le_bytes());
            }
            for column in &by {
                column.encode(row, key);
            }
            let sum = sums.entry_ref(key.as_slice()).or_insert(0);
            *sum = sum.saturating_add(amount);
        }
    }
}

impl Job for Top {
    type Worker = Worker;
    type Out = Summed;

    fn process(&self, worker: &mut Worker, opened: &Arc<Opened>, block: &Block) -> Summed {
        let Worker { decoder, sums, key } = worker;
        let Decoded { batch, counts, malformed } = decoder.decode(opened, block, &self.fields());
        let kept = keep(self.condition.as_ref(), batch);
        let rows = kept.as_ref().map_or(0, |batch| batch.num_rows() as u64);
        let done = kept.map(|batch| self.add(&batch, sums, key));
        Summed { counts, malformed, rows, done }
    }

    fn finish(&self, worker: Worker) {
        let mut all = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        if all.is_empty() {
            *all = worker.sums;
            return;
        }
        for (key, sum) in worker.sums {
            let total = all.entry(key).or_insert(0);
            *total = total.saturating_add(sum);
        }
    }

    fn weight(_: &Summed) -> usize {
        0
    }
}

impl<'a> Column<'a> {
    fn new(batch: &'a RecordBatch, field: Field) -> Self {
        match batch.column_by_name(field.column()) {
            Some(column) => match column.data_type() {
                DataType::Int32 => Self::Int32(column.as_primitive::<Int32Type>()),
                DataType::Int64 => Self::Int64(column.as_primitive::<Int64Type>()),
                DataType::Utf8 => Self::Text(column.as_string::<i32>()),
                _ => Self::Missing,
            },
            None => Self::Missing,
        }
    }

    #[inline]
    fn number(&self, row: usize) -> Option<i64> {
        match self {
            Self::Int32(column) if column.is_valid(row) => Some(column.value(row).into()),
            Self::Int64(column) if column.is_valid(row) => Some(column.value(row)),
            _ => None,
        }
    }

    #[inline]
    fn text(&self, row: usize) -> Option<&'a str> {
        match self {
            Self::Text(column) if column.is_valid(row) => Some(column.value(row)),
            _ => None,
        }
    }

    /// Appends the value: a tag, then 8 bytes of a number, or a text's length
    /// and the text.
    #[inline]
    fn encode(&self, row: usize, key: &mut Vec<u8>) {
        if let Some(text) = self.text(row) {
            key.push(2);
            key.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
            key.extend_from_slice(text.as_bytes());
        } else if let Some(number) = self.number(row) {
            key.push(1);
            key.extend_from_slice(&number.to_le_bytes());
        } else {
            key.push(0);
        }
    }
}

fn decode(key: &[u8], values: usize, has_bin: bool, sum: u64) -> Group {
    let mut rest = key;
    let number = |rest: &mut &[u8]| {
        let (head, after) = rest.split_first_chunk::<8>()?;
        *rest = after;
        Some(i64::from_le_bytes(*head))
    };
    let bin_start = if has_bin { number(&mut rest) } else { None };
    let mut value = || {
        let (&tag, after) = rest.split_first()?;
        rest = after;
        Some(match tag {
            1 => Key::Number(number(&mut rest)?),
            2 => {
                let (length, after) = rest.split_first_chunk::<4>()?;
                let (text, after) =
                    after.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
                rest = after;
                Key::Text(String::from_utf8_lossy(text).into_owned())
            }
            _ => Key::Null,
        })
    };
    let values = (0..values).map(|_| value().unwrap_or(Key::Null)).collect();
    Group { bin_start, values, sum }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back_as_they_were() {
        let texts = StringArray::from(vec![Some("10.0.0.1"), None, Some("")]);
        let numbers = Int64Array::from(vec![Some(-1), Some(i64::MAX), None]);
        for row in 0..3 {
            let mut key = 300_i64.to_le_bytes().to_vec();
            Column::Text(&texts).encode(row, &mut key);
            Column::Int64(&numbers).encode(row, &mut key);
            let group = decode(&key, 2, true, 7);
            let text = if texts.is_valid(row) { Key::Text(texts.value(row).to_owned()) } else { Key::Null };
            let number = if numbers.is_valid(row) { Key::Number(numbers.value(row)) } else { Key::Null };
            assert_eq!(group, Group { bin_start: Some(300), values: vec![text, number], sum: 7 });
        }
    }
}
