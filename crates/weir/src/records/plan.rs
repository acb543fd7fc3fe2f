//! What is read of each input and what becomes of a block: the part of `weir
//! parse` that runs on all cores.

use super::columns::{select, with_version};
use super::decode::{Decoded, Decoder};
use super::engine::Job;
use super::meter::Buffers;
use super::source::{Block, Opened};
use crate::commands::HintExt;
use anyhow::{Context, Result, anyhow, bail};
use arrow_array::RecordBatch;
use arrow_select::filter::filter_record_batch;
use std::sync::Arc;
use weir_flow::columns::{Counts, Malformed};
use weir_flow::condition::Condition;
use weir_flow::field::Field;
use weir_flow::format::LogFormat;
use weir_flow::render::{self, Extras};

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// One object a line
    Json,
    /// With a line of names
    Csv,
    /// For people
    Table,
    /// Lines of a LogFormat, with a header line
    Text,
    /// As AWS writes it to S3
    Parquet,
    /// Nothing: every field of every line is checked, and the summary says what was found
    None,
}

/// Settled before the first block is read.
#[derive(Debug, Clone)]
pub struct Plan {
    pub kind: Kind,
    /// The fields that are written, if they do not depend on the input.
    pub fields: Option<Vec<Field>>,
    /// Whether `fields` are those of the first input, so that another input
    /// with more of them does not fit.
    pub is_of_first_input: bool,
    /// The format of text lines; `None`: the input's own.
    pub format: Option<LogFormat>,
    pub condition: Option<Condition>,
    pub extras: Extras,
    /// Whether the first malformed line ends it.
    pub is_strict: bool,
    /// For what is rendered.
    pub buffers: Arc<Buffers>,
}

/// What a block became.
pub struct Parsed {
    pub counts: Counts,
    pub malformed: Vec<Malformed>,
    /// Rows that are written.
    pub rows: u64,
    pub output: Result<Rendered>,
}

pub enum Rendered {
    Bytes(Vec<u8>),
    /// For what is not written piece by piece.
    Batch(RecordBatch),
}

impl Plan {
    /// The fields that are written of records that have `has`.
    pub fn written<'a>(&'a self, has: &'a [Field]) -> &'a [Field] {
        self.fields.as_deref().unwrap_or(has)
    }

    /// The fields that are read of records that have `has`: those that are
    /// written and those that the condition asks for. All of them if it is strict.
    pub fn read(&self, has: &[Field]) -> Vec<Field> {
        let mut fields = self.written(has).to_vec();
        let asked = self.condition.iter().flat_map(Condition::fields);
        let checked = if self.is_strict { has } else { &[] };
        for field in asked.chain(checked.iter().copied()) {
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
        // For the summary; it costs nearly nothing.
        if has.contains(&Field::LogStatus) && !fields.contains(&Field::LogStatus) {
            fields.push(Field::LogStatus);
        }
        fields
    }

    /// [`read`](Self::read), or why such records are of no use.
    pub fn admit(&self, has: &[Field]) -> Result<Vec<Field>> {
        admit_condition(self.condition.as_ref(), has)?;
        if self.is_of_first_input
            && let Some(field) = has.iter().find(|field| !self.written(has).contains(field))
        {
            return Err(anyhow!("it has the field {field}, which the first input does not have")).hint(
                "name the columns to write with --fields, or write one output an input with --to FOLDER/",
            );
        }
        Ok(self.read(has))
    }

    fn render(&self, opened: &Opened, batch: RecordBatch) -> Result<Rendered> {
        let fields = self.written(&opened.fields);
        let batch = select(&batch, fields);
        let mut bytes = self.buffers.take();
        match self.kind {
            Kind::Json => render::json(&batch, self.extras, &mut bytes)?,
            Kind::Csv => render::csv(&batch, self.extras, &mut bytes)?,
            Kind::Text => match &self.format {
                // Source: VPC user guide, "Flow log records", `version`: the highest
                // version among the fields of the format.
                Some(format) if opened.format().as_ref() != Some(format) => {
                    let batch = with_version(&batch, fields, format.version());
                    render::text(&batch, format, &mut bytes)?;
                }
                Some(format) => render::text(&batch, format, &mut bytes)?,
                None => {
                    let format = LogFormat::new(fields).context("such fields are no format")?;
                    render::text(&batch, &format, &mut bytes)?;
                }
            },
            Kind::None => {}
            Kind::Table | Kind::Parquet => return Ok(Rendered::Batch(batch)),
        }
        Ok(Rendered::Bytes(bytes))
    }
}

/// A condition on a field that records do not have would be false or true for
/// all of them: nobody means that.
pub fn admit_condition(condition: Option<&Condition>, has: &[Field]) -> Result<()> {
    let Some(condition) = condition else { return Ok(()) };
    if let Some(field) = condition.fields().iter().find(|field| !has.contains(field)) {
        let names: Vec<&str> = has.iter().map(|field| field.name()).collect();
        bail!("--where asks for the field {field}, but its records have only: {}", names.join(" "));
    }
    Ok(())
}

/// The rows for which the condition holds.
pub fn keep(condition: Option<&Condition>, batch: RecordBatch) -> Result<RecordBatch> {
    match condition {
        Some(condition) => Ok(filter_record_batch(&batch, &condition.mask(&batch)?)?),
        None => Ok(batch),
    }
}

#[derive(Default)]
pub struct Worker {
    decoder: Decoder,
    /// Of the current input.
    read: Option<(Arc<Opened>, Vec<Field>)>,
}

impl Job for Plan {
    type Worker = Worker;
    type Out = Parsed;

    fn process(&self, worker: &mut Worker, opened: &Arc<Opened>, block: &Block) -> Parsed {
        let Worker { decoder, read } = worker;
        let fields = match read {
            Some((of, fields)) if Arc::ptr_eq(of, opened) => fields,
            stale => &mut stale.insert((Arc::clone(opened), self.read(&opened.fields))).1,
        };
        let Decoded { mut batch, counts, malformed } = decoder.decode(opened, block, fields);
        if self.is_strict
            && let Some(first) = malformed.first()
        {
            batch = decoder.until_malformed(opened, block, fields, first);
        }
        let kept = keep(self.condition.as_ref(), batch);
        let rows = kept.as_ref().map_or(0, |batch| batch.num_rows() as u64);
        Parsed { counts, malformed, rows, output: kept.and_then(|batch| self.render(opened, batch)) }
    }

    fn weight(out: &Parsed) -> usize {
        match &out.output {
            Ok(Rendered::Bytes(bytes)) => bytes.capacity(),
            // Whoever takes batches is slower than the workers: many that wait would
            // only scatter over the heap what the Parquet writer keeps.
            Ok(Rendered::Batch(batch)) => 6 * batch.get_array_memory_size(),
            Err(_) => 0,
        }
    }
}
