//! Lines of a LogFormat.

use super::UnknownType;
use super::value::{Cell, Column, push_number};
use crate::field::Field;
use crate::format::LogFormat;
use crate::text::{is_plain, push_plain};
use arrow_array::RecordBatch;

/// Appends one line of `format` and a newline a row. A field that the batch has
/// no column for is `-`, like an absent value.
///
/// Lines that were read into a batch of all fields of their format come out as
/// they were, byte by byte.
///
/// # Errors
/// [`UnknownType`] before anything is written.
pub fn text(batch: &RecordBatch, format: &LogFormat, out: &mut Vec<u8>) -> Result<(), UnknownType> {
    let column_of = |&field: &Field| {
        let named = batch.schema_ref().fields().iter().zip(batch.columns());
        let mut found = named.filter(|(column, _)| Field::by_name_or_column(column.name()) == Some(field));
        match found.next() {
            Some((column, array)) => Column::new(column.name(), array, is_plain),
            None => Ok(Column::Missing),
        }
    };
    let columns: Vec<Column<'_>> = format.fields().iter().map(column_of).collect::<Result<_, _>>()?;
    for row in 0..batch.num_rows() {
        for (index, column) in columns.iter().enumerate() {
            if index > 0 {
                out.push(b' ');
            }
            match column.cell(row) {
                Cell::Null | Cell::Text { text: "", .. } => out.push(b'-'),
                Cell::Number(number) => push_number(number, out),
                Cell::Text { text, is_plain: true } => out.extend_from_slice(text.as_bytes()),
                Cell::Text { text, is_plain: false } => push_plain(text, out),
            }
        }
        out.push(b'\n');
    }
    Ok(())
}
