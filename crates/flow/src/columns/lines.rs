//! The decoder.

use super::{Block, Counts, Malformed, Reader};
use crate::field::Field;
use crate::format::LogFormat;
use crate::text::{MalformedLine, Problem, parse_value};
use crate::value::Value;
use arrow_array::builder::{Int32Builder, Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow_schema::{DataType, SchemaRef};
use std::sync::Arc;

pub(super) struct Lines {
    projection: Vec<Option<usize>>,
    header: Vec<u8>,
    column_header: Vec<u8>,
    line: u64,
    offset: u64,
}

impl Lines {
    pub(super) fn new(format: &LogFormat, projection: &[Field]) -> Self {
        let header = format.header();
        Self {
            projection: projection.iter().map(|&field| format.position(field)).collect(),
            column_header: header.replace('-', "_").into_bytes(),
            header: header.into_bytes(),
            line: 1,
            offset: 0,
        }
    }

    pub(super) fn start(&mut self, line: u64, offset: u64) {
        (self.line, self.offset) = (line, offset);
    }

    pub(super) fn read(&mut self, format: &LogFormat, schema: &SchemaRef, block: &[u8]) -> Block {
        let mut counts = Counts::default();
        let mut malformed = Vec::new();
        let mut rows: Vec<Vec<&[u8]>> = Vec::new();
        let status = format.position(Field::LogStatus);
        for line in block.split_inclusive(|&b| b == b'\n') {
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            counts.lines += 1;
            if text == self.header || text == self.column_header {
                counts.headers += 1;
            } else if let Some(fault) = explain(format, &self.projection, self.line, text) {
                counts.malformed += 1;
                if malformed.len() < Reader::MALFORMED_KEPT {
                    malformed.push(Malformed { offset: self.offset, fault });
                }
            } else {
                let values: Vec<&[u8]> = text.split(|&b| b == b' ').collect();
                counts.records += 1;
                match status.and_then(|status| values.get(status).copied()) {
                    Some(b"NODATA") => counts.no_data += 1,
                    Some(b"SKIPDATA") => counts.skip_data += 1,
                    _ => {}
                }
                rows.push(values);
            }
            self.line += 1;
            self.offset += line.len() as u64;
        }
        let columns = self.projection.iter().zip(schema.fields()).map(|(&position, column)| -> ArrayRef {
            let Some(position) = position else {
                return new_null_array(column.data_type(), rows.len());
            };
            let texts = rows.iter().map(|row| {
                row.get(position).and_then(|text| std::str::from_utf8(text).ok()).filter(|text| *text != "-")
            });
            match column.data_type() {
                DataType::Int32 => {
                    let mut builder = Int32Builder::new();
                    texts.for_each(|text| builder.append_option(text.and_then(|text| text.parse().ok())));
                    Arc::new(builder.finish())
                }
                DataType::Int64 => {
                    let mut builder = Int64Builder::new();
                    texts.for_each(|text| builder.append_option(text.and_then(|text| text.parse().ok())));
                    Arc::new(builder.finish())
                }
                _ => {
                    let mut builder = StringBuilder::new();
                    texts.for_each(|text| builder.append_option(text));
                    Arc::new(builder.finish())
                }
            }
        });
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        let batch = RecordBatch::try_new_with_options(schema.clone(), columns.collect(), &options)
            .unwrap_or_else(|_| RecordBatch::new_empty(schema.clone()));
        Block { batch, malformed, counts }
    }
}

/// Why the line is no record, if it is none: what `text::parse_line` would say,
/// had it only looked at the projected fields.
fn explain(
    format: &LogFormat,
    projection: &[Option<usize>],
    line: u64,
    text: &[u8],
) -> Option<MalformedLine> {
    let fault = |column, field, problem| Some(MalformedLine { line, column, field, problem });
    let mut values = text.split(|&b| b == b' ');
    let mut column = 1;
    for (position, &field) in format.fields().iter().enumerate() {
        let Some(value) = values.next() else {
            return fault(text.len() + 1, field, Problem::Missing);
        };
        if projection.contains(&Some(position)) {
            let checked = std::str::from_utf8(value).map_err(|_| Problem::NotUtf8);
            let checked: Result<Value<'_>, Problem> = checked.and_then(|value| parse_value(field, value));
            if let Err(problem) = checked {
                return fault(column, field, problem);
            }
        }
        column += value.len() + 1;
    }
    match format.fields().last() {
        Some(&field) if values.next().is_some() => fault(column, field, Problem::TooMany),
        _ => None,
    }
}
