//! Messages of a block, many of them, quickly.
//!
//! Rows in order of time lie all over a block. So the values of some rows are
//! looked up together, column by column: the lookups do not wait for each other.
//! Then the messages are put together, in copies of fixed widths. For a few
//! messages the tables are not worth it: see [`super::Block::text_of`].

use super::block::Placed;
use super::column::{Column, Row};
use std::sync::Arc;

/// Rows that are looked up together.
pub(super) const BATCH: usize = 32;

/// Only short dictionaries are written out: they stay in the nearest cache.
const MOST_SLOTS_BYTES: usize = 16 << 10;

/// Room that a number, or an address, may need; it is written at once.
const NUMBER: usize = 20;

/// The tokens behind those that are alike in a run.
pub(super) struct Assembly {
    parts: Vec<Part>,
    /// Bytes that a message may need behind its beginning, the slots' ends too.
    longest: usize,
}

struct Part {
    column: Arc<Column>,
    kind: Kind,
}

enum Kind {
    /// Looked up: the code.
    Slots(Slots),
    /// Looked up: the number.
    Number,
    Address,
    /// Looked up: the number or address, or [`FIRST_TEXT`] and up for a text.
    Dictionary,
}

/// Above every number of at most 18 digits.
const FIRST_TEXT: i64 = 1 << 62;

/// What was looked up of a batch of rows.
pub(super) type Looked = Vec<[i64; BATCH]>;

impl Assembly {
    pub fn new(columns: Vec<Arc<Column>>) -> Self {
        let parts: Vec<Part> = columns.into_iter().map(Part::new).collect();
        let longest = parts.iter().map(|part| 1 + part.longest()).sum::<usize>() + NUMBER;
        Self { parts, longest }
    }

    /// Bytes of memory.
    pub fn weight(&self) -> usize {
        let slots = self.parts.iter().map(|part| match &part.kind {
            Kind::Slots(slots) => slots.bytes.len(),
            _ => 0,
        });
        slots.sum()
    }

    /// Looks up at most [`BATCH`] rows.
    pub fn look_up(&self, rows: &[Placed], looked: &mut Looked) {
        looked.resize(self.parts.len(), [0; BATCH]);
        let at = |placed: &Placed| Row {
            row: placed.row as usize,
            run: placed.run as usize,
            second: placed.place.timestamp.div_euclid(1000),
        };
        for (part, looked) in self.parts.iter().zip(looked) {
            let column = &part.column;
            let values = looked.iter_mut().zip(rows);
            match &part.kind {
                Kind::Number | Kind::Address => {
                    values.for_each(|(value, row)| *value = column.number(at(row)))
                }
                Kind::Slots(_) => values.for_each(|(value, row)| *value = column.code(at(row)) as i64),
                Kind::Dictionary => {
                    values.for_each(|(value, row)| *value = column.code(at(row)) as i64);
                    let numbers = column.values();
                    for code in &mut looked[..rows.len()] {
                        let text = FIRST_TEXT + *code - numbers.len() as i64;
                        *code = numbers.get(*code as usize).copied().unwrap_or(text);
                    }
                }
            }
        }
    }

    /// Writes the tokens of a row of the batch to `out` behind `end`, each
    /// after a blank but where it is the first of the message; the new end. What
    /// lies behind it is of no meaning.
    #[inline]
    pub fn write(&self, looked: &Looked, row: usize, out: &mut Vec<u8>, mut end: usize) -> usize {
        if out.len() < end + self.longest {
            out.resize(end + self.longest, 0);
        }
        let out = out.as_mut_slice();
        for (part, looked) in self.parts.iter().zip(looked) {
            if end > 0 {
                out[end] = b' ';
                end += 1;
            }
            let value = looked[row];
            end = match &part.kind {
                Kind::Slots(slots) => slots.copy(value as usize, out, end),
                Kind::Number => decimal(value, out, end),
                Kind::Address => address(value, out, end),
                Kind::Dictionary if value >= FIRST_TEXT => {
                    let text = part.column.text((value - FIRST_TEXT) as usize);
                    out[end..end + text.len()].copy_from_slice(text);
                    end + text.len()
                }
                Kind::Dictionary if part.column.has_addresses() => address(value, out, end),
                Kind::Dictionary => decimal(value, out, end),
            };
        }
        end
    }
}

