//! Filter patterns on the columns of a block.
//!
//! A space-delimited pattern is tested column by column, each on the rows that
//! are left, and a dictionary's token once for all its rows. Of other patterns
//! the text that every match contains is looked for in the columns first; only
//! messages that may match are put together.

use super::Block;
use super::column::{Column, Row};
use crate::error::LogsError;
use crate::pattern::{FieldTest, OnTokens, Pattern};
use memchr::memmem::Finder;

/// Those of the rows, which are in the block's order, whose message matches.
pub(super) fn matching(block: &Block, pattern: &Pattern, rows: Vec<u32>) -> Result<Vec<u32>, LogsError> {
    let (texts, mut rows): (Vec<u32>, Vec<u32>) =
        rows.into_iter().partition(|row| block.text(*row as usize).is_some());
    if !rows.is_empty() {
        match pattern.on_tokens(block.tokens()) {
            OnTokens::Never => rows.clear(),
            OnTokens::Fields(tests) => fields(block, tests, &mut rows)?,
            OnTokens::Message(one_of) => {
                containing(block, &one_of, &mut rows)?;
                messages(block, pattern, &mut rows)?;
            }
        }
    }
    let mut texts = texts;
    messages(block, pattern, &mut texts)?;
    rows.extend(texts);
    Ok(rows)
}

/// Looks at whole messages.
fn messages(block: &Block, pattern: &Pattern, rows: &mut Vec<u32>) -> Result<(), LogsError> {
    let mut message = Vec::new();
    let mut matches = |row: u32| {
        message.clear();
        block.message(row as usize, &mut message)?;
        let text = str::from_utf8(&message).map_err(|_| block.damaged())?;
        Ok::<_, LogsError>(pattern.matches(text))
    };
    let mut failed = None;
    rows.retain(|row| {
        matches(*row).unwrap_or_else(|error| {
            failed = Some(error);
            false
        })
    });
    failed.map_or(Ok(()), Err)
}

fn fields(block: &Block, tests: Vec<(usize, FieldTest)>, rows: &mut Vec<u32>) -> Result<(), LogsError> {
    let mut columns = Vec::with_capacity(tests.len());
    for (token, test) in tests {
        columns.push((block.column(token)?, test));
    }
    // Few different tokens are tested soonest.
    columns.sort_by_key(|(column, _)| column.codes().unwrap_or(usize::MAX));
    for (column, test) in columns {
        if rows.is_empty() {
            break;
        }
        field(block, column, test, rows);
    }
    Ok(())
}

fn field(block: &Block, column: &Column, test: FieldTest, rows: &mut Vec<u32>) {
    let mut token = Vec::new();
    if let Some(codes) = column.codes() {
        let mut known = vec![None; codes];
        let mut holds = |code: usize| {
            *known[code].get_or_insert_with(|| {
                token.clear();
                column.write_code(code, &mut token);
                str::from_utf8(&token).is_ok_and(|token| test.holds(token))
            })
        };
        match column.only_code() {
            Some(code) if holds(code) => {}
            Some(_) => rows.clear(),
            None => retain(block, column, rows, |at| holds(column.code(at))),
        }
        return;
    }
    retain(block, column, rows, |at| {
        if let Some(holds) = column.whole_number(at).and_then(|number| test.holds_for_number(number)) {
            return holds;
        }
        token.clear();
        column.write(at, &mut token);
        str::from_utf8(&token).is_ok_and(|token| test.holds(token))
    });
}

/// Keeps the rows of which a column's value is right.
fn retain(block: &Block, column: &Column, rows: &mut Vec<u32>, mut holds: impl FnMut(Row) -> bool) {
    if !column.is_by_run() {
        let second = |row| if column.is_by_second() { block.second(row) } else { 0 };
        rows.retain(|&row| {
            let row = row as usize;
            holds(Row { row, run: 0, second: second(row) })
        });
        return;
    }
    let mut runs = block.runs().map(|(_, rows)| rows).enumerate();
    let mut now = runs.next();
    let mut before: Option<(usize, bool)> = None;
    rows.retain(|&row| {
        while now.as_ref().is_some_and(|(_, run)| run.end <= row as usize) {
            now = runs.next();
        }
        let run = now.as_ref().map_or(0, |(run, _)| *run);
        match before {
            Some((same, holds)) if same == run => holds,
            _ => {
                let held = holds(Row { row: row as usize, run, second: 0 });
                before = Some((run, held));
                held
            }
        }
    });
}

/// Keeps the rows of which some column has one of the texts; all, if that
/// cannot be told.
pub(super) fn containing(block: &Block, texts: &[&str], rows: &mut Vec<u32>) -> Result<(), LogsError> {
    if texts.is_empty() || texts.iter().any(|text| text.contains(' ')) {
        return Ok(());
    }
    let finders: Vec<Finder> = texts.iter().map(Finder::new).collect();
    let mut keep = vec![false; block.rows()];
    let mut token = Vec::new();
    for index in 0..block.tokens() {
        let column = block.column(index)?;
        let Some(codes) = column.codes() else {
            if texts.iter().any(|text| text.bytes().all(|byte| column.only_of(byte))) {
                return Ok(());
            }
            continue;
        };
        let mut any = false;
        let has: Vec<bool> = (0..codes)
            .map(|code| {
                token.clear();
                column.write_code(code, &mut token);
                let has = finders.iter().any(|finder| finder.find(&token).is_some());
                any |= has;
                has
            })
            .collect();
        if any {
            let mut left = rows.clone();
            retain(block, column, &mut left, |at| has[column.code(at)]);
            left.into_iter().for_each(|row| keep[row as usize] = true);
        }
    }
    rows.retain(|row| keep[*row as usize]);
    Ok(())
}
