//! One token column of a block: the tokens at one place of all its messages.
//!
//! ```text
//! u8 flags   0 dictionary, 1 numbers, 2 IPv4 addresses | 4 less the row's second | 8 one value a run
//!            | 16 the dictionary's numbers are addresses
//! numbers    see `numbers`; -1 is the token -
//! dictionary varint n | n numbers, each less the one before | varint n | texts | numbers: the code of each row
//! texts      varint bytes | varint bytes compressed, 0 if it is not | n * varint length, then all texts
//! ```
//!
//! A run is the rows of one stream: what is the same in all of them (the
//! interface, the account) is written once. Whichever form is the shortest is taken.

use super::bytes::{Bytes, varint};
use super::numbers::{self, Numbers};
use super::token::{DASH, ipv4, number, write_ipv4, write_number};
use foldhash::fast::FixedState;
use std::collections::HashMap;

const NUMBERS: u8 = 1;
const ADDRESSES: u8 = 2;
const SECONDS: u8 = 4;
const RUNS: u8 = 8;
const DICTIONARY_OF_ADDRESSES: u8 = 16;

/// Texts that are compressed; shorter ones gain nothing.
const COMPRESSED_FROM: usize = 128;

/// What a token is as a number.
type Read = fn(&[u8]) -> Option<i64>;

/// Encodes the tokens of all rows. `runs` are the first rows of the runs,
/// `seconds` the rows' timestamps in seconds.
pub(super) fn encode(tokens: &[&[u8]], runs: &[u32], seconds: &[i64]) -> Vec<u8> {
    let (distinct, codes) = distinct(tokens);
    let is_number = |token: &&[u8]| number(token).is_some() || *token == b"-";
    let is_address = |token: &&[u8]| ipv4(token).is_some() || *token == b"-";
    let reading: Option<(u8, Read)> = if distinct.iter().all(is_number) {
        Some((NUMBERS, number))
    } else if distinct.iter().all(is_address) {
        Some((ADDRESSES, ipv4))
    } else {
        None
    };

    let mut best = dictionary(&distinct, &codes, runs);
    if let Some((flag, read)) = reading.filter(|_| distinct.len() > 2) {
        let values: Vec<i64> = distinct.iter().map(|token| read(token).unwrap_or(DASH)).collect();
        let mut rows: Vec<i64> = codes.iter().map(|&code| values[code as usize]).collect();
        let mut plain = vec![flag];
        numbers::encode(&rows, &mut plain);
        let relative = flag == NUMBERS && !values.contains(&DASH);
        if plain.len() < best.len() {
            best = plain;
        }
        if relative {
            rows.iter_mut().zip(seconds).for_each(|(row, second)| *row = row.wrapping_sub(*second));
            let mut less = vec![flag | SECONDS];
            numbers::encode(&rows, &mut less);
            if less.len() < best.len() {
                best = less;
            }
        }
    }
    best
}

/// The distinct tokens, and for each row which it is.
fn distinct<'a>(tokens: &[&'a [u8]]) -> (Vec<&'a [u8]>, Vec<u32>) {
    let mut known: HashMap<&[u8], u32, FixedState> = HashMap::default();
    let mut distinct: Vec<&[u8]> = Vec::new();
    let mut codes = Vec::with_capacity(tokens.len());
    let mut before: Option<(&[u8], u32)> = None;
    for &token in tokens {
        let code = match before {
            Some((same, code)) if same == token => code,
            _ => *known.entry(token).or_insert_with(|| {
                distinct.push(token);
                distinct.len() as u32 - 1
            }),
        };
        before = Some((token, code));
        codes.push(code);
    }
    (distinct, codes)
}

fn dictionary(distinct: &[&[u8]], codes: &[u32], runs: &[u32]) -> Vec<u8> {
    let addresses = distinct.iter().filter(|token| ipv4(token).is_some()).count();
    let numbers = distinct.iter().filter(|token| number(token).is_some()).count();
    let of_addresses = addresses > numbers;
    let read = if of_addresses { ipv4 } else { number };
    let (mut values, mut texts) = (Vec::new(), Vec::new());
    for (code, token) in distinct.iter().enumerate() {
        match read(token) {
            Some(value) => values.push((value, code)),
            None => texts.push((*token, code)),
        }
    }
    values.sort_unstable();
    texts.sort_unstable();
    let mut place = vec![0; distinct.len()];
    let in_order = values.iter().map(|(_, code)| code).chain(texts.iter().map(|(_, code)| code));
    in_order.enumerate().for_each(|(i, &code)| place[code] = i as i64);

    let mut out = vec![if of_addresses { DICTIONARY_OF_ADDRESSES } else { 0 }];
    let mut before = 0;
    let steps: Vec<i64> =
        values.iter().map(|(value, _)| value - std::mem::replace(&mut before, *value)).collect();
    varint(steps.len() as u64, &mut out);
    numbers::encode(&steps, &mut out);
    varint(texts.len() as u64, &mut out);
    write_texts(texts.iter().map(|(text, _)| *text), &mut out);

    let ends = runs.iter().skip(1).copied().chain([codes.len() as u32]);
    let alike = |(start, end): (&u32, u32)| {
        let run = &codes[*start as usize..end as usize];
        run.iter().all(|code| *code == run[0])
    };
    let rows: Vec<i64> = if runs.len() < codes.len() && runs.iter().zip(ends).all(alike) {
        out[0] |= RUNS;
        runs.iter().map(|&row| place[codes[row as usize] as usize]).collect()
    } else {
        codes.iter().map(|&code| place[code as usize]).collect()
    };
    numbers::encode(&rows, &mut out);
    out
}

