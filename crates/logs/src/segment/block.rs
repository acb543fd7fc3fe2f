//! A block that is being read. Columns are read from the file when they are
//! first asked for, and kept for as long as the block is.

use super::Segment;
use super::bytes::Bytes;
use super::column::{Column, Row};
use super::footer::BlockMeta;
use super::numbers::Numbers;
use crate::error::LogsError;
use crate::index::Place;
use std::io;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Columns before those of the tokens.
const FIRST_TOKEN: usize = 5;

pub(crate) struct Block {
    segment: Arc<Segment>,
    meta: BlockMeta,
    /// Stream and first row, in order of streams.
    runs: Vec<(u64, u32)>,
    timestamps: Numbers,
    sequences: Numbers,
    /// The row's number is to be added to its sequence.
    by_row: bool,
    ingestion: OnceLock<Numbers>,
    head: Head,
    columns: Vec<OnceLock<Column>>,
    pages: Vec<OnceLock<Vec<u8>>>,
    order: OnceLock<Vec<u32>>,
    beginnings: OnceLock<Beginnings>,
}

/// The first tokens of all messages of a run, where they are alike: version,
/// account and interface of a flow-log record.
struct Beginnings {
    tokens: usize,
    text: Vec<u8>,
    /// Of each run, where it ends in `text`.
    ends: Vec<u32>,
}

#[derive(Default)]
struct Head {
    tokens: usize,
    /// The rows that are text, in order.
    texts: Vec<u32>,
    /// Of each text: its page, and where it lies there.
    at: Vec<(u32, u32, u32)>,
    /// Bytes of each page.
    pages: Vec<usize>,
}

impl Head {
    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(bytes);
        let (tokens, n) = (bytes.length()?, bytes.length()?);
        let rows = Numbers::decode(&mut bytes, n)?;
        let lengths = Numbers::decode(&mut bytes, n)?;
        let mut head = Self { tokens, ..Self::default() };
        head.texts.extend((0..n).map(|i| rows.get(i) as u32));
        let mut next = 0;
        for page in 0..bytes.length()? {
            let mut at = 0;
            for _ in 0..bytes.length()? {
                let length = lengths.get(next) as u32;
                head.at.push((page as u32, at, length));
                at += length;
                next += 1;
            }
            head.pages.push(bytes.length()?);
        }
        (next == n).then_some(head)
    }
}

impl Block {
    pub(super) fn open(segment: &Arc<Segment>, index: usize) -> Result<Self, LogsError> {
        let meta = segment.footer()?.blocks.get(index).cloned().ok_or_else(|| segment.damaged())?;
        let mut bytes = Vec::new();
        let mut part = |i: usize| {
            bytes = read(segment, &meta, i)?;
            Ok::<_, LogsError>(std::mem::take(&mut bytes))
        };
        let (runs, timestamps, sequences, head) = (part(0)?, part(1)?, part(2)?, part(4)?);
        let decode = || {
            let runs = decode_runs(&runs, meta.rows)?;
            let timestamps = Numbers::decode(&mut Bytes(&timestamps), meta.rows)?;
            let mut sequences = Bytes(&sequences);
            let by_row = sequences.byte()? == 1;
            let sequences = Numbers::decode(&mut sequences, meta.rows)?;
            let head = Head::decode(&head)?;
            let columns = (0..head.tokens).map(|_| OnceLock::new()).collect();
            let pages = head.pages.iter().map(|_| OnceLock::new()).collect();
            Some(Self {
                segment: segment.clone(),
                meta: meta.clone(),
                runs,
                timestamps,
                sequences,
                by_row,
                ingestion: OnceLock::new(),
                head,
                columns,
                pages,
                order: OnceLock::new(),
                beginnings: OnceLock::new(),
            })
        };
        decode().ok_or_else(|| segment.damaged())
    }

    pub fn rows(&self) -> usize {
        self.meta.rows
    }

    /// About the most bytes of memory that it takes.
    pub(super) fn weight(&self) -> usize {
        let columns: usize = self.meta.columns.iter().map(|column| column.length).sum();
        columns + columns / 2 + 4 * self.meta.rows + self.head.pages.iter().sum::<usize>()
    }

    /// All rows in order of time.
    pub(super) fn order(&self) -> &[u32] {
        self.order.get_or_init(|| {
            let mut rows: Vec<(Place, u32)> =
                (0..self.meta.rows).map(|row| (self.place(row), row as u32)).collect();
            rows.sort_unstable();
            rows.into_iter().map(|(_, row)| row).collect()
        })
    }

    pub(super) fn meta(&self) -> &BlockMeta {
        &self.meta
    }

    /// How many tokens the messages have that are not text.
    pub(super) fn tokens(&self) -> usize {
        self.head.tokens
    }

