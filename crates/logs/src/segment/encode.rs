//! Rows to the columns of a block.
//!
//! ```text
//! 0 runs        varint n | n * (signed stream less the one before | varint rows)
//! 1 timestamps  numbers
//! 2 sequences   u8 1 if less the row's number | numbers
//! 3 ingestion   numbers
//! 4 head        varint tokens | varint t | numbers: the t rows that are text | numbers: their lengths
//!               | varint pages | page * (varint texts | varint bytes)
//! 5...          one column a token, see `column`
//! ...           pages: texts one behind the other, zstd
//! ```
//!
//! `tokens` is the number that most messages of the block have; those with
//! another are text. A text's row has the token before it in the token columns.

use super::bytes::{signed, varint};
use super::footer::BlockMeta;
use super::{column, numbers, token};
use std::collections::HashMap;
use std::io;

/// Bytes of text in a page.
const PAGE_BYTES: usize = if cfg!(test) { 64 } else { 64 << 10 };

/// Events with their messages in one text.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub events: Vec<Row>,
    pub text: String,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub stream: u64,
    pub timestamp: i64,
    pub sequence: u64,
    pub ingestion: i64,
    pub start: usize,
    pub length: u32,
}

impl Rows {
    pub fn message(&self, row: &Row) -> &str {
        &self.text[row.start..row.start + row.length as usize]
    }
}

/// Sorts the rows and encodes them, all of one group. There is at least one.
pub(super) fn block(group: u64, rows: &mut Rows) -> io::Result<(BlockMeta, Vec<Vec<u8>>)> {
    rows.events.sort_unstable_by_key(|row| (row.stream, row.timestamp, row.sequence));
    let rows = &*rows;
    let events = &rows.events;
    let each = |of: fn(&Row) -> i64| events.iter().map(of).collect::<Vec<i64>>();
    let (timestamps, sequences) = (each(|row| row.timestamp), each(|row| row.sequence as i64));
    let mut runs = Vec::new();
    let mut run_column = Vec::new();
    let mut before = 0;
    let chunks = events.chunk_by(|a, b| a.stream == b.stream);
    varint(chunks.clone().count() as u64, &mut run_column);
    let mut start = 0;
    for run in chunks {
        runs.push(start);
        start += run.len() as u32;
        let stream = run[0].stream as i64;
        signed(stream - before, &mut run_column);
        before = stream;
        varint(run.len() as u64, &mut run_column);
    }

    let mut columns = vec![run_column, encoded(&timestamps), sequence_column(&sequences)];
    columns.push(encoded(&each(|row| row.ingestion)));
    let (head, tokens, pages) = messages(rows, &runs, &timestamps)?;
    columns.push(head);
    columns.extend(tokens);
    columns.extend(pages);
    let meta = BlockMeta {
        group,
        rows: events.len(),
        first: timestamps.iter().copied().min().unwrap_or(0),
        last: timestamps.iter().copied().max().unwrap_or(0),
        first_sequence: events.iter().map(|row| row.sequence).min().unwrap_or(0),
        last_sequence: events.iter().map(|row| row.sequence).max().unwrap_or(0),
        columns: Vec::new(),
    };
    Ok((meta, columns))
}

fn encoded(values: &[i64]) -> Vec<u8> {
    let mut out = Vec::new();
    numbers::encode(values, &mut out);
    out
}

fn sequence_column(sequences: &[i64]) -> Vec<u8> {
    let mut plain = vec![0];
    numbers::encode(sequences, &mut plain);
    let less: Vec<i64> = sequences.iter().enumerate().map(|(i, sequence)| sequence - i as i64).collect();
    let mut by_row = vec![1];
    numbers::encode(&less, &mut by_row);
    if by_row.len() < plain.len() { by_row } else { plain }
}

type Columns = Vec<Vec<u8>>;

fn messages(rows: &Rows, runs: &[u32], timestamps: &[i64]) -> io::Result<(Vec<u8>, Columns, Columns)> {
    let counts: Vec<Option<usize>> = rows.events.iter().map(|row| token::count(rows.message(row))).collect();
    let mut how_often: HashMap<usize, usize> = HashMap::new();
    counts.iter().flatten().for_each(|count| *how_often.entry(*count).or_default() += 1);
    let usual = how_often.into_iter().max_by_key(|(count, often)| (*often, *count));
    // Words of prose are no columns.
    let usual = usual.filter(|(_, often)| often * 2 >= rows.events.len()).map_or(0, |(count, _)| count);

    let mut tokens: Vec<Vec<&[u8]>> = vec![Vec::with_capacity(rows.events.len()); usual];
    let (mut texts, mut lengths) = (Vec::new(), Vec::new());
    let (mut pages, mut page_table) = (Vec::new(), Vec::new());
    let (mut page, mut in_page) = (Vec::new(), 0_u64);
    let mut end_page = |page: &mut Vec<u8>, in_page: &mut u64| -> io::Result<()> {
        if *in_page > 0 {
            varint(*in_page, &mut page_table);
            varint(page.len() as u64, &mut page_table);
            pages.push(zstd::bulk::compress(page, 3)?);
            page.clear();
            *in_page = 0;
        }
        Ok(())
    };
    for (i, (row, count)) in rows.events.iter().zip(&counts).enumerate() {
        let message = rows.message(row);
        if usual > 0 && *count == Some(usual) {
            for (column, token) in tokens.iter_mut().zip(message.as_bytes().split(|&byte| byte == b' ')) {
                column.push(token);
            }
            continue;
        }
        for column in &mut tokens {
            let before = column.last().copied().unwrap_or(b"-");
            column.push(before);
        }
        texts.push(i as i64);
        lengths.push(i64::from(row.length));
        page.extend(message.as_bytes());
        in_page += 1;
        if page.len() >= PAGE_BYTES {
            end_page(&mut page, &mut in_page)?;
        }
    }
    end_page(&mut page, &mut in_page)?;

    let mut head = Vec::new();
    varint(usual as u64, &mut head);
    varint(texts.len() as u64, &mut head);
    numbers::encode(&texts, &mut head);
    numbers::encode(&lengths, &mut head);
    varint(pages.len() as u64, &mut head);
    head.extend(page_table);
    let seconds: Vec<i64> = timestamps.iter().map(|time| time.div_euclid(1000)).collect();
    let tokens = tokens.iter().map(|tokens| column::encode(tokens, runs, &seconds)).collect();
    Ok((head, tokens, pages))
}
