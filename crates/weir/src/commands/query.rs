//! `weir query`

use super::HintExt;
use super::connect::Server;
use super::reading::log_format;
use crate::query::errors::{TABLE, explained};
use crate::query::inputs::Found;
use crate::query::output::{Kind, Output};
use crate::query::prompt::{self, Known};
use crate::records::report::number;
use anyhow::{Context, Result, anyhow};
use futures_util::StreamExt;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use std::io::{self, IsTerminal, Read};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use weir_flow::format::LogFormat;
use weir_query::datafusion::arrow::datatypes::Field as ArrowField;
use weir_query::datafusion::execution::SendableRecordBatchStream;
use weir_query::datafusion::prelude::SessionContext;
use weir_query::engine::{Engine, EngineOptions, LEAST_BYTES};
use weir_query::saved;
use weir_query::{Column, FlowTable, Tally, discover};

/// Ask existing flow logs in SQL
///
/// The one table is flow_logs; its columns are the fields of the records, with
/// underscores. Format, compression and layout are found by looking. In a folder
/// laid out as AWS lays out S3 buckets, conditions on date, hour, region and
/// aws_account_id leave files unopened.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A query, or the name of a saved one; if left out, standard input, or a prompt on a terminal
    #[arg(value_name = "SQL|NAME")]
    query: Option<String>,
    /// Files, folders, globs, - for standard input, s3://BUCKET/PREFIX or log-group:NAME; may be given more than once
    #[arg(long, value_name = "INPUT")]
    from: Vec<String>,
    /// LogFormat of lines without a header line, as the flow log has it [default: the default format]
    #[arg(long, value_name = "LOGFORMAT")]
    format: Option<String>,
    /// How rows are written [default: table on a terminal, JSON in a pipe]
    #[arg(long, value_enum)]
    output: Option<Kind>,
    /// The file that is written; its ending says how, if --output does not
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Memory that the query may use before it goes on in temporary files
    #[arg(long, value_name = "BYTES", default_value = "2GiB", value_parser = bytes)]
    memory: usize,
    /// Show the saved queries
    #[arg(long, conflicts_with_all = ["query", "from"])]
    list: bool,
    /// No summary and no progress bar on stderr
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    server: Server,
}

const EXAMPLES: &str = "\
Examples:
  weir query --list
  weir query top-talkers --from AWSLogs/
  weir query rejected-traffic --from 's3-copy/**/*.log.gz'
  weir query \"SELECT dstport, sum(bytes) FROM flow_logs WHERE date = '2024-05-01' GROUP BY 1\" --from AWSLogs/
  weir query rejected-traffic --from log-group:flow-logs
  weir query traffic-by-hour --from s3://bucket/AWSLogs/
  weir query \"SELECT * FROM flow_logs WHERE action = 'REJECT'\" --from flow.log --to rejected.parquet

Exit codes: 0 done, 1 some lines were malformed, 2 an input was unusable or the query is wrong, 130 interrupted.";

/// Ctrl-C.
const INTERRUPTED: u8 = 130;

