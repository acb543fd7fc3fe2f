//! Flow-log text by the columnar decoder of `weir_flow`, where that gives what
//! Hive's class gives for such lines: only the columns that are asked for are
//! parsed, and of those records that an equality rules out nothing.
//!
//! Invariant: the rows are those of [`Reading::lines`]. A block of lines with
//! anything that the two read differently (a line that is no record, a header
//! within the data, an escape) is read by that one. Numbers are compared as
//! texts before they are parsed: one with leading zeros, which no flow log has,
//! equals nothing.

use super::rows::{LINE_BYTES, Reading, SerdeFormat};
use super::{TableInfo, arrow_type};
use datafusion::arrow::array::{Array, ArrayRef, RecordBatch, StringArray, cast::AsArray, new_null_array};
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::error::ArrowError;
use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::sync::Arc;
use weir_flow::columns::{Block, BlockReader, Reader, Selection, data_type};
use weir_flow::field::Field;
use weir_flow::format::LogFormat;

/// Names that AWS's pages gave columns before the fields' own.
const OTHER_NAMES: &[(&str, Field)] = &[
    ("account", Field::AccountId),
    ("interfaceid", Field::InterfaceId),
    ("sourceaddress", Field::SrcAddr),
    ("destinationaddress", Field::DstAddr),
    ("sourceport", Field::SrcPort),
    ("destinationport", Field::DstPort),
    ("numpackets", Field::Packets),
    ("numbytes", Field::Bytes),
    ("starttime", Field::Start),
    ("endtime", Field::End),
    ("logstatus", Field::LogStatus),
];

/// What is read so of a table's files.
#[derive(Debug, Clone)]
pub(super) struct Columnar {
    /// Of each column, in the table's order.
    fields: Vec<Field>,
    selections: Vec<Selection>,
}

impl Columnar {
    /// `None` if the table's text is not like a flow log's: blanks between
    /// values, columns with the names and types of fields.
    pub fn of(info: &TableInfo, format: &SerdeFormat) -> Option<Self> {
        let SerdeFormat::Delimited { delimiter: ' ', escape: None, null } = format else { return None };
        if null != "\\N" {
            return None;
        }
        let mut fields: Vec<Field> = Vec::with_capacity(info.columns.len());
        for (name, kind) in &info.columns {
            let by_name = Field::ALL.iter().copied().find(|field| field.column() == name.as_str());
            let other = || OTHER_NAMES.iter().find(|(other, _)| other == name).map(|(_, field)| *field);
            let field = by_name.or_else(other)?;
            let is_text = data_type(field) == DataType::Utf8;
            let fits = match arrow_type(kind).ok()? {
                DataType::Utf8 => is_text,
                DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => !is_text,
                _ => false,
            };
            if !fits || fields.contains(&field) {
                return None;
            }
            fields.push(field);
        }
        (!fields.is_empty()).then_some(Self { fields, selections: Vec::new() })
    }

    /// With conditions that the decoder applies itself; others are passed over.
    pub fn only(mut self, info: &TableInfo, filters: &[Expr]) -> Self {
        let columns: Vec<crate::Column> = info
            .columns
            .iter()
            .zip(&self.fields)
            .map(|((name, _), field)| crate::Column { name: name.clone(), ..crate::Column::of_field(*field) })
            .collect();
        let plain = |text: &Vec<u8>| !text.is_empty() && text != b"-" && !text.contains(&b' ');
        self.selections = filters
            .iter()
            .filter_map(|filter| crate::table::selection(&columns, filter))
            .filter(|selection| selection.texts.iter().all(plain))
            .collect();
        self
    }

    /// The format of a file whose lines have so many values.
    fn format(&self, values: usize) -> Option<LogFormat> {
        let mut fields: Vec<Field> = self.fields.iter().copied().take(values).collect();
        let unused = Field::ALL.iter().filter(|field| !self.fields.contains(field));
        fields.extend(unused.take(values.saturating_sub(fields.len())));
        (fields.len() == values).then(|| LogFormat::new(&fields).ok()).flatten()
    }
}

/// A file's decoder, and where each column of the table comes from.
struct Decoder<'a> {
    reading: &'a Reading,
    columnar: &'a Columnar,
    reader: Reader,
    /// Of the reader's batch.
    fields: Vec<Field>,
    format: LogFormat,
}

