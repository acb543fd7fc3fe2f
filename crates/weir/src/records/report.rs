//! What a run found: counts, malformed lines, inputs that could not be used;
//! the summary on stderr and the exit code.

use super::progress::Progress;
use super::source::Opened;
use crate::commands::HintExt;
use std::process::ExitCode;
use std::time::Instant;
use weir_flow::columns::{Counts, Malformed};

/// How many malformed lines are shown.
const SHOWN: usize = 5;

pub struct Report {
    begun: Instant,
    counts: Counts,
    /// Lines of the current input before the current block.
    lines_before: u64,
    name: String,
    inputs: u64,
    failed: u64,
    shown: Vec<String>,
    /// Records that a condition let through.
    matched: Option<u64>,
}

impl Report {
    pub fn new(has_condition: bool) -> Self {
        Self {
            begun: Instant::now(),
            counts: Counts::default(),
            lines_before: 0,
            name: String::new(),
            inputs: 0,
            failed: 0,
            shown: Vec::new(),
            matched: has_condition.then_some(0),
        }
    }

    pub fn begin(&mut self, opened: &Opened) {
        self.inputs += 1;
        self.lines_before = 0;
        self.name = opened.input.name();
    }

    /// Adds a block of the current input. Lines count from the block's beginning.
    pub fn block(&mut self, counts: Counts, malformed: &[Malformed], matched: u64) {
        for malformed in malformed.iter().take(SHOWN.saturating_sub(self.shown.len())) {
            let mut fault = malformed.fault.clone();
            fault.line += self.lines_before;
            self.shown.push(format!("{}: {fault}", self.name));
        }
        self.lines_before += counts.lines;
        self.counts += counts;
        if let Some(all) = &mut self.matched {
            *all += matched;
        }
    }

    /// Says at once that an input cannot be used, and that it cannot.
    pub fn fail(&mut self, error: &anyhow::Error, progress: &Progress) {
        self.failed += 1;
        progress.suspend(|| crate::commands::print_error(error));
    }

    /// The first malformed line, as an error.
    pub fn strict_error(&self) -> anyhow::Result<()> {
        let line = self.shown.first().cloned().unwrap_or_default();
        Err(anyhow::anyhow!("malformed line: {line}")).hint("without --strict it is counted and passed over")
    }

    /// 0: all good. 1: some lines were malformed. 2: some inputs were unusable.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match (self.failed, self.counts.malformed) {
            (0, 0) => 0,
            (0, _) => 1,
            _ => 2,
        })
    }

    /// Prints the malformed lines and the summary.
    pub fn print(&self, progress: &Progress, is_quiet: bool) {
        for line in &self.shown {
            eprintln!("malformed: {line}");
        }
        let more = self.counts.malformed.saturating_sub(self.shown.len() as u64);
        if more > 0 && !self.shown.is_empty() {
            eprintln!("malformed: {} more", number(more));
        }
        // The errors have said it all, if nothing could be read.
        if !is_quiet && (self.inputs > 0 || self.failed == 0) {
            eprintln!("{}{}", self.summary(), progress.rate(self.begun));
        }
    }

    /// `1,000 lines, 998 records (3 NODATA, 1 SKIPDATA), 2 malformed, from 3 inputs`.
    fn summary(&self) -> String {
        let counts = &self.counts;
        let mut text = format!(
            "{}, {} ({} NODATA, {} SKIPDATA), {} malformed, from {}",
            plural(counts.lines, "line"),
            plural(counts.records, "record"),
            number(counts.no_data),
            number(counts.skip_data),
            number(counts.malformed),
            plural(self.inputs, "input"),
        );
        if let Some(matched) = self.matched {
            text = format!("{} matched; {text}", plural(matched, "record"));
        }
        if self.failed > 0 {
            text += &format!("; {} unusable", number(self.failed));
        }
        text
    }
}

fn plural(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", number(count), if count == 1 { "" } else { "s" })
}

/// What a search found.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    pub lines: u64,
    pub matched: u64,
    pub inputs: u64,
    pub failed: u64,
}

/// `1234567` as `1,234,567`.
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        for (plain, grouped) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(number(plain), grouped);
        }
        assert_eq!(plural(1, "line"), "1 line");
        assert_eq!(plural(0, "line"), "0 lines");
    }
}
