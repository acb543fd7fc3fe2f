//! What the commands that read records have in common.

use super::HintExt;
use crate::records::format::Given;
use crate::records::inputs::Input;
use crate::records::meter::Meter;
use crate::records::source::Opening;
use anyhow::{Context, Result, anyhow, bail};
use std::sync::Arc;
use weir_flow::condition::Condition;
use weir_flow::field::Field;
use weir_flow::format::{LogFormat, LogFormatError};

/// Options of every command that reads records.
#[derive(Debug, clap::Args)]
pub struct Reading {
    /// Files, folders, globs, or - for standard input; plain, gzip, zstd, Parquet or JSON of log events, told by content
    #[arg(value_name = "FILES")]
    pub inputs: Vec<String>,
    /// LogFormat of lines without a header line, as the flow log has it [default: the default format]
    #[arg(long, value_name = "LOGFORMAT")]
    pub format: Option<String>,
    /// Only records for which this holds, such as 'dstport in (22, 3389) and action = REJECT'
    ///
    /// Fields with hyphens or underscores; =, !=, <, <=, >, >=; in, with a list, a
    /// range such as 1-1023 or a network such as 10.0.0.0/8; like, with * for any
    /// characters; is null for '-'; and, or, not and parentheses. Times of start
    /// and end (UTC), protocols and TCP flags have names too: 'start >=
    /// 2024-05-01T12:00 and protocol = tcp and tcp-flags = SYN'.
    #[arg(long = "where", value_name = "CONDITION")]
    pub condition: Option<String>,
    /// No summary and no progress bar on stderr
    #[arg(long, short)]
    pub quiet: bool,
}

impl Reading {
    pub fn inputs(&self) -> Result<Vec<Input>> {
        crate::records::inputs::find(&self.inputs)
    }

    pub fn given(&self) -> Result<Given> {
        let format = self.format.as_deref().map(|text| log_format(text).context("--format")).transpose()?;
        Ok(Given { format, ..Given::default() })
    }

    pub fn condition(&self) -> Result<Option<Condition>> {
        self.condition.as_deref().map(|text| Condition::parse(text).context("--where")).transpose()
    }
}

/// A LogFormat as CreateFlowLogs takes it, or the names alone as in a header line.
pub fn log_format(text: &str) -> Result<LogFormat> {
    let text = text.trim();
    let format = if text.contains('$') { LogFormat::parse(text) } else { LogFormat::from_header(text) };
    match format {
        Err(LogFormatError::Empty) => Err(LogFormatError::Empty).hint(
            "write it in single quotes: in double quotes a shell takes ${srcaddr} for a variable of its own",
        ),
        format => Ok(format?),
    }
}

/// The fields that an option names, each once.
pub fn fields(names: &[String]) -> Result<Vec<Field>> {
    let mut fields = Vec::new();
    for name in names.iter().filter(|name| !name.trim().is_empty()) {
        let field = field(name)?;
        if fields.contains(&field) {
            bail!("{field} stands twice");
        }
        fields.push(field);
    }
    Ok(fields)
}

/// The field of this name, with hyphens or underscores.
pub fn field(name: &str) -> Result<Field> {
    let name = name.trim();
    let of = match name {
        "protocol_name" => Some(Field::Protocol),
        "start_utc" => Some(Field::Start),
        "end_utc" => Some(Field::End),
        "tcp_flags_names" => Some(Field::TcpFlags),
        _ => None,
    };
    if let Some(field) = of {
        bail!("'{name}' is no field of its own: '{field}' has it beside it in JSON and in tables");
    }
    Field::by_name_or_column(name).ok_or_else(|| match Field::nearest(name) {
        Some(nearest) => anyhow!("unknown field '{name}': did you mean '{nearest}'?"),
        None => anyhow!("unknown field '{name}': 'weir fields' lists them"),
    })
}

/// A way to open inputs.
pub fn opening(
    given: Given,
    meter: &Arc<Meter>,
    admit: impl Fn(&[Field]) -> Result<Vec<Field>> + Send + Sync + 'static,
) -> Opening {
    Opening { given, admit: Box::new(admit), meter: Arc::clone(meter) }
}