pub fn run(args: Args) -> Result<ExitCode> {
    if args.list {
        prompt::show_saved();
        return Ok(ExitCode::SUCCESS);
    }
    let is_prompt = args.query.is_none() && io::stdin().is_terminal() && io::stdout().is_terminal();
    let sql = if is_prompt { None } else { Some(sql(&args)?) };
    if args.from.is_empty() {
        return Err(anyhow!("no input")).hint("name files or folders with --from; - is standard input");
    }
    if is_prompt && (args.to.is_some() || args.from.iter().any(|from| from == "-")) {
        return Err(anyhow!("no query"))
            .hint("at a prompt, rows go to the terminal and statements come from it");
    }
    let kind = kind(&args);
    if kind == Kind::Parquet && args.to.is_none() && io::stdout().is_terminal() {
        return Err(anyhow!("Parquet is not for a terminal")).hint("write it to a file with --to");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = match &sql {
        Some(sql) => runtime.block_on(interruptible("interrupted", async {
            query(&args, &Inputs::find(&args).await?, sql, kind).await
        })),
        None => ask(&args, kind, &runtime),
    };
    // Whoever still reads is not waited for.
    runtime.shutdown_background();
    done
}

/// Ctrl-C ends it, with what is said then.
async fn interruptible(said: &str, work: impl Future<Output = Result<ExitCode>>) -> Result<ExitCode> {
    // Taken over before anything is made that must be removed.
    let mut interrupts = signal(SignalKind::interrupt()).context("cannot take over Ctrl-C")?;
    tokio::select! {
        done = work => done,
        _ = interrupts.recv() => {
            eprintln!("{said}");
            Ok(ExitCode::from(INTERRUPTED))
        }
    }
}

/// Statements that are typed, one after the other.
fn ask(args: &Args, kind: Kind, runtime: &Runtime) -> Result<ExitCode> {
    let inputs = runtime.block_on(Inputs::find(args))?;
    let columns = inputs.columns.iter();
    let kind_of = |column: &Column| {
        let field = ArrowField::new(&column.name, column.data_type.clone(), true);
        weir_query::athena::column(&field).data_type
    };
    let state = inputs.session(&Arc::default())?.state();
    let functions = state.scalar_functions().keys().chain(state.aggregate_functions().keys());
    let mut functions: Vec<String> = functions.chain(state.window_functions().keys()).cloned().collect();
    // Operators have functions of their own.
    functions.retain(|name| name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_'));
    let known =
        Known { columns: columns.map(|column| (column.name.clone(), kind_of(column))).collect(), functions };
    prompt::run(&known, |sql| {
        let work = query(args, &inputs, sql, kind);
        runtime.block_on(interruptible("cancelled", work)).map(drop)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The SQL that was asked for.
fn sql(args: &Args) -> Result<String> {
    let text = match &args.query {
        Some(text) => text.trim().to_owned(),
        None if io::stdin().is_terminal() || args.from.iter().any(|from| from == "-") => {
            return Err(anyhow!("no query")).hint("'weir query --list' shows the saved ones");
        }
        None => {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text).context("standard input")?;
            text
        }
    };
    if let Some(saved) = saved::by_name(&text) {
        return Ok(saved.sql.to_owned());
    }
    if !text.contains(char::is_whitespace) {
        let error = anyhow!("there is no saved query '{text}'");
        return Err(error).hint("'weir query --list' shows the saved ones; everything else is SQL");
    }
    Ok(text)
}

fn kind(args: &Args) -> Kind {
    let ending = args.to.as_ref().and_then(|path| path.extension()).and_then(|ending| ending.to_str());
    let by_ending = match ending {
        Some("parquet") => Some(Kind::Parquet),
        Some("csv") => Some(Kind::Csv),
        Some("json" | "jsonl" | "ndjson") => Some(Kind::Json),
        Some("txt") => Some(Kind::Table),
        _ => None,
    };
    let is_for_people = args.to.is_none() && io::stdout().is_terminal();
    args.output.or(by_ending).unwrap_or(if is_for_people { Kind::Table } else { Kind::Json })
}

/// `2GiB`, `512M`, `1000000`
fn bytes(text: &str) -> Result<usize, String> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let shift = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return Err("expected a number with KiB, MiB or GiB".to_owned()),
    };
    let number = digits.parse::<usize>().map_err(|_| "expected a number of bytes".to_owned())?;
    let bytes = number.checked_mul(1 << shift).ok_or_else(|| "too much".to_owned())?;
    if bytes < LEAST_BYTES {
        return Err("sorting takes at least 16MiB".to_owned());
    }
    Ok(bytes)
}

/// What is asked: objects and columns, found once.
struct Inputs {
    found: Found,
    columns: Vec<Column>,
    format: Option<LogFormat>,
    engine: Engine,
}

impl Inputs {
    async fn find(args: &Args) -> Result<Self> {
        let format = args.format.as_deref().map(|text| log_format(text).context("--format")).transpose()?;
        let mut found = Found::default();
        found.add(&args.from, &args.server).await?;
        discover::place(&mut found.objects);
        let table = discover::table(found.objects.clone(), format.clone(), Arc::default()).await;
        let columns = match table {
            Ok(table) => table.columns().to_vec(),
            Err(error) => match error.hint() {
                Some(hint) => return Err(error).hint(hint),
                None => return Err(error.into()),
            },
        };
        let engine = Engine::new(&EngineOptions { memory_bytes: args.memory, ..EngineOptions::default() })?;
        Ok(Self { found, columns, format, engine })
    }

    /// A session with the table; what it reads is counted in `tally`.
    fn session(&self, tally: &Arc<Tally>) -> Result<SessionContext> {
        let table = FlowTable::new(self.columns.clone(), self.found.objects.clone(), Arc::clone(tally))
            .with_format(self.format.clone());
        let session = self.engine.session();
        weir_query::functions::register_trino(&session);
        session.register_table(TABLE, Arc::new(table))?;
        Ok(session)
    }
}

async fn query(args: &Args, inputs: &Inputs, sql: &str, kind: Kind) -> Result<ExitCode> {
    let tally = Arc::new(Tally::default());
    let session = inputs.session(&tally)?;
    let columns: Vec<String> = inputs.columns.iter().map(|column| column.name.clone()).collect();
    let rows = match weir_query::athena::logical_plan(&session, sql).await {
        Ok(plan) => session.execute_logical_plan(plan).await,
        Err(error) => Err(error),
    };
    let rows = match rows {
        Ok(frame) => frame.execute_stream().await,
        Err(error) => Err(error),
    };
    let mut rows = match rows {
        Ok(rows) => rows,
        Err(error) => return explained(&error, &columns),
    };
    let bar = progress(args, kind, &tally);
    let mut output = Output::new(kind, args.to.as_deref(), &rows.schema())?;
    let done = write(&mut rows, &mut output, &bar, &tally, &columns).await;
    bar.finish_and_clear();
    done?;
    let rows = output.finish()?;
    Ok(report(args, rows, &tally))
}

async fn write(
    rows: &mut SendableRecordBatchStream,
    output: &mut Output,
    bar: &ProgressBar,
    tally: &Tally,
    columns: &[String],
) -> Result<()> {
    let mut tick = tokio::time::interval(Duration::from_millis(200));
    loop {
        let batch = tokio::select! {
            batch = rows.next() => batch,
            _ = tick.tick() => {
                bar.set_length(tally.planned_bytes());
                bar.set_position(tally.scanned_bytes());
                continue;
            }
        };
        match batch {
            Some(Ok(batch)) => bar.suspend(|| output.write(&batch))?,
            Some(Err(error)) => return explained(&error, columns),
            None => return Ok(()),
        }
    }
}

/// A bar of bytes scanned, if stderr is a terminal and rows do not run there too.
fn progress(args: &Args, kind: Kind, tally: &Tally) -> ProgressBar {
    let is_shared = kind != Kind::Table && args.to.is_none() && io::stdout().is_terminal();
    if args.quiet || is_shared || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(tally.planned_bytes());
    let template = "{wide_bar} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

/// How many malformed lines are shown.
const SHOWN: usize = 5;

fn report(args: &Args, rows: u64, tally: &Tally) -> ExitCode {
    let mut malformed = tally.first_malformed();
    malformed.sort();
    for line in malformed.iter().take(SHOWN) {
        eprintln!("malformed: {line}");
    }
    let more = tally.malformed().saturating_sub(malformed.len().min(SHOWN) as u64);
    if more > 0 {
        eprintln!("malformed: {} more", number(more));
    }
    let (unusable, mut problems) = tally.unusable();
    problems.sort_by(|a, b| a.name.cmp(&b.name));
    for problem in &problems {
        eprintln!("error: {problem}");
        if let Some(hint) = problem.hint {
            eprintln!("hint: {hint}");
        }
    }
    let left = unusable.saturating_sub(problems.len() as u64);
    if left > 0 {
        eprintln!("error: {} more unusable inputs", number(left));
    }
    if !args.quiet {
        let (all, pruned) = tally.objects();
        let noun = if rows == 1 { "row" } else { "rows" };
        let mut text = format!("{} {noun}; {} scanned", number(rows), HumanBytes(tally.scanned_bytes()));
        if pruned > 0 {
            text += &format!(
                ", {} of {} inputs passed over ({})",
                number(pruned),
                number(all),
                HumanBytes(tally.pruned_bytes())
            );
        }
        eprintln!("{text}");
    }
    ExitCode::from(match (unusable, tally.malformed()) {
        (0, 0) => 0,
        (0, _) => 1,
        _ => 2,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_memory() {
        for (text, expected) in [
            ("1", None),
            ("16MiB", Some(16 << 20)),
            ("33554432", Some(32 << 20)),
            ("2GiB", Some(2 << 30)),
            ("512m", Some(512 << 20)),
            ("32768KB", Some(32 << 20)),
            ("64KB", None),
            ("0", None),
            ("2TiB", None),
            ("GiB", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(bytes(text).ok(), expected, "{text}");
        }
    }
}
