//! `weir logs`

use super::HintExt;
use super::connect::Server;
use super::reading::log_format;
use crate::client::Client;
use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use weir_flow::columns::Reader;
use weir_flow::format::LogFormat;
use weir_flow::parquet::{Writer, WriterOptions};

/// Read log groups without the AWS CLI
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List the log groups
    Groups {
        /// Only those that begin so
        #[arg(value_name = "PREFIX")]
        prefix: Option<String>,
        #[command(flatten)]
        show: Show,
    },
    /// List the log streams of a group
    Streams {
        #[arg(value_name = "GROUP")]
        group: String,
        /// Only those that begin so
        #[arg(value_name = "PREFIX")]
        prefix: Option<String>,
        #[command(flatten)]
        show: Show,
    },
    /// Print the events of a log stream, oldest first
    Get {
        #[arg(value_name = "GROUP")]
        group: String,
        #[arg(value_name = "STREAM")]
        stream: String,
        #[command(flatten)]
        span: Span,
        #[command(flatten)]
        show: Show,
    },
    /// Print the events of a log group that match a CloudWatch filter pattern
    Filter {
        #[arg(value_name = "GROUP")]
        group: String,
        /// Filter pattern; all events without one
        #[arg(value_name = "PATTERN")]
        pattern: Option<String>,
        /// Only log streams that begin so
        #[arg(long, value_name = "PREFIX")]
        stream_prefix: Option<String>,
        #[command(flatten)]
        span: Span,
        #[command(flatten)]
        show: Show,
    },
    /// Run a CloudWatch Logs Insights query
    Insights(super::insights::Args),
    /// Write the messages of a log group to a file: lines, or Parquet if its name ends with .parquet
    Export {
        #[arg(value_name = "GROUP")]
        group: String,
        /// File to write
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        /// Only events that match this filter pattern
        #[arg(long, value_name = "PATTERN")]
        filter: Option<String>,
        /// LogFormat of the records, for Parquet [default: the default format]
        #[arg(long, value_name = "LOGFORMAT")]
        format: Option<String>,
        #[command(flatten)]
        span: Span,
        #[command(flatten)]
        server: Server,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// How to print [default: for people on a terminal, JSON lines in a pipe]
    #[arg(long, value_enum)]
    output: Option<Output>,
    #[command(flatten)]
    pub(super) server: Server,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Output {
    Text,
    Json,
}

#[derive(Debug, clap::Args)]
pub(super) struct Span {
    /// From then on: a time such as 2026-11-22T12:00:00Z, or an age such as 10m, 2h, 3d
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(super) since: Option<i64>,
    /// Up to then
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(super) until: Option<i64>,
}

/// Milliseconds since 1970.
fn instant(text: &str) -> std::result::Result<i64, String> {
    let wrong = || "a time such as 2026-11-22T12:00:00Z, or an age such as 10m, 2h, 3d".to_owned();
    if let Some((at, unit)) = text.char_indices().next_back()
        && let Ok(count) = text[..at].parse::<i64>()
    {
        let unit = match unit {
            's' => 1_000,
            'm' => 60_000,
            'h' => 3_600_000,
            'd' => 86_400_000,
            _ => return Err(wrong()),
        };
        return Ok(crate::server::now().0.saturating_sub(count.saturating_mul(unit)));
    }
    let at = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| wrong())?;
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).map_err(|_| wrong())
}

pub fn run(args: &Args) -> Result<()> {
    super::block_on(async {
        match &args.what {
            What::Groups { prefix, show } => {
                let members = json!({ "logGroupNamePrefix": prefix });
                let columns = ["logGroupName", "storedBytes", "retentionInDays", "metricFilterCount"];
                list(show, "DescribeLogGroups", "logGroups", &members, &columns).await
            }
            What::Streams { group, prefix, show } => {
                let members = json!({ "logGroupName": group, "logStreamNamePrefix": prefix });
                let columns = ["logStreamName", "firstEventTimestamp", "lastEventTimestamp"];
                list(show, "DescribeLogStreams", "logStreams", &members, &columns).await
            }
            What::Get { group, stream, span, show } => {
                let members = json!({
                    "logGroupName": group, "logStreamName": stream, "startFromHead": true,
                    "startTime": span.since, "endTime": span.until,
                });
                let pages = Pages { action: "GetLogEvents", token: "nextForwardToken" };
                print(show, &pages, &members).await
            }
            What::Filter { group, pattern, stream_prefix, span, show } => {
                let pages = Pages { action: "FilterLogEvents", token: "nextToken" };
                print(show, &pages, &filter(group, pattern, stream_prefix, span)).await
            }
            What::Insights(args) => super::insights::run(args).await,
            What::Export { group, to, filter: pattern, format, span, server } => {
                let format =
                    format.as_deref().map(|text| log_format(text).context("--format")).transpose()?;
                export(&server.client()?, &filter(group, pattern, &None, span), to, format).await
            }
        }
    })
}

fn filter(group: &str, pattern: &Option<String>, prefix: &Option<String>, span: &Span) -> Value {
    json!({
        "logGroupName": group, "filterPattern": pattern, "logStreamNamePrefix": prefix,
        "startTime": span.since, "endTime": span.until,
    })
}

/// An action whose answers are pages of events.
struct Pages {
    action: &'static str,
    token: &'static str,
}

