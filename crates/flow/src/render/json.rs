//! One JSON object a line.

use super::value::{Cell, Plan, UtcText, push_number};
use super::{Extras, UnknownType};
use arrow_array::RecordBatch;

/// Appends one object and a newline a row: numbers as numbers, absent values
/// as `null`. A batch without columns gives `{}`.
///
/// # Errors
/// [`UnknownType`] before anything is written.
pub fn json(batch: &RecordBatch, extras: Extras, out: &mut Vec<u8>) -> Result<(), UnknownType> {
    let plan = Plan::new(batch, extras, is_plain)?;
    // `,"name":` of each column and extra; the first row's comma becomes a brace.
    let key = |name: &str| {
        let mut key = b",\"".to_vec();
        push_escaped(name, &mut key);
        key.extend_from_slice(b"\":");
        key
    };
    let keys: Vec<(Vec<u8>, Vec<u8>)> = plan
        .columns
        .iter()
        .map(|planned| (key(planned.name), planned.extra.map(|(_, name)| key(name)).unwrap_or_default()))
        .collect();
    let mut utc = UtcText::default();
    for row in 0..batch.num_rows() {
        let begin = out.len();
        for (planned, (name, extra_name)) in plan.columns.iter().zip(&keys) {
            let cell = planned.column.cell(row);
            out.extend_from_slice(name);
            match &cell {
                Cell::Null => out.extend_from_slice(b"null"),
                Cell::Number(number) => push_number(*number, out),
                Cell::Text { text, is_plain } => push_text(text, *is_plain, out),
            }
            if let Some((extra, _)) = planned.extra {
                out.extend_from_slice(extra_name);
                match extra.text(&cell, &mut utc) {
                    Some(text) => push_text(text, true, out),
                    None => out.extend_from_slice(b"null"),
                }
            }
        }
        match out.get_mut(begin) {
            Some(comma) => *comma = b'{',
            None => out.push(b'{'),
        }
        out.extend_from_slice(b"}\n");
    }
    Ok(())
}

#[inline]
fn push_text(text: &str, is_plain: bool, out: &mut Vec<u8>) {
    out.push(b'"');
    if is_plain {
        out.extend_from_slice(text.as_bytes());
    } else {
        push_escaped(text, out);
    }
    out.push(b'"');
}

/// What RFC 8259 section 7 lets stand unescaped.
fn is_plain(byte: u8) -> bool {
    byte >= b' ' && byte != b'"' && byte != b'\\'
}

fn push_escaped(text: &str, out: &mut Vec<u8>) {
    for &byte in text.as_bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            _ if is_plain(byte) => out.push(byte),
            control => {
                let digit = |half: u8| b"0123456789abcdef".get(usize::from(half)).copied().unwrap_or(b'0');
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[digit(control >> 4), digit(control & 15)]);
            }
        }
    }
}