fn write_texts<'a>(texts: impl Iterator<Item = &'a [u8]> + Clone, out: &mut Vec<u8>) {
    let mut all = Vec::new();
    texts.clone().for_each(|text| varint(text.len() as u64, &mut all));
    texts.for_each(|text| all.extend(text));
    let compressed = (all.len() >= COMPRESSED_FROM).then(|| zstd::bulk::compress(&all, 3).ok()).flatten();
    varint(all.len() as u64, out);
    match compressed.filter(|compressed| compressed.len() < all.len()) {
        Some(compressed) => {
            varint(compressed.len() as u64, out);
            out.extend(compressed);
        }
        None => {
            varint(0, out);
            out.extend(all);
        }
    }
}

/// A column as it was read.
#[derive(Debug)]
pub(super) struct Column {
    flags: u8,
    /// Values, or codes of the dictionary.
    numbers: Numbers,
    /// Of the dictionary, in order.
    values: Vec<i64>,
    texts: Vec<u8>,
    /// Where each text begins, and the last one ends.
    starts: Vec<u32>,
}

/// Where a value is looked up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub row: usize,
    pub run: usize,
    pub second: i64,
}

impl Column {
    pub fn decode(bytes: &[u8], rows: usize, runs: usize) -> Option<Self> {
        let mut bytes = Bytes(bytes);
        let flags = bytes.byte()?;
        let count = if flags & RUNS == 0 { rows } else { runs };
        let (mut values, mut texts, mut starts) = (Vec::new(), Vec::new(), vec![0]);
        if flags & (NUMBERS | ADDRESSES) == 0 {
            let n = bytes.length()?;
            let steps = Numbers::decode(&mut bytes, n)?;
            let mut value = 0_i64;
            values.extend((0..n).map(|i| {
                value = value.wrapping_add(steps.get(i));
                value
            }));
            let n = bytes.length()?;
            let all = read_texts(&mut bytes)?;
            let mut lengths = Bytes(&all);
            let mut end = 0_u32;
            for _ in 0..n {
                end = end.checked_add(u32::try_from(lengths.varint()?).ok()?)?;
                starts.push(end);
            }
            if lengths.0.len() != end as usize {
                return None;
            }
            texts = lengths.0.to_vec();
        }
        let numbers = Numbers::decode(&mut bytes, count)?;
        Some(Self { flags, numbers, values, texts, starts })
    }

    /// The number, or address, of a row of a column that is no dictionary; [`DASH`] is `-`.
    #[inline]
    pub fn number(&self, at: Row) -> i64 {
        let value = self.numbers.get(if self.flags & RUNS == 0 { at.row } else { at.run });
        if self.flags & SECONDS == 0 { value } else { value.wrapping_add(at.second) }
    }

    /// Whether what is a number here is an IPv4 address.
    pub fn has_addresses(&self) -> bool {
        self.flags & (ADDRESSES | DICTIONARY_OF_ADDRESSES) != 0
    }

    /// The numbers of a dictionary, by code; texts have the codes behind them.
    pub fn values(&self) -> &[i64] {
        &self.values
    }

    /// A text of a dictionary: its code, less the number of values.
    #[inline]
    pub fn text(&self, text: usize) -> &[u8] {
        &self.texts[self.starts[text] as usize..self.starts[text + 1] as usize]
    }

    /// Bytes of the longest text of a dictionary.
    pub fn longest_text(&self) -> usize {
        self.starts.windows(2).map(|pair| (pair[1] - pair[0]) as usize).max().unwrap_or(0)
    }

    /// How many different tokens a dictionary has.
    pub fn codes(&self) -> Option<usize> {
        (self.flags & (NUMBERS | ADDRESSES) == 0).then(|| self.values.len() + self.starts.len() - 1)
    }

    /// The dictionary's code of a row.
    #[inline]
    pub fn code(&self, at: Row) -> usize {
        self.numbers.get(if self.flags & RUNS == 0 { at.row } else { at.run }) as usize
    }

    /// The code of all rows, if it is one.
    pub fn only_code(&self) -> Option<usize> {
        self.numbers.constant().map(|code| code as usize)
    }

