//! `weir fields`

use anyhow::Result;
use serde_json::{Value, json};
use std::io::{self, IsTerminal, Write};
use weir_flow::field::{Family, Field};

/// List every field of flow log records: version, type, meaning
///
/// A table on a terminal; one JSON object a line when piped or with --output json.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  weir fields\n  weir fields tcp-flags traffic-path\n  weir fields --output json | grep '\"version\":11'"
)]
pub struct Args {
    /// Only these fields [default: all]
    #[arg(value_name = "NAMES")]
    names: Vec<String>,
    /// How to print
    #[arg(long, short, value_enum)]
    output: Option<Output>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    Table,
    Json,
}

pub fn run(args: &Args) -> Result<()> {
    let named: Vec<Field> =
        args.names.iter().map(|name| super::reading::field(name)).collect::<Result<_>>()?;
    let fields = if named.is_empty() { Field::ALL } else { &named };
    let mut out = io::stdout().lock();
    let by_default = if out.is_terminal() { Output::Table } else { Output::Json };
    match args.output.unwrap_or(by_default) {
        Output::Json => {
            for field in fields {
                let members = [
                    ("name", json!(field.name())),
                    ("column", json!(field.column())),
                    ("version", json!(field.version())),
                    ("type", json!(field.parquet_type().as_str())),
                    ("nullable", json!(field.is_nullable())),
                    ("flow_logs", json!(flow_logs(*field))),
                    ("meaning", json!(field.meaning())),
                ];
                write_object(&mut out, &members)?;
            }
        }
        Output::Table => {
            let mut table = comfy_table::Table::new();
            table
                .load_style(comfy_table::presets::UTF8_BORDERS_ONLY)
                .set_content_arrangement(comfy_table::ContentArrangement::Dynamic)
                .set_header(["Field", "Version", "Type", "Meaning"]);
            for field in fields {
                let version = field.version().to_string();
                table.add_row([field.name(), &version, field.parquet_type().as_str(), field.meaning()]);
            }
            writeln!(out, "{table}")?;
        }
    }
    Ok(())
}

/// One object as a line, its members in this order.
pub fn write_object(out: &mut impl Write, members: &[(&str, Value)]) -> io::Result<()> {
    let members = members.iter().map(|(name, value)| format!("{}:{value}", json!(name)));
    writeln!(out, "{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// Which flow logs have the field.
fn flow_logs(field: Field) -> &'static str {
    match field.family() {
        Family::Vpc => "vpc",
        Family::TransitGateway => "transit-gateway",
        Family::Both => "vpc, transit-gateway",
    }
}