impl Part {
    fn new(column: Arc<Column>) -> Self {
        let kind = match column.codes() {
            Some(codes) => Slots::new(&column, codes).map_or(Kind::Dictionary, Kind::Slots),
            None if column.has_addresses() => Kind::Address,
            None => Kind::Number,
        };
        Self { column, kind }
    }

    fn longest(&self) -> usize {
        match &self.kind {
            Kind::Slots(slots) => slots.width,
            Kind::Number | Kind::Address => NUMBER,
            Kind::Dictionary => self.column.longest_text().max(NUMBER),
        }
    }
}

/// Texts side by side, each with its length in the slot's last byte.
struct Slots {
    /// 16, 32, 48 or 64.
    width: usize,
    bytes: Vec<u8>,
}

impl Slots {
    fn new(column: &Column, codes: usize) -> Option<Self> {
        // An address has at most 15 bytes, a number 18.
        let longest = column.longest_text().max(if column.has_addresses() { 15 } else { 18 });
        let longest = if column.values().is_empty() { column.longest_text() } else { longest };
        let width = (longest + 1).next_multiple_of(16);
        if width > 64 || codes * width > MOST_SLOTS_BYTES {
            return None;
        }
        let mut bytes = Vec::with_capacity(codes * width);
        for code in 0..codes {
            let start = bytes.len();
            column.write_code(code, &mut bytes);
            let length = bytes.len() - start;
            bytes.resize(start + width, 0);
            bytes[start + width - 1] = length as u8;
        }
        Some(Self { width, bytes })
    }

    #[inline]
    fn copy(&self, code: usize, out: &mut [u8], end: usize) -> usize {
        match self.width {
            16 => self.copy_fixed::<16>(code, out, end),
            32 => self.copy_fixed::<32>(code, out, end),
            48 => self.copy_fixed::<48>(code, out, end),
            _ => self.copy_fixed::<64>(code, out, end),
        }
    }

    #[inline(always)]
    fn copy_fixed<const WIDTH: usize>(&self, code: usize, out: &mut [u8], end: usize) -> usize {
        let slot = self.bytes[code * WIDTH..].first_chunk::<WIDTH>();
        let Some((slot, out)) = slot.zip(out[end..].first_chunk_mut::<WIDTH>()) else { return end };
        *out = *slot;
        end + usize::from(slot[WIDTH - 1])
    }
}

const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut i = 0;
    while i < 100 {
        pairs[i] = [b'0' + (i / 10) as u8, b'0' + (i % 10) as u8];
        i += 1;
    }
    pairs
};

/// A number in decimal, or `-`, in at most [`NUMBER`] bytes of `out`.
#[inline]
fn decimal(value: i64, out: &mut [u8], end: usize) -> usize {
    let Ok(mut rest) = u64::try_from(value) else {
        out[end] = b'-';
        return end + 1;
    };
    if rest < 10 {
        out[end] = b'0' + rest as u8;
        return end + 1;
    }
    let mut digits = [0; 2 * NUMBER];
    let mut start = NUMBER;
    while rest >= 100 {
        start -= 2;
        let pair = PAIRS[(rest % 100) as usize];
        (digits[start], digits[start + 1]) = (pair[0], pair[1]);
        rest /= 100;
    }
    if rest >= 10 {
        start -= 2;
        let pair = PAIRS[rest as usize];
        (digits[start], digits[start + 1]) = (pair[0], pair[1]);
    } else {
        start -= 1;
        digits[start] = b'0' + rest as u8;
    }
    let digits = digits[start..].first_chunk::<NUMBER>();
    let Some((digits, out)) = digits.zip(out[end..].first_chunk_mut::<NUMBER>()) else { return end };
    *out = *digits;
    end + NUMBER - start
}