    /// Each stream with its rows.
    pub(super) fn runs(&self) -> impl Iterator<Item = (u64, Range<usize>)> + '_ {
        let ends = self.runs.iter().skip(1).map(|run| run.1 as usize).chain([self.meta.rows]);
        self.runs.iter().zip(ends).map(|(&(stream, start), end)| (stream, start as usize..end))
    }

    /// The rows of a stream.
    pub(super) fn run(&self, stream: u64) -> Option<Range<usize>> {
        let at = self.runs.binary_search_by_key(&stream, |run| run.0).ok()?;
        let end = self.runs.get(at + 1).map_or(self.meta.rows, |run| run.1 as usize);
        Some(self.runs[at].1 as usize..end)
    }

    fn run_of(&self, row: usize) -> usize {
        self.runs.partition_point(|run| run.1 as usize <= row).saturating_sub(1)
    }

    pub fn stream(&self, row: usize) -> u64 {
        self.runs[self.run_of(row)].0
    }

    #[inline]
    pub fn timestamp(&self, row: usize) -> i64 {
        self.timestamps.get(row)
    }

    #[inline]
    pub(super) fn second(&self, row: usize) -> i64 {
        self.timestamp(row).div_euclid(1000)
    }

    #[inline]
    pub fn sequence(&self, row: usize) -> u64 {
        let sequence = self.sequences.get(row);
        (if self.by_row { sequence + row as i64 } else { sequence }) as u64
    }

    #[inline]
    pub fn place(&self, row: usize) -> Place {
        Place { timestamp: self.timestamp(row), sequence: self.sequence(row) }
    }

    pub fn ingestion(&self, row: usize) -> Result<i64, LogsError> {
        if let Some(times) = self.ingestion.get() {
            return Ok(times.get(row));
        }
        let bytes = read(&self.segment, &self.meta, 3)?;
        let times =
            Numbers::decode(&mut Bytes(&bytes), self.meta.rows).ok_or_else(|| self.segment.damaged())?;
        Ok(self.ingestion.get_or_init(|| times).get(row))
    }

    pub(super) fn column(&self, token: usize) -> Result<&Column, LogsError> {
        let cell = self.columns.get(token).ok_or_else(|| self.segment.damaged())?;
        if let Some(column) = cell.get() {
            return Ok(column);
        }
        let bytes = read(&self.segment, &self.meta, FIRST_TOKEN + token)?;
        let column = Column::decode(&bytes, self.meta.rows, self.runs.len());
        let column = column.ok_or_else(|| self.segment.damaged())?;
        Ok(cell.get_or_init(|| column))
    }

    /// Where a row's values are looked up.
    #[inline]
    pub(super) fn at(&self, row: usize) -> Row {
        Row { row, run: self.run_of(row), second: self.second(row) }
    }

    /// Which of the texts a row is.
    pub(super) fn text(&self, row: usize) -> Option<usize> {
        if self.head.tokens == 0 {
            return Some(row);
        }
        if self.head.texts.is_empty() {
            return None;
        }
        self.head.texts.binary_search(&(row as u32)).ok()
    }

    /// Appends a row's message.
    pub fn message(&self, row: usize, out: &mut Vec<u8>) -> Result<(), LogsError> {
        if let Some(text) = self.text(row) {
            let &(page, start, length) = self.head.at.get(text).ok_or_else(|| self.segment.damaged())?;
            let page = self.page(page as usize)?;
            let text = page.get(start as usize..(start + length) as usize);
            out.extend_from_slice(text.ok_or_else(|| self.segment.damaged())?);
            return Ok(());
        }
        let at = self.at(row);
        let Beginnings { tokens, text, ends } = self.beginnings()?;
        let start = at.run.checked_sub(1).map_or(0, |before| ends[before]);
        out.extend_from_slice(&text[start as usize..ends[at.run] as usize]);
        for token in *tokens..self.head.tokens {
            if token > 0 {
                out.push(b' ');
            }
            self.column(token)?.write(at, out);
        }
        Ok(())
    }

    fn beginnings(&self) -> Result<&Beginnings, LogsError> {
        if let Some(beginnings) = self.beginnings.get() {
            return Ok(beginnings);
        }
        let mut tokens = 0;
        while tokens < self.head.tokens && self.column(tokens)?.is_alike_in_runs() {
            tokens += 1;
        }
        let (mut text, mut ends) = (Vec::new(), Vec::new());
        for (run, (_, start)) in self.runs.iter().enumerate() {
            for token in 0..tokens {
                if token > 0 {
                    text.push(b' ');
                }
                self.column(token)?.write(Row { row: *start as usize, run, second: 0 }, &mut text);
            }
            ends.push(text.len() as u32);
        }
        Ok(self.beginnings.get_or_init(|| Beginnings { tokens, text, ends }))
    }

    /// A row's message.
    pub fn message_string(&self, row: usize) -> Result<String, LogsError> {
        let mut out = Vec::with_capacity(128);
        self.message(row, &mut out)?;
        String::from_utf8(out).map_err(|_| self.segment.damaged())
    }

    pub(super) fn damaged(&self) -> LogsError {
        self.segment.damaged()
    }

    fn page(&self, index: usize) -> Result<&[u8], LogsError> {
        let cell = self.pages.get(index).ok_or_else(|| self.segment.damaged())?;
        if let Some(page) = cell.get() {
            return Ok(page);
        }
        let bytes = read(&self.segment, &self.meta, FIRST_TOKEN + self.head.tokens + index)?;
        let length = self.head.pages[index];
        let page = zstd::bulk::decompress(&bytes, length).map_err(|_| self.segment.damaged())?;
        Ok(cell.get_or_init(|| page))
    }
}

fn decode_runs(bytes: &[u8], rows: usize) -> Option<Vec<(u64, u32)>> {
    let mut bytes = Bytes(bytes);
    let (mut runs, mut stream, mut row) = (Vec::new(), 0, 0);
    for _ in 0..bytes.length()? {
        stream += bytes.signed()?;
        runs.push((stream as u64, row as u32));
        row += bytes.length()?;
    }
    (row == rows).then_some(runs)
}

/// The bytes of a column, checked.
fn read(segment: &Segment, meta: &BlockMeta, column: usize) -> Result<Vec<u8>, LogsError> {
    let at = meta.columns.get(column).ok_or_else(|| segment.damaged())?;
    let mut bytes = vec![0; at.length];
    match segment.file()?.read_at(&mut bytes, at.offset) {
        Ok(()) if crc32fast::hash(&bytes) == at.crc => Ok(bytes),
        Ok(()) => Err(segment.damaged()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(segment.damaged()),
        Err(error) => Err(LogsError::read(error)),
    }
}
