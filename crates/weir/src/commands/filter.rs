//! `weir filter`

use super::HintExt;
use super::reading::{Reading, opening};
use crate::records::engine::{self, Event};
use crate::records::meter::Meter;
use crate::records::plan::admit_condition;
use crate::records::progress::Progress;
use crate::records::report::{Tally, number};
use crate::records::search::Search;
use anyhow::{Result, anyhow};
use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;
use weir_logs::pattern::Pattern;

/// Print the lines of flow logs that match a CloudWatch filter pattern or a condition, as they are
///
/// The pattern is what metric filters, subscription filters and 'aws logs
/// filter-log-events' take, judged by the same evaluator that Weir's log groups
/// use: [space-delimited fields] for flow logs, or terms, or { JSON }. --where is
/// a condition on fields for people. With both, a line must match both.
///
/// Inputs are those of 'weir parse'. Rows of Parquet files are printed as lines.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Filter pattern; leave it out with --where
    #[arg(value_name = "PATTERN")]
    pattern: Option<String>,
    #[command(flatten)]
    reading: Reading,
    /// Print only how many lines match
    #[arg(long, short)]
    count: bool,
}

const EXAMPLES: &str = "\
Examples:
  weir filter '[version, account, eni, source, destination, srcport, destport=\"22\", protocol=\"6\", packets, bytes, windowstart, windowend, action=\"REJECT\", flowlogstatus]' AWSLogs/
  weir filter '[..., action=REJECT, status]' --count flowlogs.log.gz
  weir filter --where 'srcaddr in 10.0.0.0/8 and dstport in (22, 3389) and action = REJECT' AWSLogs/

With --where, the first argument is an input, unless it begins with [ or {.

Exit codes: 0 all good (also if nothing matches), 2 an input or the command line was unusable.";

pub fn run(mut args: Args) -> Result<ExitCode> {
    let condition = args.reading.condition()?;
    // With a condition, what stands in the pattern's place may be an input.
    if condition.is_some()
        && let Some(first) = args.pattern.take_if(|text| !text.trim_start().starts_with(['[', '{']))
    {
        args.reading.inputs.insert(0, first);
    }
    let pattern = match (&args.pattern, &condition) {
        (Some(text), _) => Some(Pattern::parse(text).map_err(|error| anyhow!("{}", error.explain()))?),
        (None, Some(_)) => None,
        (None, None) => {
            return Err(anyhow!("neither a pattern nor a condition"))
                .hint("weir filter '[..., action=REJECT, status]' FILES, or --where 'action = REJECT'");
        }
    };
    if let (Some(text), []) = (&args.pattern, args.reading.inputs.as_slice())
        && std::path::Path::new(text).exists()
    {
        return Err(anyhow!("'{text}' is a file, and there is no pattern"))
            .hint("weir filter PATTERN FILES, or --where CONDITION FILES");
    }
    let inputs = args.reading.inputs()?;
    let mut given = args.reading.given()?;
    // A pattern looks at lines only.
    given.is_optional = condition.is_none();

    let begun = Instant::now();
    let meter = Arc::new(Meter::default());
    let mut out = io::stdout();
    let is_on_terminal = out.is_terminal() && !args.count;
    let progress = Progress::new(&inputs, &meter, is_on_terminal, args.reading.quiet);
    let admit = condition.clone();
    let opening = opening(given, &meter, move |has| {
        admit_condition(admit.as_ref(), has)?;
        Ok(has.to_vec())
    });
    let search = Search::new(pattern, condition, args.count);
    let mut tally = Tally::default();
    engine::run(search, opening, inputs, Vec::new(), |event| {
        progress.update();
        match event {
            Event::Begin(_) => tally.inputs += 1,
            Event::Block(found) => {
                let found = found?;
                tally.lines += found.lines;
                tally.matched += found.matched;
                out.write_all(&found.text)?;
                out.flush()?;
            }
            Event::End => {}
            Event::Failed(error) => {
                tally.failed += 1;
                progress.suspend(|| super::print_error(&error));
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    progress.finish();
    if args.count {
        writeln!(out, "{}", tally.matched)?;
    }
    if !args.reading.quiet {
        let Tally { lines, matched, inputs, failed } = tally;
        let unusable = if failed > 0 { format!("; {} unusable", number(failed)) } else { String::new() };
        eprintln!(
            "{} of {} lines match, from {} input{}{unusable}{}",
            number(matched),
            number(lines),
            number(inputs),
            if inputs == 1 { "" } else { "s" },
            progress.rate(begun),
        );
    }
    Ok(ExitCode::from(if tally.failed > 0 { 2 } else { 0 }))
}
