//! `weir parse`

use super::HintExt;
use super::reading::{Reading, fields, log_format, opening};
use crate::records::engine::{self, Event};
use crate::records::inputs::Input;
use crate::records::meter::Meter;
use crate::records::output::{Output, Target};
use crate::records::plan::{Kind, Plan};
use crate::records::progress::Progress;
use crate::records::report::Report;
use crate::records::source::{Opening, Source};
use anyhow::{Context, Result, anyhow, bail};
use std::io::{self, IsTerminal};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use weir_flow::format::LogFormat;
use weir_flow::render::Extras;

/// Read flow log records from anywhere and write them as JSON, CSV, a table, text or Parquet
///
/// Reads what AWS writes: S3 objects (text or Parquet, whole folder trees),
/// CloudWatch Logs exports, the JSON of 'aws logs get-log-events' and
/// 'filter-log-events', subscription payloads, Firehose lines. What an input is
/// and how it is compressed is told by its content. The format of lines is told
/// by their header line; without one it is --format, or else the default format.
///
/// JSON has one object a line: names with underscores, numbers as numbers, '-'
/// as null, and beside them what people look up by hand (protocol_name,
/// start_utc, end_utc, tcp_flags_names; --raw leaves them out).
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    reading: Reading,
    /// What to write [default: by the ending of --to, else a table on a terminal and JSON in a pipe]
    #[arg(long, short, value_enum)]
    output: Option<Kind>,
    /// Fields to write, in this order [default: those of the input]
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    fields: Option<Vec<String>>,
    /// LogFormat of the lines that --output text writes; --format means it too where the input says or shows that it has another
    #[arg(long, value_name = "LOGFORMAT", conflicts_with = "fields")]
    to_format: Option<String>,
    /// File to write, or an existing folder or a name that ends with / for one file an input [default: standard output]
    #[arg(long, value_name = "FILE|FOLDER")]
    to: Option<PathBuf>,
    /// Only the fields of the records, without names and times for people
    #[arg(long)]
    raw: bool,
    /// No line of names before CSV and text
    #[arg(long)]
    no_header: bool,
    /// Check every field, and stop at the first malformed line
    #[arg(long)]
    strict: bool,
}

const EXAMPLES: &str = "\
Examples:
  weir parse flowlogs.log.gz
  weir parse AWSLogs/ --where 'action = REJECT and dstport = 22' --fields srcaddr,start
  aws logs filter-log-events --log-group-name flows | weir parse
  weir parse AWSLogs/ --to flows.parquet
  weir parse AWSLogs/ --output parquet --to converted/
  weir parse custom.log --format '${srcaddr} ${dstaddr} ${bytes}' --output csv
  weir parse AWSLogs/ --output none
  weir parse v5.log --output text --to-format '${srcaddr} ${dstaddr} ${bytes}'

Only the fields that are written or asked for are checked; --strict checks all.

Exit codes: 0 all good, 1 some lines were malformed, 2 an input or the command line was unusable.";

