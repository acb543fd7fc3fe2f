//! `weir logs insights`

use super::logs::{Output, Show, Span, output};
use crate::client::Client;
use anyhow::{Result, anyhow, bail};
use indicatif::ProgressBar;
use serde_json::{Value, json};
use std::io::Write;
use std::time::Duration;

/// How long it takes to ask again; an answer itself waits for the end, too.
const AGAIN: Duration = Duration::from_millis(300);

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Query, such as 'stats sum(bytes) as b by srcAddr | sort b desc'; the newest events without one
    #[arg(value_name = "QUERY", default_value = "")]
    query: String,
    /// Log group to query; may be repeated
    #[arg(long, value_name = "GROUP")]
    group: Vec<String>,
    /// The most rows, for a query without the command limit
    #[arg(long, value_name = "ROWS")]
    limit: Option<u32>,
    #[command(flatten)]
    span: Span,
    #[command(flatten)]
    show: Show,
}

pub async fn run(args: &Args) -> Result<()> {
    let client = args.show.server.client()?;
    let now = crate::server::now().0;
    let mut members = json!({
        "queryString": args.query,
        "startTime": args.span.since.unwrap_or(0) / 1000,
        "endTime": args.span.until.unwrap_or(now) / 1000,
        "limit": args.limit,
    });
    if !args.group.is_empty() {
        members["logGroupNames"] = json!(args.group);
    }
    let started = client.json("logs", "StartQuery", &members).await?;
    let id = started["queryId"].as_str().ok_or_else(|| anyhow!("StartQuery gave no queryId"))?.to_owned();
    let rows = tokio::select! {
        rows = results(&client, &id) => rows?,
        signal = crate::server::interrupted() => {
            // It may have ended in between.
            let _ = client.json("logs", "StopQuery", &json!({ "queryId": id })).await;
            bail!("{signal}; the query is stopped");
        }
    };
    print(args, &rows)
}

/// All rows, once the query has ended.
async fn results(client: &Client, id: &str) -> Result<Vec<Value>> {
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(100));
    let mut rows = Vec::new();
    let mut members = json!({ "queryId": id });
    loop {
        let mut answer = client.json("logs", "GetQueryResults", &members).await?;
        let records = answer["statistics"]["recordsScanned"].as_f64().unwrap_or_default();
        let bytes = answer["statistics"]["bytesScanned"].as_f64().unwrap_or_default();
        bar.set_message(format!("{records} events, {:.1} MB read", bytes / 1e6));
        match answer["status"].as_str().unwrap_or_default() {
            "Scheduled" | "Running" => {
                tokio::time::sleep(AGAIN).await;
                continue;
            }
            "Complete" => {}
            other => bail!("the query ended with the status {other}; the server's log says why"),
        }
        rows.extend(answer["results"].as_array_mut().map(std::mem::take).unwrap_or_default());
        match answer["nextToken"].take() {
            Value::Null => {
                bar.finish_and_clear();
                return Ok(rows);
            }
            token => members["nextToken"] = token,
        }
    }
}

fn print(args: &Args, rows: &[Value]) -> Result<()> {
    let rows: Vec<Vec<(&str, &str)>> = rows.iter().map(cells).collect();
    let mut out = std::io::stdout().lock();
    if output(&args.show) == Output::Json {
        for row in rows {
            let members: Vec<String> =
                row.iter().map(|(name, value)| format!("{}:{}", json!(name), json!(value))).collect();
            writeln!(out, "{{{}}}", members.join(","))?;
        }
        return Ok(());
    }
    // A row without a value does not have the field: all rows together have all.
    let mut columns: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flatten().filter(|(name, _)| *name != "@ptr") {
        if !columns.contains(name) {
            columns.push(name);
        }
    }
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY).set_header(&columns);
    for row in &rows {
        let cell = |name: &&str| row.iter().find(|(known, _)| known == name).map_or("-", |(_, value)| value);
        table.add_row(columns.iter().map(cell));
    }
    writeln!(out, "{table}")?;
    Ok(())
}

/// Fields and values, in order.
fn cells(row: &Value) -> Vec<(&str, &str)> {
    let cells = row.as_array().map(Vec::as_slice).unwrap_or_default();
    cells.iter().filter_map(|cell| Some((cell["field"].as_str()?, cell["value"].as_str()?))).collect()
}
