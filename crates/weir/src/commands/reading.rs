//! What the commands that read records have in common.

use crate::records::format::Given;
use crate::records::inputs::Input;
use crate::records::meter::Meter;
use crate::records::source::Opening;
use anyhow::{Context, Result, anyhow};
use std::sync::Arc;
use weir_flow::condition::Condition;
use weir_flow::field::Field;
use weir_flow::format::LogFormat;

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
    let is_template = text.is_empty() || text.contains('$');
    Ok(if is_template { LogFormat::parse(text)? } else { LogFormat::from_header(text)? })
}

/// The field of this name, with hyphens or underscores.
pub fn field(name: &str) -> Result<Field> {
    let name = name.trim();
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
