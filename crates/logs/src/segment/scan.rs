//! Blocks for a scan: the rows that are wanted, and their columns as a whole.
//!
//! Rows are always in the block's order, by stream and then by time, so that
//! runs are passed through and not looked up.

use super::block::{Block, Placed, Scratch};
use super::column::{Column, Row};
use super::matching;
use super::token::{write_ipv4, write_number};
use super::{Segment, footer::BlockMeta};
use crate::error::LogsError;
use crate::index::StreamNames;
use crate::limits::EVENT_OVERHEAD_BYTES;
use crate::scan::{PartEvents, TextEvent};
use std::sync::Arc;

/// A block of which rows are wanted.
pub(crate) struct BlockPart {
    segment: Arc<Segment>,
    index: usize,
    meta: BlockMeta,
    wanted: Arc<Wanted>,
    /// Rows of the segment's blocks before it, and bytes and rows of all of them.
    share: (u64, u64, u64),
    /// Whether every row is wanted.
    is_whole: bool,
}

struct Wanted {
    start: i64,
    end: i64,
    /// See `GroupMeta::expired`.
    expired: Vec<(i64, u64)>,
    names: Arc<StreamNames>,
}

/// The blocks that may have rows of the group from `start` to `end`, both included.
pub(crate) fn block_parts(
    segments: &[Arc<Segment>],
    group: u64,
    (start, end): (i64, i64),
    expired: Vec<(i64, u64)>,
    names: &Arc<StreamNames>,
) -> Result<Vec<BlockPart>, LogsError> {
    let wanted = Arc::new(Wanted { start, end, expired, names: names.clone() });
    let mut parts = Vec::new();
    for segment in segments {
        let footer = segment.footer()?;
        let (mut bytes, mut rows, mut all_known) = (0, 0, segment.meta.parts.len() == 1);
        for stream in &footer.streams {
            if names.contains_key(&stream.id) {
                bytes += stream.bytes.saturating_sub(stream.rows * EVENT_OVERHEAD_BYTES as u64);
                rows += stream.rows;
            } else {
                all_known = false;
            }
        }
        let mut before = 0;
        for (index, meta) in footer.blocks.iter().enumerate().filter(|(_, meta)| meta.group == group) {
            let share = (before, bytes, rows);
            before += meta.rows as u64;
            let gone = |&(time, until): &(i64, u64)| meta.last < time && meta.last_sequence < until;
            let touched = |&(time, until): &(i64, u64)| meta.first < time && meta.first_sequence < until;
            if meta.last < start || meta.first > end || wanted.expired.iter().any(gone) {
                continue;
            }
            let is_whole =
                all_known && meta.first >= start && meta.last <= end && !wanted.expired.iter().any(touched);
            parts.push(BlockPart {
                segment: segment.clone(),
                index,
                meta: meta.clone(),
                wanted: wanted.clone(),
                share,
                is_whole,
            });
        }
    }
    Ok(parts)
}

impl BlockPart {
    pub fn last(&self) -> i64 {
        self.meta.last.min(self.wanted.end)
    }

    pub fn known(&self) -> Option<(u64, u64)> {
        let rows = self.meta.rows as u64;
        self.is_whole.then(|| (rows, self.bytes(rows)))
    }

    /// So many rows' part of the segment's bytes: of all blocks it is all bytes.
    fn bytes(&self, rows: u64) -> u64 {
        let (before, bytes, all) = self.share;
        let up_to = |rows: u64| u128::from(bytes) * u128::from(rows.min(all)) / u128::from(all.max(1));
        u64::try_from(up_to(before + rows) - up_to(before)).unwrap_or(0)
    }

    pub fn read(self) -> Result<PartEvents, LogsError> {
        let block = Arc::new(Block::open(&self.segment, self.index)?);
        let rows = self.select(&block);
        let bytes = self.bytes(rows.len() as u64);
        if block.tokens() > 0 && !block.has_texts() {
            return Ok(PartEvents { typed: Some(TypedEvents { block, rows }), texts: Vec::new(), bytes });
        }
        let (texts, typed) = rows.into_iter().partition(|row| block.text(*row as usize).is_some());
        let texts = TypedEvents { block: block.clone(), rows: texts }.into_texts()?;
        let typed = TypedEvents { block, rows: typed };
        Ok(PartEvents { typed: Some(typed).filter(|typed| !typed.is_empty()), texts, bytes })
    }

