//! A block that is being read. Columns are read from the file when they are
//! first asked for, and kept for as long as the block is.

use super::Segment;
use super::assemble::{Assembly, BATCH, Looked};
use super::bytes::Bytes;
use super::column::{Column, Row};
use super::footer::BlockMeta;
use super::numbers::Numbers;
use crate::error::LogsError;
use crate::index::Place;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
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
    columns: Vec<OnceLock<Arc<Column>>>,
    pages: Vec<OnceLock<Vec<u8>>>,
    order: OnceLock<Vec<Placed>>,
    beginnings: OnceLock<Beginnings>,
    assembly: OnceLock<Assembly>,
    /// Messages that were put together without it.
    assembled: AtomicUsize,
}

/// A row, where it is in the order of time, and the run that it is of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed {
    pub place: Place,
    pub row: u32,
    pub run: u32,
}

/// Room for one message at a time, used again for the next.
#[derive(Default)]
pub(crate) struct Scratch {
    text: Vec<u8>,
    looked: Looked,
}

/// The first tokens of all messages of a run, where they are alike: version,
/// account and interface of a flow-log record.
struct Beginnings {
    tokens: usize,
    text: Vec<u8>,
    /// Of each run, where it ends in `text`.
    ends: Vec<u32>,
}

impl Beginnings {
    #[inline]
    fn of(&self, run: usize) -> &[u8] {
        let start = run.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start as usize..self.ends[run] as usize]
    }
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
                assembly: OnceLock::new(),
                assembled: AtomicUsize::new(0),
            })
        };
        decode().ok_or_else(|| segment.damaged())
    }

    pub fn rows(&self) -> usize {
        self.meta.rows
    }

    /// About how many bytes of memory it takes now.
    pub(super) fn weight(&self) -> usize {
        let columns = &self.meta.columns;
        let (first, tokens) = columns.split_at(FIRST_TOKEN.min(columns.len()));
        let read = self.columns.iter().zip(tokens).filter(|(column, _)| column.get().is_some());
        let read: usize = read.map(|(_, at)| at.length + at.length / 2).sum();
        let order = self.order.get().map_or(0, |order| size_of_val(order.as_slice()));
        let pages: usize = self.pages.iter().filter_map(|page| page.get()).map(Vec::len).sum();
        let assembly = self.assembly.get().map_or(0, Assembly::weight);
        first.iter().map(|column| column.length).sum::<usize>() + read + order + pages + assembly
    }

    /// All rows in order of time.
    pub(super) fn order(&self) -> &[Placed] {
        self.order.get_or_init(|| {
            let mut rows = Vec::with_capacity(self.meta.rows);
            for (run, (_, of_run)) in self.runs().enumerate() {
                let placed = |row: usize| Placed { place: self.place(row), row: row as u32, run: run as u32 };
                rows.extend(of_run.map(placed));
            }
            rows.sort_unstable_by_key(|placed| placed.place);
            rows
        })
    }

    /// A row with its place and run.
    pub(super) fn placed(&self, row: u32) -> Placed {
        Placed { place: self.place(row as usize), row, run: self.run_of(row as usize) as u32 }
    }

    /// The stream of a run.
    #[inline]
    pub fn stream_of(&self, run: u32) -> u64 {
        self.runs[run as usize].0
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

    pub(super) fn column(&self, token: usize) -> Result<&Arc<Column>, LogsError> {
        let cell = self.columns.get(token).ok_or_else(|| self.segment.damaged())?;
        if let Some(column) = cell.get() {
            return Ok(column);
        }
        let bytes = read(&self.segment, &self.meta, FIRST_TOKEN + token)?;
        let column = Column::decode(&bytes, self.meta.rows, self.runs.len());
        let column = column.ok_or_else(|| self.segment.damaged())?;
        Ok(cell.get_or_init(|| Arc::new(column)))
    }

    /// Where a row's values are looked up.
    #[inline]
    pub(super) fn at(&self, row: usize) -> Row {
        Row { row, run: self.run_of(row), second: self.second(row) }
    }

    /// Whether some rows are text.
    pub(super) fn has_texts(&self) -> bool {
        self.head.tokens == 0 || !self.head.texts.is_empty()
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
            out.extend_from_slice(self.text_at(text)?);
            return Ok(());
        }
        let at = self.at(row);
        let beginnings = self.beginnings()?;
        out.extend_from_slice(beginnings.of(at.run));
        for token in beginnings.tokens..self.head.tokens {
            if token > 0 {
                out.push(b' ');
            }
            self.column(token)?.write(at, out);
        }
        Ok(())
    }

    fn text_at(&self, text: usize) -> Result<&[u8], LogsError> {
        let &(page, start, length) = self.head.at.get(text).ok_or_else(|| self.segment.damaged())?;
        let page = self.page(page as usize)?;
        page.get(start as usize..(start + length) as usize).ok_or_else(|| self.segment.damaged())
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

    /// A row's message, for readers of many.
    pub fn text_of<'a>(&'a self, placed: Placed, room: &'a mut Scratch) -> Result<&'a str, LogsError> {
        let row = placed.row as usize;
        let text = match self.text(row) {
            Some(text) => self.text_at(text)?,
            None => match self.assembly_for(1)? {
                Some(assembly) => {
                    assembly.look_up(&[placed], &mut room.looked);
                    self.assemble(assembly, placed, 0, room)?
                }
                None => {
                    room.text.clear();
                    self.message(row, &mut room.text)?;
                    &room.text
                }
            },
        };
        str::from_utf8(text).map_err(|_| self.segment.damaged())
    }

    /// Gives the messages of rows, in the rows' order, until `each` returns
    /// `false`; how many it was given.
    pub fn each_text(
        &self,
        rows: &[Placed],
        room: &mut Scratch,
        mut each: impl FnMut(Placed, &str) -> Result<bool, LogsError>,
    ) -> Result<usize, LogsError> {
        let mut given = 0;
        for batch in rows.chunks(BATCH) {
            let assembly = if self.head.tokens == 0 { None } else { self.assembly_for(batch.len())? };
            if let Some(assembly) = assembly {
                assembly.look_up(batch, &mut room.looked);
            }
            for (i, &placed) in batch.iter().enumerate() {
                given += 1;
                let text = match (self.text(placed.row as usize), assembly) {
                    (Some(text), _) => self.text_at(text)?,
                    (None, Some(assembly)) => self.assemble(assembly, placed, i, room)?,
                    (None, None) => {
                        room.text.clear();
                        self.message(placed.row as usize, &mut room.text)?;
                        &room.text
                    }
                };
                let text = str::from_utf8(text).map_err(|_| self.segment.damaged())?;
                if !each(placed, text)? {
                    return Ok(given);
                }
            }
        }
        Ok(given)
    }

    /// A row of the batch that was looked up.
    #[inline]
    fn assemble<'a>(
        &self,
        assembly: &Assembly,
        placed: Placed,
        in_batch: usize,
        room: &'a mut Scratch,
    ) -> Result<&'a [u8], LogsError> {
        let beginning = self.beginnings()?.of(placed.run as usize);
        let Scratch { text, looked } = room;
        if text.len() < beginning.len() {
            text.resize(beginning.len(), 0);
        }
        text[..beginning.len()].copy_from_slice(beginning);
        let end = assembly.write(looked, in_batch, text, beginning.len());
        Ok(&text[..end])
    }

    /// Tables for all messages, once so many are read that they pay.
    fn assembly_for(&self, rows: usize) -> Result<Option<&Assembly>, LogsError> {
        if let Some(assembly) = self.assembly.get() {
            return Ok(Some(assembly));
        }
        if self.assembled.fetch_add(rows, Ordering::Relaxed) < self.meta.rows / 64 {
            return Ok(None);
        }
        let made = self.make_assembly()?;
        Ok(Some(self.assembly.get_or_init(|| made)))
    }

    fn make_assembly(&self) -> Result<Assembly, LogsError> {
        let behind = self.beginnings()?.tokens..self.head.tokens;
        let columns: Result<Vec<_>, _> = behind.map(|token| self.column(token).cloned()).collect();
        Ok(Assembly::new(columns?))
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
