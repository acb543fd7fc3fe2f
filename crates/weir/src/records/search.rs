//! Lines that match, as they are: the part of `weir filter` that runs on all
//! cores.
//!
//! A text that every match contains is looked for in the whole block first;
//! only the lines that have it are looked at. Of these, those that the pattern
//! matches are made columns of the fields that the condition asks for.

use super::engine::Job;
use super::format::Framing;
use super::source::{Block, Opened};
use anyhow::{Context, Result};
use memchr::memmem::Finder;
use std::collections::HashSet;
use std::sync::Arc;
use weir_flow::columns::{self, Reader};
use weir_flow::condition::Condition;
use weir_flow::format::LogFormat;
use weir_flow::render;
use weir_logs::pattern::Pattern;

pub struct Search {
    pattern: Option<Pattern>,
    condition: Option<Condition>,
    literal: Option<Finder<'static>>,
    is_count: bool,
}

/// What a block has.
pub struct Found {
    pub lines: u64,
    pub matched: u64,
    /// The lines; none if they are only counted.
    pub text: Vec<u8>,
}

/// A worker's preparations for one input.
#[derive(Default)]
pub struct Worker {
    current: Option<(Arc<Opened>, Prepared)>,
    lines: Vec<u8>,
}

struct Prepared {
    format: LogFormat,
    headers: [Vec<u8>; 2],
    /// Of the condition's fields.
    reader: Reader,
    /// Lines that the reader has counted.
    lines_read: u64,
}

impl Prepared {
    fn read(&mut self, lines: &[u8]) -> columns::Block {
        let block = self.reader.push_block(lines);
        self.lines_read += block.counts.lines;
        block
    }
}

impl Search {
    /// A line must match both, if both are given.
    pub fn new(pattern: Option<Pattern>, condition: Option<Condition>, is_count: bool) -> Self {
        let of_pattern = pattern.as_ref().and_then(Pattern::literal).map(str::to_owned);
        let literal = of_pattern.or_else(|| condition.as_ref().and_then(Condition::literal));
        let literal = literal.map(|literal| Finder::new(&literal).into_owned());
        Self { pattern, condition, literal, is_count }
    }

    fn prepare(&self, opened: &Opened) -> Result<Prepared> {
        let format = opened.format().context("its columns are no format")?;
        let header = format.header();
        let asked = self.condition.as_ref().map(Condition::fields).unwrap_or_default();
        Ok(Prepared {
            headers: [header.clone().into_bytes(), header.replace('-', "_").into_bytes()],
            reader: Reader::new(format.clone(), &asked),
            format,
            lines_read: 0,
        })
    }

    fn search(&self, prepared: &mut Prepared, framing: Framing, text: &[u8]) -> Result<Found> {
        let lines = memchr::memchr_iter(b'\n', text).count() as u64
            + u64::from(text.last().is_some_and(|&last| last != b'\n'));
        let mut found = Found { lines, matched: 0, text: Vec::new() };
        let is_candidate = |line: &&[u8]| self.is_candidate(prepared, framing, line);
        let candidates: Vec<&[u8]> = match &self.literal {
            Some(literal) => Containing { literal, rest: text }.filter(is_candidate).collect(),
            None => text.split_inclusive(|&byte| byte == b'\n').filter(is_candidate).collect(),
        };
        let Some(condition) = &self.condition else {
            candidates.into_iter().for_each(|line| self.push(line, &mut found));
            return Ok(found);
        };
        let mut records = Vec::new();
        for line in &candidates {
            records.extend_from_slice(framing.record(content(line)).unwrap_or_default());
            records.push(b'\n');
        }
        let holds = holds(condition, prepared, &records, candidates.len())?;
        for (line, holds) in candidates.into_iter().zip(holds) {
            if holds {
                self.push(line, &mut found);
            }
        }
        Ok(found)
    }

    /// Whether the line has a record that the pattern matches.
    fn is_candidate(&self, prepared: &Prepared, framing: Framing, line: &[u8]) -> bool {
        let Some(record) = framing.record(content(line)) else { return false };
        !prepared.headers.iter().any(|header| record == header)
            && self.pattern.as_ref().is_none_or(|pattern| pattern.matches(&String::from_utf8_lossy(record)))
    }

    fn push(&self, line: &[u8], found: &mut Found) {
        found.matched += 1;
        if !self.is_count {
            found.text.extend_from_slice(content(line));
            found.text.push(b'\n');
        }
    }
}

/// For each of `count` lines whether the condition holds; not for malformed ones.
fn holds(condition: &Condition, prepared: &mut Prepared, lines: &[u8], count: usize) -> Result<Vec<bool>> {
    let first = prepared.lines_read + 1;
    let block = prepared.read(lines);
    let mask = condition.mask(&block.batch)?;
    let mut holds = vec![false; count];
    if block.malformed.len() as u64 == block.counts.malformed {
        let malformed: HashSet<u64> = block.malformed.iter().map(|malformed| malformed.fault.line).collect();
        let rows = (first..).zip(&mut holds).filter(|(line, _)| !malformed.contains(line));
        for ((_, holds), row) in rows.zip(0..mask.len()) {
            *holds = mask.value(row);
        }
        return Ok(holds);
    }
    // More malformed lines than are told one by one.
    for (line, holds) in lines.split_inclusive(|&byte| byte == b'\n').zip(&mut holds) {
        let mask = condition.mask(&prepared.read(line).batch)?;
        *holds = !mask.is_empty() && mask.value(0);
    }
    Ok(holds)
}

fn content(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

/// The lines that have a text in them.
struct Containing<'a> {
    literal: &'a Finder<'static>,
    rest: &'a [u8],
}

impl<'a> Iterator for Containing<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (before, after) = self.rest.split_at_checked(self.literal.find(self.rest)?)?;
        let begin = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
        let end = memchr::memchr(b'\n', after).map_or(self.rest.len(), |end| before.len() + end + 1);
        let line = self.rest.get(begin..end)?;
        self.rest = self.rest.get(end..)?;
        Some(line)
    }
}

impl Job for Search {
    type Worker = Worker;
    type Out = Result<Found>;

    fn process(&self, worker: &mut Worker, opened: &Arc<Opened>, block: &Block) -> Result<Found> {
        let Worker { current, lines } = worker;
        let prepared = match current {
            Some((of, prepared)) if Arc::ptr_eq(of, opened) => prepared,
            stale => &mut stale.insert((Arc::clone(opened), self.prepare(opened)?)).1,
        };
        let framing = opened.text.as_ref().map_or(Framing::None, |found| found.framing);
        match block {
            Block::Batch(batch) => {
                lines.clear();
                render::text(batch, &prepared.format, lines)?;
                self.search(prepared, framing, lines)
            }
            block => self.search(prepared, framing, block.text()),
        }
    }

    fn weight(out: &Result<Found>) -> usize {
        out.as_ref().map_or(0, |found| found.text.capacity())
    }
}