    fn select(&self, block: &Block) -> Vec<u32> {
        let Wanted { start, end, expired, names } = &*self.wanted;
        if self.is_whole {
            return (0..block.rows() as u32).collect();
        }
        let mut rows = Vec::new();
        for (_, run) in block.runs().filter(|(stream, _)| names.contains_key(stream)) {
            let in_time = |row: &usize| (*start..=*end).contains(&block.timestamp(*row));
            rows.extend(run.filter(in_time).map(|row| row as u32));
        }
        if expired.iter().any(|&(before, until)| self.meta.first < before && self.meta.first_sequence < until)
        {
            rows.retain(|row| {
                let place = block.place(*row as usize);
                !expired.iter().any(|&(before, until)| place.timestamp < before && place.sequence < until)
            });
        }
        rows
    }
}

/// Tokens at one place of the messages, one for each event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tokens {
    /// Texts one behind the other, where each ends, and for each event which it is.
    Texts { texts: Texts, codes: Vec<u32> },
    /// Whole numbers; -1 is the token `-`.
    Numbers(Vec<i64>),
    /// IPv4 addresses as numbers; -1 is the token `-`.
    Addresses(Vec<i64>),
}

/// Texts one behind the other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Texts {
    pub bytes: Vec<u8>,
    /// Where each ends.
    pub ends: Vec<u32>,
}

impl Texts {
    fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.ends.push(self.bytes.len() as u32);
    }

    /// The texts; one that is not UTF-8, which none is, is empty.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.ends.len()).map(|i| {
            let start = i.checked_sub(1).and_then(|i| self.ends.get(i)).map_or(0, |end| *end as usize);
            let end = self.ends.get(i).map_or(0, |end| *end as usize);
            self.bytes.get(start..end).and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default()
        })
    }
}

/// Events of a block whose messages are tokens with one blank between them.
#[derive(Clone)]
pub struct TypedEvents {
    block: Arc<Block>,
    rows: Vec<u32>,
}

impl TypedEvents {
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many tokens each message has.
    pub fn tokens(&self) -> usize {
        self.block.tokens()
    }

    /// Keeps the events for which it holds, which is asked with their numbers in order.
    pub fn retain(&mut self, mut keep: impl FnMut(usize) -> bool) {
        let mut at = 0;
        self.rows.retain(|_| {
            at += 1;
            keep(at - 1)
        });
    }

    /// Takes those for which it does not hold.
    pub fn split(&mut self, mut keep: impl FnMut(usize) -> bool) -> Self {
        let mut rest = Vec::new();
        let rows = std::mem::take(&mut self.rows);
        for (at, row) in rows.into_iter().enumerate() {
            if keep(at) { self.rows.push(row) } else { rest.push(row) }
        }
        Self { block: self.block.clone(), rows: rest }
    }

    /// Adds events that were taken from these.
    pub fn extend(&mut self, others: Self) {
        self.rows.extend(others.rows);
        self.rows.sort_unstable();
    }

    /// Milliseconds since 1970.
    pub fn timestamps(&self) -> Vec<i64> {
        self.rows.iter().map(|row| self.block.timestamp(*row as usize)).collect()
    }

    pub fn sequences(&self) -> Vec<u64> {
        self.rows.iter().map(|row| self.block.sequence(*row as usize)).collect()
    }

    /// Milliseconds since 1970.
    pub fn ingestion_times(&self) -> Result<Vec<i64>, LogsError> {
        self.rows.iter().map(|row| self.block.ingestion(*row as usize)).collect()
    }

    /// The ids of their streams.
    pub fn streams(&self) -> Vec<u64> {
        let runs: Vec<u64> = self.block.runs().map(|(stream, _)| stream).collect();
        let mut streams = Vec::with_capacity(self.rows.len());
        self.by_run(|_, run| streams.extend(runs.get(run).copied()));
        streams
    }

    fn by_run(&self, mut tell: impl FnMut(usize, usize)) {
        let mut runs = self.block.runs().map(|(_, rows)| rows.end).enumerate();
        let mut now = runs.next();
        for row in &self.rows {
            while now.is_some_and(|(_, end)| end <= *row as usize) {
                now = runs.next();
            }
            tell(*row as usize, now.map_or(0, |(run, _)| run));
        }
    }