pub fn run(args: Args) -> Result<ExitCode> {
    let inputs = args.reading.inputs()?;
    let target = Target::of(args.to.as_deref());
    let kind = kind(args.output, &target)?;
    target.check(&inputs, kind)?;
    let mut given = args.reading.given()?;
    let mut plan = plan(&args, kind)?;
    given.may_be_output = kind == Kind::Text && plan.format.is_none();

    let meter = Arc::new(Meter::default());
    let is_on_terminal = target == Target::Stdout && io::stdout().is_terminal();
    let progress = Progress::new(&inputs, &meter, is_on_terminal, args.reading.quiet);
    let mut report = Report::new(plan.condition.is_some());
    let open = |plan: &Plan| {
        let plan = plan.clone();
        opening(given.clone(), &meter, move |has| plan.admit(has))
    };
    let first_look = open(&plan);
    let opened = settle(&mut plan, &target, &inputs, &first_look);
    let width = comfy_table::Table::new().width().filter(|_| is_on_terminal && plan.fields_are_free());
    let mut output = Output::new(target, plan.clone(), !args.no_header, width.map(usize::from));

    let mut is_cut = false;
    engine::run(plan.clone(), open(&plan), inputs, opened, |event| {
        progress.update();
        match event {
            Event::Begin(opened) => {
                report.begin(&opened);
                output.begin(&opened)?;
            }
            Event::Block(parsed) => {
                report.block(parsed.counts, &parsed.malformed, parsed.rows);
                output.write(parsed.output?)?;
                if plan.is_strict && parsed.counts.malformed > 0 {
                    is_cut = true;
                    return Ok(ControlFlow::Break(()));
                }
            }
            Event::End => output.end(true)?,
            Event::Failed(error) => {
                report.fail(&error, &progress);
                output.end(false)?;
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    if is_cut {
        progress.finish();
        if let Err(error) = report.strict_error() {
            super::print_error(&error);
        }
        return Ok(ExitCode::from(1));
    }
    output.finish()?;
    progress.finish();
    report.print(&progress, args.reading.quiet);
    Ok(report.exit_code())
}

/// What is written: as asked for, by the file's name, or what suits standard output.
pub(super) fn kind(output: Option<Kind>, target: &Target) -> Result<Kind> {
    let by_name = match target {
        Target::File(path) => by_ending(path)?,
        Target::Stdout | Target::Folder(_) => None,
    };
    let kind = match (output.or(by_name), target) {
        (Some(kind), _) => kind,
        (None, Target::Stdout) if io::stdout().is_terminal() => Kind::Table,
        (None, Target::Stdout) => Kind::Json,
        (None, _) => {
            return Err(anyhow!("what to write is not said"))
                .hint("add --output json|csv|text|table|parquet");
        }
    };
    if kind == Kind::None && *target != Target::Stdout {
        bail!("--output none has nothing to write to --to");
    }
    if kind == Kind::Parquet && *target == Target::Stdout {
        return Err(anyhow!("Parquet cannot be written to standard output"))
            .hint("name a file or folder with --to");
    }
    Ok(kind)
}

fn by_ending(path: &Path) -> Result<Option<Kind>> {
    Ok(match path.extension().and_then(|ending| ending.to_str()) {
        Some("json" | "jsonl" | "ndjson") => Some(Kind::Json),
        Some("csv") => Some(Kind::Csv),
        Some("log" | "txt") => Some(Kind::Text),
        Some("parquet") => Some(Kind::Parquet),
        Some("gz" | "zst") => {
            return Err(anyhow!("{} would not be compressed", path.display()))
                .hint("write to standard output and pipe it through gzip or zstd");
        }
        _ => None,
    })
}

fn plan(args: &Args, kind: Kind) -> Result<Plan> {
    let fields = args.fields.as_deref().map(|names| fields(names).context("--fields")).transpose()?;
    if fields.as_ref().is_some_and(Vec::is_empty) {
        bail!("--fields names no field");
    }
    let format = match (&args.to_format, &fields) {
        (Some(_), _) if kind != Kind::Text => bail!("--to-format is for --output text"),
        (Some(text), _) => Some(log_format(text).context("--to-format")?),
        (None, Some(fields)) if kind == Kind::Text => Some(LogFormat::new(fields).context("--fields")?),
        (None, _) => None,
    };
    let has_extras = !args.raw && matches!(kind, Kind::Json | Kind::Table);
    Ok(Plan {
        kind,
        fields: fields.or_else(|| format.as_ref().map(|format| format.fields().to_vec())),
        is_of_first_input: false,
        format,
        condition: args.reading.condition()?,
        extras: if has_extras { Extras::ALL } else { Extras::NONE },
        is_strict: args.strict,
        buffers: Arc::default(),
    })
}

/// Settles what depends on the first input: the columns of one output for all
/// of them, and whether --format is its or the output's. Gives the inputs that
/// were opened to find out.
fn settle(plan: &mut Plan, target: &Target, inputs: &[Input], opening: &Opening) -> Vec<Result<Source>> {
    let has_one_output =
        !matches!(target, Target::Folder(_)) && !matches!(plan.kind, Kind::Json | Kind::None);
    let is_ambiguous = opening.given.may_be_output && opening.given.format.is_some();
    if plan.fields.is_some() || !(has_one_output || is_ambiguous) {
        return Vec::new();
    }
    let mut opened = Vec::new();
    for input in inputs {
        let source = Source::open(input, opening);
        let first = source.as_ref().ok().map(|source| Arc::clone(&source.opened));
        opened.push(source);
        let Some(first) = first else { continue };
        let given = opening.given.format.clone().filter(|_| is_ambiguous);
        match given.filter(|given| first.format().as_ref() != Some(given)) {
            Some(given) => {
                plan.fields = Some(given.fields().to_vec());
                plan.format = Some(given);
            }
            None if has_one_output => {
                plan.fields = Some(first.fields.clone());
                plan.is_of_first_input = true;
            }
            None => {}
        }
        break;
    }
    opened
}

impl Plan {
    /// Whether nobody has said which fields to write.
    fn fields_are_free(&self) -> bool {
        self.is_of_first_input || self.fields.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::reading::field;
    use weir_flow::field::Field;

    #[test]
    fn what_to_write_follows_the_name() {
        for (path, kind) in [
            ("a.json", Some(Kind::Json)),
            ("a.csv", Some(Kind::Csv)),
            ("a.log", Some(Kind::Text)),
            ("a.log.parquet", Some(Kind::Parquet)),
            ("a", None),
        ] {
            assert_eq!(by_ending(Path::new(path)).unwrap(), kind, "{path}");
        }
        assert!(by_ending(Path::new("a.json.gz")).is_err());
        assert_eq!(field("log_status").unwrap(), Field::LogStatus);
    }
}
