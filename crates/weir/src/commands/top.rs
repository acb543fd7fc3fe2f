//! `weir top`

use super::reading::{Reading, fields, opening};
use crate::records::engine::{self, Event};
use crate::records::meter::Meter;
use crate::records::progress::Progress;
use crate::records::report::{Report, number};
use crate::records::table::utc;
use crate::records::top::{Group, Key, Measure, Top};
use anyhow::{Context, Result, anyhow, bail};
use comfy_table::{Cell, CellAlignment};
use indicatif::HumanBytes;
use serde_json::{Value, json};
use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::sync::Arc;
use weir_flow::field::Field;

/// Who sends most: sums of bytes, packets or flows by any fields, over time if wanted
///
/// A table with bars on a terminal, one JSON object a line in a pipe. Inputs are
/// those of 'weir parse'. The sums are exact: memory grows with the number of
/// groups.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    reading: Reading,
    /// Fields to group by [default: srcaddr, or none with --bin]
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    by: Option<Vec<String>>,
    /// What to sum
    #[arg(long, value_enum, default_value = "bytes")]
    sum: Measure,
    /// Sums for each span of time, by the records' start, such as 30s, 5m, 1h, 1d
    #[arg(long, value_name = "SPAN")]
    bin: Option<String>,
    /// How many groups to show, of each bin
    #[arg(long, short = 'n', default_value = "10", value_name = "GROUPS")]
    limit: usize,
    /// How to print [default: a table on a terminal, JSON in a pipe]
    #[arg(long, short, value_enum)]
    output: Option<Output>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    Table,
    Json,
    Csv,
}

const EXAMPLES: &str = "\
Examples:
  weir top AWSLogs/
  weir top --by srcaddr,dstport --sum flows --where 'action = REJECT' AWSLogs/
  weir top --bin 5m flowlogs.log.gz
  weir top --bin 1h --by dstaddr --limit 3 --output csv AWSLogs/

Exit codes: 0 all good, 1 some lines were malformed, 2 an input or the command line was unusable.";

pub fn run(args: Args) -> Result<ExitCode> {
    let inputs = args.reading.inputs()?;
    let given = args.reading.given()?;
    let bin_s = args.bin.as_deref().map(|text| span_s(text).context("--bin")).transpose()?;
    let by = match &args.by {
        Some(names) => fields(names).context("--by")?,
        None if bin_s.is_some() => Vec::new(),
        None => vec![Field::SrcAddr],
    };
    let top = || Ok::<_, anyhow::Error>(Top::new(by.clone(), args.sum, args.reading.condition()?, bin_s));

    let meter = Arc::new(Meter::default());
    // The table comes at the end: a bar before it is in nobody's way.
    let progress = Progress::new(&inputs, &meter, false, args.reading.quiet);
    let mut report = Report::new(args.reading.condition.is_some());
    let admitting = top()?;
    let opening = opening(given, &meter, move |has| admitting.admit(has));
    let summed = engine::run(top()?, opening, inputs, Vec::new(), |event| {
        progress.update();
        match event {
            Event::Begin(opened) => report.begin(&opened),
            Event::Block(summed) => {
                report.block(summed.counts, &summed.malformed, summed.rows);
                summed.done?;
            }
            Event::End => {}
            Event::Failed(error) => report.fail(&error, &progress),
        }
        Ok(ControlFlow::Continue(()))
    })?;
    progress.finish();
    if let Some(summed) = summed {
        let (total, groups) = summed.largest(args.limit)?;
        print(&args, &by, total, &groups)?;
    }
    report.print(&progress, args.reading.quiet);
    Ok(report.exit_code())
}

/// `5m` as 300 seconds.
fn span_s(text: &str) -> Result<i64> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..) {
        Some("" | "s") => 1,
        Some("m") => 60,
        Some("h") => 3600,
        Some("d") => 86_400,
        _ => bail!("'{text}' is not a span of time such as 30s, 5m, 1h or 1d"),
    };
    let count: i64 = digits
        .parse()
        .ok()
        .filter(|count| (1..=1_000_000).contains(count))
        .ok_or_else(|| anyhow!("'{text}' is not a span of time such as 30s, 5m, 1h or 1d"))?;
    Ok(count * unit)
}