    /// Whether a row's code is that of its run.
    pub fn is_by_run(&self) -> bool {
        self.flags & RUNS != 0
    }

    /// Whether all rows of a run surely have the same token.
    pub fn is_alike_in_runs(&self) -> bool {
        !self.is_by_second() && (self.is_by_run() || self.numbers.constant().is_some())
    }

    pub fn are_numbers(&self) -> bool {
        self.flags & NUMBERS != 0
    }

    pub fn are_addresses(&self) -> bool {
        self.flags & ADDRESSES != 0
    }

    /// Whether a row's timestamp is part of its value.
    pub fn is_by_second(&self) -> bool {
        self.flags & SECONDS != 0
    }

    /// The number of a row, if all rows of the column are numbers and not `-`.
    #[inline]
    pub fn whole_number(&self, at: Row) -> Option<i64> {
        (self.flags & NUMBERS != 0).then(|| self.number(at)).filter(|&value| value != DASH)
    }

    /// Whether some token can contain a byte that is in none of its numbers.
    pub fn only_of(&self, byte: u8) -> bool {
        match self.flags & (NUMBERS | ADDRESSES) {
            NUMBERS => byte.is_ascii_digit() || byte == b'-',
            ADDRESSES => byte.is_ascii_digit() || byte == b'-' || byte == b'.',
            _ => true,
        }
    }

    pub fn write_code(&self, code: usize, out: &mut Vec<u8>) {
        if let Some(&value) = self.values.get(code) {
            let write = if self.flags & DICTIONARY_OF_ADDRESSES == 0 { write_number } else { write_ipv4 };
            write(value, out);
            return;
        }
        out.extend_from_slice(self.text(code - self.values.len()));
    }

    #[inline]
    pub fn write(&self, at: Row, out: &mut Vec<u8>) {
        match self.flags & (NUMBERS | ADDRESSES) {
            NUMBERS => write_number(self.number(at), out),
            ADDRESSES => write_ipv4(self.number(at), out),
            _ => self.write_code(self.code(at), out),
        }
    }
}

fn read_texts(bytes: &mut Bytes) -> Option<Vec<u8>> {
    let (length, compressed) = (bytes.length()?, bytes.length()?);
    if compressed == 0 {
        return Some(bytes.take(length)?.to_vec());
    }
    let all = zstd::bulk::decompress(bytes.take(compressed)?, length).ok()?;
    (all.len() == length).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn round_trip(tokens: &[String], runs: &[u32]) -> Vec<u8> {
        let seconds: Vec<i64> = (0..tokens.len() as i64).map(|i| 1_700_000_000 + i / 3).collect();
        let slices: Vec<&[u8]> = tokens.iter().map(String::as_bytes).collect();
        let bytes = encode(&slices, runs, &seconds);
        let column = Column::decode(&bytes, tokens.len(), runs.len()).unwrap();
        for (row, token) in tokens.iter().enumerate() {
            let run = runs.partition_point(|&start| start as usize <= row) - 1;
            let mut out = Vec::new();
            column.write(Row { row, run, second: seconds[row] }, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), *token, "row {row}");
        }
        bytes
    }

    #[test]
    fn every_form_round_trips_and_is_taken_where_it_is_shorter() {
        let of = |make: &dyn Fn(usize) -> String| (0..300).map(make).collect::<Vec<String>>();
        for (tokens, flags) in [
            (of(&|_| "2".into()), RUNS),
            (of(&|i| format!("eni-{}", i / 100)), RUNS),
            (of(&|i| ["ACCEPT", "REJECT"][i % 7 % 2].into()), 0),
            (of(&|i| (i * i * 7919 % 65_521).to_string()), NUMBERS),
            (of(&|i| (1_700_000_000 + i / 3 + i % 2).to_string()), NUMBERS | SECONDS),
            (of(&|i| if i % 5 == 0 { "-".into() } else { (i * i * 7919 % 65_521).to_string() }), NUMBERS),
            (of(&|i| format!("10.{}.{}.1", i % 256, i * 31 % 256)), ADDRESSES),
            (
                of(&|i| format!("{}.1.{}.1", 10 + i * 7 % 12 * 19, i * 7 % 12 * 37 % 101)),
                DICTIONARY_OF_ADDRESSES,
            ),
            (of(&|i| ["10.0.0.1", "10.0.0.2", "::1", "-"][i * 7 % 4].into()), DICTIONARY_OF_ADDRESSES),
        ] {
            let bytes = round_trip(&tokens, &[0, 100, 200]);
            assert_eq!(bytes[0], flags, "{:?}", &tokens[..5]);
        }
    }

    proptest! {
        #[test]
        fn any_tokens_round_trip(tokens in prop::collection::vec("[0-9]{1,3}|-|[a-z.]{1,4}|10\\.0\\.0\\.[0-9]{1,3}|0[0-9]", 1..90)) {
            round_trip(&tokens, &[0]);
        }
    }
}
