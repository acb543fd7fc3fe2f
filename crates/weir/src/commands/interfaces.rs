//! `weir interfaces`

use super::connect::Server;
use anyhow::Result;
use serde_json::{Value, json};
use std::io::{IsTerminal, Write};

/// List the attached network interfaces
///
/// A table on a terminal; one JSON object a line when piped or with --output json.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How to print
    #[arg(long, value_enum)]
    output: Option<Output>,
    #[command(flatten)]
    server: Server,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    Table,
    Json,
}

const COLUMNS: [&str; 7] = ["Interface", "Device", "NetworkNamespace", "Mode", "Side", "Status", "Problem"];

pub fn run(args: &Args) -> Result<()> {
    let answer =
        super::block_on(async { args.server.client()?.json("weir", "ListInterfaces", &json!({})).await })?;
    let rows = answer["Interfaces"].as_array().cloned().unwrap_or_default();
    let mut out = std::io::stdout().lock();
    let by_default = if out.is_terminal() { Output::Table } else { Output::Json };
    match args.output.unwrap_or(by_default) {
        Output::Json => {
            for row in &rows {
                writeln!(out, "{row}")?;
            }
        }
        Output::Table => {
            let mut table = comfy_table::Table::new();
            table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY).set_header(COLUMNS);
            for row in &rows {
                table.add_row(COLUMNS.map(|column| cell(&row[column])));
            }
            writeln!(out, "{table}")?;
        }
    }
    Ok(())
}

fn cell(value: &Value) -> String {
    value.as_str().unwrap_or("-").to_owned()
}