fn print(args: &Args, by: &[Field], total: u64, groups: &[Group]) -> Result<()> {
    let mut out = io::stdout().lock();
    let by_default = if out.is_terminal() { Output::Table } else { Output::Json };
    match args.output.unwrap_or(by_default) {
        Output::Table => writeln!(out, "{}", table(args.sum, by, total, groups))?,
        Output::Json => {
            for group in groups {
                super::fields::write_object(&mut out, &members(args.sum, by, total, group))?;
            }
        }
        Output::Csv => {
            // Names are the same whatever the group: one of nothing has them too.
            let none =
                Group { bin_start: args.bin.as_ref().map(|_| 0), values: vec![Key::Null; by.len()], sum: 0 };
            let names: Vec<&str> =
                members(args.sum, by, total, &none).iter().map(|(name, _)| *name).collect();
            writeln!(out, "{}", names.join(","))?;
            for group in groups {
                let cells = members(args.sum, by, total, group).into_iter().map(|(_, value)| match value {
                    Value::String(text) => quoted(text),
                    Value::Null => String::new(),
                    number => number.to_string(),
                });
                writeln!(out, "{}", cells.collect::<Vec<_>>().join(","))?;
            }
        }
    }
    Ok(())
}

/// Source: RFC 4180 section 2.
fn quoted(cell: String) -> String {
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}

fn share(sum: u64, total: u64) -> f64 {
    if total == 0 { 0.0 } else { sum as f64 / total as f64 }
}

/// `[("srcaddr", "10.0.0.1"), ("bytes", 42), ("share", 0.125)]`
fn members(measure: Measure, by: &[Field], total: u64, group: &Group) -> Vec<(&'static str, Value)> {
    let mut members = Vec::new();
    if let Some(start) = group.bin_start {
        members.push(("bin_start", json!(start)));
        members.push(("bin_start_utc", json!(utc(start))));
    }
    for (field, value) in by.iter().zip(&group.values) {
        let value = match value {
            Key::Null => Value::Null,
            Key::Number(number) => json!(number),
            Key::Text(text) => json!(text),
        };
        members.push((field.column(), value));
    }
    // A field of the same name may stand already.
    let is_taken = by.iter().any(|field| field.column() == measure.as_str());
    members.push((if is_taken { "sum" } else { measure.as_str() }, json!(group.sum)));
    members.push(("share", json!((share(group.sum, total) * 10_000.0).round() / 10_000.0)));
    members
}

fn table(measure: Measure, by: &[Field], total: u64, groups: &[Group]) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::UTF8_BORDERS_ONLY);
    let has_bins = groups.iter().any(|group| group.bin_start.is_some());
    let bin: &[&str] = if has_bins { &["from (UTC)"] } else { &[] };
    let names = bin.iter().copied().chain(by.iter().map(|field| field.name()));
    table.set_header(names.chain([measure.as_str(), "share", ""]));
    let largest = groups.iter().map(|group| group.sum).max().unwrap_or(0);
    for group in groups {
        let mut row = Vec::new();
        if let Some(start) = group.bin_start {
            row.push(Cell::new(utc(start).unwrap_or_else(|| start.to_string())));
        }
        for (field, value) in by.iter().zip(&group.values) {
            row.push(match (field, value) {
                (_, Key::Null) => Cell::new("-"),
                (Field::Protocol, Key::Number(number)) => {
                    let name = u8::try_from(*number).ok().and_then(weir_flow::names::protocol);
                    Cell::new(name.map_or_else(|| number.to_string(), str::to_owned))
                }
                (_, Key::Number(number)) => Cell::new(number).set_alignment(CellAlignment::Right),
                (_, Key::Text(text)) => Cell::new(text),
            });
        }
        let sum = match measure {
            Measure::Bytes => HumanBytes(group.sum).to_string(),
            Measure::Packets | Measure::Flows => number(group.sum),
        };
        row.push(Cell::new(sum).set_alignment(CellAlignment::Right));
        let percent = format!("{:.1} %", share(group.sum, total) * 100.0);
        row.push(Cell::new(percent).set_alignment(CellAlignment::Right));
        row.push(Cell::new(bar(share(group.sum, largest))));
        table.add_row(row);
    }
    table
}

/// A bar of up to 24 letters, to an eighth of a letter.
fn bar(share: f64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share * 24.0 * 8.0).round() as usize;
    let rest = EIGHTHS.get(eighths % 8).copied().unwrap_or_default();
    format!("{}{rest}", "█".repeat(eighths / 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_time() {
        for (text, seconds) in [("30s", 30), ("45", 45), ("5m", 300), ("1h", 3600), ("2d", 172_800)] {
            assert_eq!(span_s(text).unwrap(), seconds, "{text}");
        }
        for text in ["", "m", "0m", "-5m", "5 m", "5w", "99999999999d"] {
            assert!(span_s(text).is_err(), "{text}");
        }
    }

    #[test]
    fn bars_are_as_long_as_their_share() {
        assert_eq!(bar(1.0).chars().count(), 24);
        assert_eq!(bar(0.5), "█".repeat(12));
        assert_eq!(bar(1.0 / 192.0), "▏");
        assert_eq!(bar(0.0), "");
    }
}
