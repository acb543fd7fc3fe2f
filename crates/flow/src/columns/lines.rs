//! Lines to columns: chunk by chunk, so that the text, its stops and the rows
//! stay in the processor's second-level cache from one column to the next.
//!
//! ```text
//! block ─▶ chunks ─▶ stops ─▶ lines with the right number of values ─▶ columns
//!                              └─▶ others: headers, malformed ◀─ a value is wrong
//! ```
//!
//! A chunk with a wrong value is read a second time without its line: wrong
//! lines are rare, and columns then never need a way to take a row out.

use super::column::Column;
use super::decode::Rows;
use super::explain::explain;
use super::select::{Selected, Selection};
use super::split::{Stops, value};
use super::{Counts, Malformed, Reader};
use crate::field::Field;
use crate::format::LogFormat;
use arrow_array::{RecordBatch, RecordBatchOptions, new_null_array};
use arrow_schema::{ArrowError, SchemaRef};
use fearless_simd::{Level, Simd, dispatch};

/// Bytes of text that are looked at together.
const CHUNK: usize = 64 << 10;

pub(super) struct Lines {
    columns: Vec<Column>,
    /// For each column of the schema its place in `columns`; `None` for one of
    /// nulls.
    schema_columns: Vec<Option<usize>>,
    /// Values of a line.
    width: u32,
    log_status: Option<u32>,
    selections: Vec<Selected>,
    /// The header line, with hyphens and with underscores.
    headers: [Vec<u8>; 2],
    /// Of the next block's first line.
    line: u64,
    offset: u64,
    level: Level,
    stops: Stops,
    first_stops: Vec<u32>,
    /// The stops of the rows alone, where lines lie between them that are none.
    row_stops: Vec<u32>,
    /// Lines of the chunk that are no rows.
    others: Vec<u32>,
    /// Rows of the chunk with a wrong value.
    wrong: Vec<u32>,
}

impl Lines {
    pub(super) fn new(format: &LogFormat, projection: &[Field]) -> Self {
        let mut columns = Vec::new();
        let schema_columns = projection.iter().map(|&field| {
            let position = format.position(field)?;
            columns.push(Column::new(field, position));
            Some(columns.len() - 1)
        });
        let header = format.header();
        Self {
            schema_columns: schema_columns.collect(),
            columns,
            width: format.fields().len() as u32,
            log_status: format.position(Field::LogStatus).map(|position| position as u32),
            selections: Vec::new(),
            headers: [header.replace('-', "_").into_bytes(), header.into_bytes()],
            line: 1,
            offset: 0,
            level: Level::new(),
            stops: Stops::default(),
            first_stops: Vec::new(),
            row_stops: Vec::new(),
            others: Vec::new(),
            wrong: Vec::new(),
        }
    }

    pub(super) fn start(&mut self, line: u64, offset: u64) {
        (self.line, self.offset) = (line, offset);
    }

    pub(super) fn only(&mut self, format: &LogFormat, selection: &Selection) {
        self.selections.push(Selected::new(format, selection));
    }

    pub(super) fn read(&mut self, format: &LogFormat, block: &[u8]) -> (Counts, Vec<Malformed>) {
        let mut counts = Counts::default();
        let mut malformed = Vec::new();
        let mut rest = block;
        while !rest.is_empty() {
            let end = chunk_end(rest);
            let level = self.level;
            dispatch!(level, simd => self.read_chunk(simd, rest, end, &mut counts));
            self.set_aside(format, rest, &mut counts, &mut malformed);
            self.line += self.stops.lines().len() as u64;
            self.offset += end as u64;
            rest = rest.get(end..).unwrap_or_default();
        }
        (counts, malformed)
    }

    /// Appends the records of `text[..end]` to the columns.
    #[inline(always)]
    fn read_chunk<S: Simd>(&mut self, simd: S, text: &[u8], end: usize, counts: &mut Counts) {
        self.stops.find(simd, text.get(..end).unwrap_or_default(), self.width);
        self.find_rows(text);
        for selected in &self.selections {
            let stops = self.stops.all();
            self.first_stops.retain(|&first_stop| selected.holds(text, stops, first_stop));
        }
        loop {
            self.wrong.clear();
            let stride = self.lay_out();
            let is_whole = stride == self.width as usize;
            let stops = if is_whole { self.stops.all() } else { &self.row_stops };
            let rows =
                Rows { text, stops, stride, count: self.first_stops.len(), is_plain: self.stops.is_plain() };
            for column in &mut self.columns {
                column.read(simd, rows, &mut self.wrong);
            }
            if self.wrong.is_empty() {
                break;
            }
            self.take_out_wrong_rows(counts.records as usize);
        }
        if let Some(position) = self.log_status {
            for &first_stop in &self.first_stops {
                let (start, end) = value(self.stops.all(), first_stop + position);
                match end - start {
                    6 => counts.no_data += u64::from(text.get(start..end) == Some(b"NODATA")),
                    8 => counts.skip_data += u64::from(text.get(start..end) == Some(b"SKIPDATA")),
                    _ => {}
                }
            }
        }
        counts.records += self.first_stops.len() as u64;
        counts.lines += self.stops.lines().len() as u64;
    }