impl<'a> Decoder<'a> {
    fn new(reading: &'a Reading, columnar: &'a Columnar, values: usize) -> Option<Self> {
        let format = columnar.format(values)?;
        let wanted = reading.projection.iter().filter_map(|place| columnar.fields.get(*place));
        let mut fields: Vec<Field> = Vec::new();
        for field in wanted.filter(|field| format.position(**field).is_some()) {
            if !fields.contains(field) {
                fields.push(*field);
            }
        }
        let mut reader = Reader::new(format.clone(), &fields);
        for selection in &columnar.selections {
            reader = reader.only(selection);
        }
        Some(Self { reading, columnar, reader, fields, format })
    }

    /// `None` if the block is not plain records.
    fn decode(&mut self, block: &[u8]) -> Option<Block> {
        if memchr::memchr2(b'\\', b'\r', block).is_some() {
            return None;
        }
        let read = self.reader.push_block(block);
        let ends = memchr::memchr_iter(b'\n', block).count() as u64;
        let lines = ends + u64::from(block.last() != Some(&b'\n'));
        let is_whole = read.counts.malformed == 0
            && read.counts.headers == 0
            && read.counts.lines == lines
            && (read.counts.records == lines || !self.columnar.selections.is_empty());
        is_whole.then_some(read)
    }

    fn batch(&self, read: &Block, keys: &[ScalarValue]) -> Result<RecordBatch, ArrowError> {
        let rows = read.batch.num_rows();
        self.reading.batch(rows, keys, |place| {
            let field =
                self.columnar.fields.get(place).filter(|field| self.format.position(**field).is_some());
            let found = field.and_then(|field| self.fields.iter().position(|known| known == field));
            Ok(match found {
                Some(at) => dashes(read.batch.column(at)),
                None => new_null_array(&DataType::Null, rows),
            })
        })
    }
}

/// In a text column `-` is a text.
fn dashes(array: &ArrayRef) -> ArrayRef {
    match array.as_string_opt::<i32>() {
        Some(texts) if texts.null_count() > 0 => {
            Arc::new(texts.iter().map(|text| Some(text.unwrap_or("-"))).collect::<StringArray>())
        }
        _ => array.clone(),
    }
}

/// Gives the rows of a file to `send` until it wants no more.
pub(super) fn read(
    reading: &Reading,
    columnar: &Columnar,
    mut input: Box<dyn BufRead>,
    keys: &[ScalarValue],
    send: &mut dyn FnMut(RecordBatch) -> bool,
) -> Result<(), ArrowError> {
    let mut line = Vec::new();
    for _ in 0..reading.skip_lines {
        line.clear();
        if (&mut input).take(LINE_BYTES).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
    }
    let mut blocks = BlockReader::new(input);
    let mut decoder = None;
    let mut is_first = true;
    loop {
        let block = match blocks.next_block() {
            Ok(Some(block)) => block,
            Ok(None) => return Ok(()),
            Err(error) => {
                let (source, rest) = blocks.into_parts();
                if rest.len() < BlockReader::<Box<dyn BufRead>>::BLOCK_BYTES {
                    return Err(error.into());
                }
                // A line that is longer than a block.
                let mut whole = Cursor::new(rest).chain(source);
                return reading.lines(&mut whole, 0, keys, send);
            }
        };
        if std::mem::take(&mut is_first) {
            let first = block.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let values = first.split(|byte| *byte == b' ').count();
            decoder = Decoder::new(reading, columnar, values);
        }
        let decoded = decoder.as_mut().and_then(|decoder| Some((decoder.decode(block)?, &*decoder)));
        match decoded {
            Some((read, decoder)) => {
                reading
                    .rows
                    .fetch_add(read.counts.lines - read.counts.records, std::sync::atomic::Ordering::Relaxed);
                if read.batch.num_rows() > 0 && !send(decoder.batch(&read, keys)?) {
                    return Ok(());
                }
            }
            None => {
                let mut is_wanted = true;
                let mut watched = |batch| {
                    is_wanted = send(batch);
                    is_wanted
                };
                reading.lines(&mut BufReader::new(block), 0, keys, &mut watched)?;
                if !is_wanted {
                    return Ok(());
                }
            }
        }
    }
}