/// Each with the dot behind it.
const OCTETS: [[u8; 4]; 256] = {
    let mut octets = [[b'.'; 4]; 256];
    let mut i = 0;
    while i < 256 {
        let (hundreds, tens, ones) =
            (b'0' + (i / 100) as u8, b'0' + (i / 10 % 10) as u8, b'0' + (i % 10) as u8);
        octets[i] = match i {
            0..10 => [ones, b'.', 0, 0],
            10..100 => [tens, ones, b'.', 0],
            _ => [hundreds, tens, ones, b'.'],
        };
        i += 1;
    }
    octets
};

/// An IPv4 address, or `-`, in at most [`NUMBER`] bytes of `out`.
#[inline]
fn address(value: i64, out: &mut [u8], mut end: usize) -> usize {
    if value < 0 {
        out[end] = b'-';
        return end + 1;
    }
    for octet in (value as u32).to_be_bytes() {
        let Some(out) = out[end..].first_chunk_mut::<4>() else { return end };
        *out = OCTETS[usize::from(octet)];
        end += 2 + usize::from(octet >= 10) + usize::from(octet >= 100);
    }
    end - 1
}

#[cfg(test)]
mod tests {
    use super::super::column;
    use super::super::token::{write_ipv4, write_number};
    use super::*;
    use crate::index::Place;
    use proptest::prelude::*;

    #[test]
    fn numbers_and_addresses_are_as_the_slow_writers_write_them() {
        let mut numbers: Vec<i64> = (0..18).map(|digits| 10_i64.pow(digits)).collect();
        numbers.extend([-1, 0, 7, 10, 42, 99, 100, 999_999_999_999_999_999, 123_456_789_012_345_678]);
        numbers.extend((1..18).map(|digits| 10_i64.pow(digits) - 1));
        for value in numbers {
            let (mut expected, mut out) = (b"x".to_vec(), b"x".to_vec());
            write_number(value, &mut expected);
            out.resize(64, 0);
            let end = decimal(value, &mut out, 1);
            assert_eq!(out[..end], expected);
        }
        for value in [-1, 0, 0x0a00_0001, 0xffff_ffff, 0x0109_0a63, 0x64c8_07ff_u32.into()] {
            let (mut expected, mut out) = (b"x".to_vec(), b"x".to_vec());
            write_ipv4(value, &mut expected);
            out.resize(64, 0);
            let end = address(value, &mut out, 1);
            assert_eq!(out[..end], expected);
        }
    }

    proptest! {
        #[test]
        fn messages_are_as_their_tokens_one_by_one(
            rows in prop::collection::vec(
                ("[0-9]{1,3}|-", "10\\.0\\.[0-9]{1,2}\\.[0-9]{1,3}", "[0-9]{15,18}|a", "x|y{20,80}", "[a-z:]{1,40}"),
                1..80,
            ),
        ) {
            let seconds = vec![1_700_000_000; rows.len()];
            let decode = |tokens: Vec<&[u8]>| {
                let bytes = column::encode(&tokens, &[0], &seconds);
                Arc::new(Column::decode(&bytes, rows.len(), 1).unwrap())
            };
            let columns = vec![
                decode(rows.iter().map(|row| row.0.as_bytes()).collect()),
                decode(rows.iter().map(|row| row.1.as_bytes()).collect()),
                decode(rows.iter().map(|row| row.2.as_bytes()).collect()),
                decode(rows.iter().map(|row| row.3.as_bytes()).collect()),
                decode(rows.iter().map(|row| row.4.as_bytes()).collect()),
            ];
            let assembly = Assembly::new(columns);
            let mut out = Vec::new();
            let mut looked = Looked::default();
            for (row, (a, b, c, d, e)) in rows.iter().enumerate() {
                if row % BATCH == 0 {
                    let place = Place { timestamp: 1_700_000_000_000, sequence: 0 };
                    let batch: Vec<Placed> = (row as u32..rows.len() as u32)
                        .take(BATCH)
                        .map(|row| Placed { place, row, run: 0 })
                        .collect();
                    assembly.look_up(&batch, &mut looked);
                }
                let end = assembly.write(&looked, row % BATCH, &mut out, 0);
                prop_assert_eq!(String::from_utf8_lossy(&out[..end]), format!("{a} {b} {c} {d} {e}"));
            }
        }
    }
}