    /// The messages, put together again.
    pub fn messages(&self, mut tell: impl FnMut(&str)) -> Result<(), LogsError> {
        self.block.each_text(&self.placed(), &mut Scratch::default(), |_, text| {
            tell(text);
            Ok(true)
        })?;
        Ok(())
    }

    fn placed(&self) -> Vec<Placed> {
        let mut placed = Vec::with_capacity(self.rows.len());
        self.by_run(|row, run| {
            placed.push(Placed { place: self.block.place(row), row: row as u32, run: run as u32 })
        });
        placed
    }

    pub fn into_texts(self) -> Result<Vec<TextEvent>, LogsError> {
        let streams: Vec<u64> = self.block.runs().map(|(stream, _)| stream).collect();
        let mut made = Vec::with_capacity(self.rows.len());
        self.block.each_text(&self.placed(), &mut Scratch::default(), |placed, text| {
            made.push(TextEvent {
                timestamp: placed.place.timestamp,
                sequence: placed.place.sequence,
                stream: streams.get(placed.run as usize).copied().unwrap_or_default(),
                ingestion: self.block.ingestion(placed.row as usize)?,
                message: text.to_owned(),
            });
            Ok(true)
        })?;
        Ok(made)
    }

    /// Keeps at least all events whose messages have this text somewhere.
    pub fn retain_containing(&mut self, text: &str) -> Result<(), LogsError> {
        matching::containing(&self.block, &[text], &mut self.rows)
    }

    /// The different tokens of all messages of the block at a place, if they
    /// are known, and not many more than there are events.
    pub fn distinct(&self, place: usize) -> Result<Option<Texts>, LogsError> {
        let column = self.block.column(place)?;
        Ok(self.listed(column).map(|codes| {
            let mut texts = Texts::default();
            (0..codes).for_each(|code| texts.push(|out| column.write_code(code, out)));
            texts
        }))
    }

    /// For each event which of [`TypedEvents::distinct`] it has.
    pub fn codes(&self, place: usize) -> Result<Vec<u32>, LogsError> {
        let column = self.block.column(place)?;
        if column.codes().is_none() {
            return Ok(Vec::new());
        }
        let mut codes = Vec::with_capacity(self.rows.len());
        self.each(column, |at| codes.push(column.code(at) as u32));
        Ok(codes)
    }

    fn listed(&self, column: &Column) -> Option<usize> {
        column.codes().filter(|codes| *codes <= 16 + 2 * self.rows.len())
    }

    /// The tokens at a place.
    pub fn column(&self, place: usize) -> Result<Tokens, LogsError> {
        if let Some(texts) = self.distinct(place)? {
            return Ok(Tokens::Texts { texts, codes: self.codes(place)? });
        }
        let column = self.block.column(place)?;
        let mut numbers = Vec::with_capacity(self.rows.len());
        if column.are_numbers() || column.are_addresses() {
            self.each(column, |at| numbers.push(column.number(at)));
            return Ok(match column.are_numbers() {
                true => Tokens::Numbers(numbers),
                false => Tokens::Addresses(numbers),
            });
        }
        let mut texts = Texts::default();
        self.each(column, |at| texts.push(|out| column.write(at, out)));
        let codes = (0..self.rows.len() as u32).collect();
        Ok(Tokens::Texts { texts, codes })
    }

    fn each(&self, column: &Column, mut tell: impl FnMut(Row)) {
        if column.is_by_run() {
            return self.by_run(|row, run| tell(Row { row, run, second: 0 }));
        }
        let by_second = column.is_by_second();
        for row in &self.rows {
            let row = *row as usize;
            tell(Row { row, run: 0, second: if by_second { self.block.second(row) } else { 0 } });
        }
    }
}

/// A number of [`Tokens`] as it stands in the message.
pub fn number_token(value: i64, out: &mut Vec<u8>) {
    write_number(value, out);
}

/// An address of [`Tokens`] as it stands in the message.
pub fn address_token(value: i64, out: &mut Vec<u8>) {
    write_ipv4(value, out);
}