impl Pages {
    /// The next page; `false` after the last.
    async fn next(&self, client: &Client, members: &mut Value) -> Result<(Vec<Value>, bool)> {
        let mut page = client.json("logs", self.action, members).await?;
        let token = page[self.token].take();
        // GetLogEvents gives back the token it was sent at the end.
        let goes_on = !token.is_null() && token != members["nextToken"];
        members["nextToken"] = token;
        Ok((page["events"].as_array_mut().map(std::mem::take).unwrap_or_default(), goes_on))
    }
}

pub(super) fn output(show: &Show) -> Output {
    let by_default = if std::io::stdout().is_terminal() { Output::Text } else { Output::Json };
    show.output.unwrap_or(by_default)
}

async fn list(show: &Show, action: &str, member: &str, members: &Value, columns: &[&str]) -> Result<()> {
    let client = show.server.client()?;
    let mut members = members.clone();
    let mut rows = Vec::new();
    loop {
        let mut page = client.json("logs", action, &members).await?;
        rows.extend(page[member].as_array_mut().map(std::mem::take).unwrap_or_default());
        match page["nextToken"].take() {
            Value::Null => break,
            token => members["nextToken"] = token,
        }
    }
    let mut out = std::io::stdout().lock();
    if output(show) == Output::Json {
        for row in &rows {
            writeln!(out, "{row}")?;
        }
        return Ok(());
    }
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY).set_header(columns);
    for row in &rows {
        table.add_row(columns.iter().map(|column| cell(column, &row[*column])));
    }
    writeln!(out, "{table}")?;
    Ok(())
}

fn cell(column: &str, value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) if column.ends_with("Timestamp") => {
            let millis = number.as_i64().unwrap_or_default();
            let at = OffsetDateTime::from_unix_timestamp(millis.div_euclid(1000));
            at.ok().and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_else(|| number.to_string())
        }
        other => other.to_string(),
    }
}

async fn print(show: &Show, pages: &Pages, members: &Value) -> Result<()> {
    let client = show.server.client()?;
    let mut members = members.clone();
    let mut out = std::io::stdout().lock();
    loop {
        let (events, goes_on) = pages.next(&client, &mut members).await?;
        for event in events {
            match output(show) {
                Output::Json => writeln!(out, "{event}")?,
                Output::Text => {
                    let message = event["message"].as_str().unwrap_or_default();
                    writeln!(out, "{}", message.trim_end_matches(['\r', '\n']))?;
                }
            }
        }
        if !goes_on {
            return Ok(());
        }
    }
}

/// Written beside and renamed at the end, so that a file is whole or not there.
async fn export(client: &Client, members: &Value, to: &Path, format: Option<LogFormat>) -> Result<()> {
    let parquet = to.extension().is_some_and(|end| end == "parquet");
    if format.is_some() && !parquet {
        return Err(anyhow!("--format is for Parquet"))
            .hint("lines are written as they are; name a file that ends with .parquet");
    }
    let format = format.unwrap_or_default();
    let beside = to.with_extension("part");
    let file = File::create(&beside).with_context(|| format!("cannot write {}", beside.display()))?;
    let mut sink = match parquet {
        true => Sink::Parquet {
            reader: Box::new(Reader::new(format.clone(), format.fields())),
            writer: Box::new(Writer::new(file, format.fields(), WriterOptions::default())?),
        },
        false => Sink::Lines(std::io::BufWriter::new(file)),
    };
    let pages = Pages { action: "FilterLogEvents", token: "nextToken" };
    let (mut members, mut lines, mut malformed) = (members.clone(), 0, 0);
    loop {
        let (events, goes_on) = pages.next(client, &mut members).await?;
        let mut block = Vec::new();
        for event in &events {
            let message = event["message"].as_str().unwrap_or_default();
            block.extend(message.trim_end_matches(['\r', '\n']).as_bytes());
            block.push(b'\n');
        }
        lines += events.len();
        malformed += sink.write(&block)?;
        if std::io::stderr().is_terminal() {
            eprint!("\r{lines} events");
        }
        if !goes_on {
            break;
        }
    }
    let file = sink.finish()?;
    file.sync_all()
        .and_then(|()| std::fs::rename(&beside, to))
        .with_context(|| format!("cannot write {}", to.display()))?;
    let note = if malformed > 0 {
        format!("; {malformed} are no records of the format and were left out")
    } else {
        String::new()
    };
    eprintln!("\r{lines} events written to {}{note}", to.display());
    if malformed > 0 && malformed == lines as u64 {
        bail!("no event is a record of the format; name it with --format");
    }
    Ok(())
}

enum Sink {
    Lines(std::io::BufWriter<File>),
    Parquet { reader: Box<Reader>, writer: Box<Writer<File>> },
}

impl Sink {
    /// How many lines were no records.
    fn write(&mut self, block: &[u8]) -> Result<u64> {
        match self {
            Self::Lines(file) => {
                file.write_all(block)?;
                Ok(0)
            }
            Self::Parquet { reader, writer } => {
                let read = reader.push_block(block);
                writer.write(&read.batch)?;
                Ok(read.counts.malformed)
            }
        }
    }

    fn finish(self) -> Result<File> {
        match self {
            Self::Lines(file) => file.into_inner().map_err(|error| error.into_error().into()),
            Self::Parquet { writer, .. } => Ok(writer.finish()?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_ages() {
        assert_eq!(instant("1970-01-01T00:00:01.5Z"), Ok(1500));
        let hour = crate::server::now().0 - instant("1h").unwrap();
        assert!((3_600_000..3_700_000).contains(&hour), "{hour}");
        for text in ["", "h", "1y", "yesterday", "é"] {
            assert!(instant(text).is_err(), "{text}");
        }
    }
}
