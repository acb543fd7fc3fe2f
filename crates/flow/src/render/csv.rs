//! CSV, as RFC 4180 has it but with a newline alone at the end of a line.

use super::value::{Cell, Extra, Plan, UtcText, push_number};
use super::{Extras, UnknownType};
use arrow_array::RecordBatch;
use arrow_schema::Schema;

/// Appends the line of names of [`csv`].
pub fn csv_header(schema: &Schema, extras: Extras, out: &mut Vec<u8>) {
    let mut begin = true;
    let mut push = |name: &str| {
        if !std::mem::take(&mut begin) {
            out.push(b',');
        }
        push_text(name, false, out);
    };
    for column in schema.fields() {
        push(column.name());
        if let Some((_, name)) = Extra::beside(column.name(), extras) {
            push(name);
        }
    }
    out.push(b'\n');
}

/// Appends one line a row. An absent value is empty; an empty text is `""`.
///
/// # Errors
/// [`UnknownType`] before anything is written.
pub fn csv(batch: &RecordBatch, extras: Extras, out: &mut Vec<u8>) -> Result<(), UnknownType> {
    let plan = Plan::new(batch, extras, is_plain)?;
    let mut utc = UtcText::default();
    for row in 0..batch.num_rows() {
        for (index, planned) in plan.columns.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            let cell = planned.column.cell(row);
            match &cell {
                Cell::Null => {}
                Cell::Number(number) => push_number(*number, out),
                Cell::Text { text, is_plain } => push_text(text, *is_plain, out),
            }
            if let Some((extra, _)) = planned.extra {
                out.push(b',');
                out.extend_from_slice(extra.text(&cell, &mut utc).unwrap_or_default().as_bytes());
            }
        }
        out.push(b'\n');
    }
    Ok(())
}

fn is_plain(byte: u8) -> bool {
    !matches!(byte, b',' | b'"' | b'\n' | b'\r')
}

#[inline]
fn push_text(text: &str, all_plain: bool, out: &mut Vec<u8>) {
    if !text.is_empty() && (all_plain || text.bytes().all(is_plain)) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    for &byte in text.as_bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}