    /// Tells lines that have as many values as the format from others.
    #[inline(always)]
    fn find_rows(&mut self, text: &[u8]) {
        self.first_stops.clear();
        self.others.clear();
        let mut first_stop = 0;
        for (&last_stop, line) in self.stops.lines().iter().zip(0u32..) {
            let is_row = last_stop - first_stop == self.width && !self.is_header(text, first_stop);
            if is_row {
                self.first_stops.push(first_stop);
            } else {
                self.others.push(line);
            }
            first_stop = last_stop;
        }
    }

    /// Puts the stops of the rows one after the other, unless they are: every
    /// line of nearly every chunk is a row. Gives how many stops later a row's
    /// are after those of the row before.
    #[inline(always)]
    fn lay_out(&mut self) -> usize {
        let width = self.width as usize;
        if self.first_stops.len() == self.stops.lines().len() && width >= 2 {
            return width;
        }
        self.row_stops.clear();
        for &first_stop in &self.first_stops {
            let all = self.stops.all().get(first_stop as usize..).unwrap_or_default();
            self.row_stops.extend_from_slice(all.get(..=width).unwrap_or_default());
        }
        self.row_stops.resize(self.row_stops.len() + width + 1, 0);
        width + 1
    }

    /// Whether the line of the right number of values is one of names.
    #[inline(always)]
    fn is_header(&self, text: &[u8], first_stop: u32) -> bool {
        let (start, _) = value(self.stops.all(), first_stop);
        let (_, end) = value(self.stops.all(), first_stop + self.width - 1);
        let [header, other] = &self.headers;
        // Many records are as long, hardly one begins so: no call for these.
        end - start == header.len()
            && text.get(start) == header.first()
            && text.get(start..end).is_some_and(|line| line == header || line == other)
    }

    #[cold]
    fn take_out_wrong_rows(&mut self, rows_before: usize) {
        for column in &mut self.columns {
            column.truncate(rows_before);
        }
        self.wrong.sort_unstable();
        self.wrong.dedup();
        let lines = self.stops.lines();
        // The row after stop k is the line after the one that ends there.
        let line_of = |first_stop: u32| match lines.binary_search(&first_stop) {
            Ok(line_before) => line_before as u32 + 1,
            Err(_) => 0,
        };
        let mut wrong = self.wrong.iter().copied().peekable();
        let mut row = 0;
        let others = &mut self.others;
        self.first_stops.retain(|&first_stop| {
            let is_wrong = wrong.next_if_eq(&row).is_some();
            row += 1;
            if is_wrong {
                others.push(line_of(first_stop));
            }
            !is_wrong
        });
        self.others.sort_unstable();
    }

    /// Counts the lines that are no rows, and says what is wrong with them.
    fn set_aside(
        &self,
        format: &LogFormat,
        text: &[u8],
        counts: &mut Counts,
        malformed: &mut Vec<Malformed>,
    ) {
        for &line in &self.others {
            let first_stop = match line {
                0 => 0,
                line => self.stops.lines().get(line as usize - 1).copied().unwrap_or(0),
            };
            let last_stop = self.stops.lines().get(line as usize).copied().unwrap_or(0);
            let (start, _) = value(self.stops.all(), first_stop);
            let (_, end) = value(self.stops.all(), last_stop - 1);
            let bytes = text.get(start..end).unwrap_or_default();
            if self.headers.iter().any(|header| header == bytes) {
                counts.headers += 1;
                continue;
            }
            counts.malformed += 1;
            if malformed.len() < Reader::MALFORMED_KEPT {
                let is_wanted = |position| self.columns.iter().any(|column| column.position() == position);
                let fault = explain(format, is_wanted, self.line + u64::from(line), bytes);
                debug_assert!(fault.is_some(), "nothing is wrong with {:?}", String::from_utf8_lossy(bytes));
                malformed.extend(fault.map(|fault| Malformed { offset: self.offset + start as u64, fault }));
            }
        }
    }

    /// The batch of all rows since the last call.
    pub(super) fn finish(&mut self, schema: &SchemaRef, rows: usize) -> Result<RecordBatch, ArrowError> {
        let read: Vec<_> = self.columns.iter_mut().map(Column::finish).collect::<Result<_, _>>()?;
        let arrays = self.schema_columns.iter().zip(schema.fields()).map(|(column, field)| {
            let found = column.and_then(|column| read.get(column));
            found.cloned().unwrap_or_else(|| new_null_array(field.data_type(), rows))
        });
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(schema.clone(), arrays.collect(), &options)
    }
}

/// Where the first chunk of `text` ends: after the last newline of its
/// [`CHUNK`] bytes, or after the first one at all if a line is that long.
fn chunk_end(text: &[u8]) -> usize {
    let Some(first) = text.get(..CHUNK) else { return text.len() };
    let newline = memchr::memrchr(b'\n', first).or_else(|| memchr::memchr(b'\n', text));
    newline.map_or(text.len(), |newline| newline + 1)
}
