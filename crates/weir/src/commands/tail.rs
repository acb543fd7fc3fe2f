//! `weir tail`

use super::connect::Server;
use super::reading::log_format;
use crate::client::Client;
use crate::event_stream::Frames;
use anyhow::{Context, Result, anyhow, bail};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::io::{IsTerminal, Write};
use time::OffsetDateTime;
use weir_flow::condition::{BoundCondition, Condition};
use weir_flow::format::LogFormat;
use weir_flow::text::parse_line;

/// Show a log group's events as they arrive
///
/// On a terminal, rejected traffic is red and accepted traffic green; in a pipe,
/// one JSON object an event. It goes on until Ctrl-C, or for three hours.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Log group
    #[arg(value_name = "GROUP")]
    group: String,
    /// Only this log stream; may be given more than once
    #[arg(long, value_name = "STREAM", conflicts_with = "stream_prefix")]
    stream: Vec<String>,
    /// Only log streams that begin so; may be given more than once
    #[arg(long, value_name = "PREFIX")]
    stream_prefix: Vec<String>,
    /// Only events that match this CloudWatch filter pattern
    #[arg(long, value_name = "PATTERN")]
    filter: Option<String>,
    /// Only records for which this holds, such as 'dstport in (22, 3389) and action = REJECT'
    #[arg(long = "where", value_name = "CONDITION")]
    condition: Option<String>,
    /// LogFormat of the records, as the flow log has it [default: the default format]
    #[arg(long, value_name = "LOGFORMAT")]
    format: Option<String>,
    /// Stop after so many events
    #[arg(long, short = 'n', value_name = "EVENTS")]
    count: Option<u64>,
    /// How to print [default: text on a terminal, JSON in a pipe]
    #[arg(long, value_enum)]
    output: Option<Output>,
    #[command(flatten)]
    server: Server,
}

const EXAMPLES: &str = "\
Examples:
  weir tail flow-logs
  weir tail flow-logs --filter '[..., action=REJECT, status]'
  weir tail flow-logs --where 'dstport = 22 and srcaddr in 10.0.0.0/8'
  weir tail flow-logs --stream eni-1235b8ca123456789-all | jq -r .message";

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    Text,
    Json,
}

pub fn run(args: &Args) -> Result<()> {
    let format = match &args.format {
        Some(text) => log_format(text).context("--format")?,
        None => LogFormat::default(),
    };
    let condition =
        args.condition.as_deref().map(|text| Condition::parse(text).context("--where")).transpose()?;
    let condition = condition.map(|condition| condition.bind(&format).context("--where")).transpose()?;
    let out = std::io::stdout();
    let by_default = if out.is_terminal() { Output::Text } else { Output::Json };
    let output = args.output.unwrap_or(by_default);
    let colour = out.is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut printer = Printer { out: out.lock(), output, colour, format, condition, left: args.count };
    super::block_on(async {
        let client = args.server.client()?;
        let members = json!({
            "logGroupIdentifiers": [arn(&client, &args.group).await?],
            "logStreamNames": args.stream,
            "logStreamNamePrefixes": args.stream_prefix,
            "logEventFilterPattern": args.filter.as_deref().unwrap_or_default(),
        });
        let mut body = client.stream("logs", "StartLiveTail", &members).await?;
        let mut frames = Frames::default();
        while let Some(piece) = body.frame().await {
            let piece = piece.context("the connection was cut")?;
            frames.push(piece.data_ref().map(|data| data.as_ref()).unwrap_or_default());
            while let Some(frame) = frames.take()? {
                let value: Value = serde_json::from_slice(&frame.payload).unwrap_or_default();
                if let Some(kind) = frame.header(":exception-type") {
                    bail!("{kind}: {}", value["message"].as_str().unwrap_or_default());
                }
                match frame.header(":event-type") {
                    Some("sessionStart") => eprintln!("Waiting for events of {}; Ctrl-C ends.", args.group),
                    Some("sessionUpdate") if !printer.update(&value)? => return Ok(()),
                    _ => {}
                }
            }
        }
        Err(anyhow!("the server has ended"))
    })
}

/// The ARN of a group, by its name.
async fn arn(client: &Client, group: &str) -> Result<String> {
    if group.starts_with("arn:") {
        return Ok(group.to_owned());
    }
    let found = client.json("logs", "DescribeLogGroups", &json!({ "logGroupIdentifiers": [group] })).await?;
    let arn = found["logGroups"][0]["logGroupArn"].as_str().map(str::to_owned);
    arn.ok_or_else(|| anyhow!("there is no log group '{group}': 'weir logs groups' lists them"))
}

struct Printer {
    out: std::io::StdoutLock<'static>,
    output: Output,
    colour: bool,
    format: LogFormat,
    condition: Option<BoundCondition>,
    left: Option<u64>,
}

impl Printer {
    /// Prints an update's events; whether to go on.
    fn update(&mut self, update: &Value) -> Result<bool> {
        for event in update["sessionResults"].as_array().into_iter().flatten() {
            let message = event["message"].as_str().unwrap_or_default();
            let line = message.trim_end_matches(['\r', '\n']);
            let record = parse_line(&self.format, 1, line).ok();
            if let Some(condition) = &self.condition
                && !record.as_ref().is_some_and(|record| condition.matches(record))
            {
                continue;
            }
            match self.output {
                Output::Json => writeln!(self.out, "{event}")?,
                Output::Text => {
                    let at = clock(event["timestamp"].as_i64().unwrap_or_default());
                    let stream = event["logStreamName"].as_str().unwrap_or_default();
                    let (start, end) = if self.colour { paint(line) } else { ("", "") };
                    writeln!(self.out, "{at} {stream} {start}{line}{end}")?;
                }
            }
            if let Some(left) = &mut self.left {
                *left -= 1;
                if *left == 0 {
                    self.out.flush()?;
                    return Ok(false);
                }
            }
        }
        if update["sessionMetadata"]["sampled"] == json!(true) {
            eprintln!("Some events were left out: more came than can be shown.");
        }
        self.out.flush()?;
        Ok(true)
    }
}

/// `12:34:56.789`, UTC.
fn clock(millis: i64) -> String {
    let t = OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    format!("{:02}:{:02}:{:02}.{:03}", t.hour(), t.minute(), t.second(), t.millisecond())
}

/// The terminal's codes before and after a line, by the action in it.
fn paint(line: &str) -> (&'static str, &'static str) {
    let has = |word: &str| line.split(' ').any(|token| token == word);
    match () {
        () if has("REJECT") => ("\u{1b}[31m", "\u{1b}[0m"),
        () if has("ACCEPT") => ("\u{1b}[32m", "\u{1b}[0m"),
        () if has("NODATA") || has("SKIPDATA") => ("\u{1b}[2m", "\u{1b}[0m"),
        () => ("", ""),
    }
}
