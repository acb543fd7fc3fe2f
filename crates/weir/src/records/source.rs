//! An input, opened: Parquet gives batches, everything else blocks of lines
//! (`weir_query::files`).

use super::compression::{Peek, WholeText};
use super::format::{Found, Given};
use super::inputs::{Input, Place};
use super::meter::{Meter, Metered};
use super::text;
use crate::commands::HintExt;
use anyhow::{Context, Result};
use arrow_array::RecordBatch;
use std::fs::File;
use std::io::{self, Seek};
use std::ops::Range;
use std::sync::Arc;
use weir_flow::field::Field;
use weir_flow::format::LogFormat;
use weir_flow::parquet;

/// Fields that records have to fields that are read of them.
pub type Admit = Box<dyn Fn(&[Field]) -> Result<Vec<Field>> + Send + Sync>;

/// How inputs are opened.
pub struct Opening {
    pub given: Given,
    /// Says which fields are read of records that have these, or why such
    /// records are of no use.
    pub admit: Admit,
    pub meter: Arc<Meter>,
}

/// What is known about an opened input.
#[derive(Debug, Clone)]
pub struct Opened {
    pub input: Input,
    /// The fields of its records, in its order.
    pub fields: Vec<Field>,
    /// Of text; `None` for Parquet.
    pub text: Option<Found>,
}

impl Opened {
    /// The format of its lines; that of a Parquet file's columns, if they are one.
    pub fn format(&self) -> Option<LogFormat> {
        self.text.as_ref().map(|text| text.format.clone()).or_else(|| LogFormat::new(&self.fields).ok())
    }
}

/// A piece of an input: whole lines, or rows.
pub enum Block {
    /// The first bytes of a buffer.
    Text(Vec<u8>, usize),
    Whole(Arc<WholeText>, Range<usize>),
    Batch(RecordBatch),
}

impl Block {
    /// The lines; none for rows.
    pub fn text(&self) -> &[u8] {
        match self {
            Self::Text(buffer, length) => buffer.get(..*length).unwrap_or_default(),
            Self::Whole(whole, range) => whole.bytes.get(range.clone()).unwrap_or_default(),
            Self::Batch(_) => &[],
        }
    }
}

pub struct Source {
    pub opened: Arc<Opened>,
    blocks: Blocks,
}

enum Blocks {
    Text(Box<text::Text>),
    Parquet(Box<ParquetBlocks>),
}

struct ParquetBlocks {
    reader: parquet::Reader,
    rows_done: u64,
    bytes: u64,
    bytes_done: u64,
    meter: Arc<Meter>,
}

impl Source {
    /// Opens an input and looks at its beginning.
    ///
    /// # Errors
    /// It cannot be read, or it is no flow log; hints say what to do.
    pub fn open(input: &Input, opening: &Opening) -> Result<Self> {
        Self::try_open(input, opening).with_context(|| input.name())
    }

    fn try_open(input: &Input, opening: &Opening) -> Result<Self> {
        let is_stdin = input.place == Place::Stdin;
        let source = match &input.place {
            Place::Stdin => Peek::new(Metered::new(io::stdin(), Arc::clone(&opening.meter))),
            Place::File(path) => Peek::new(Metered::new(
                File::open(path).context("cannot be opened")?,
                Arc::clone(&opening.meter),
            )),
        };
        let how = text::Opening {
            is_live: is_stdin,
            ..text::Opening::new(input.bytes, &opening.given, &opening.meter)
        };
        match text::Opened::of(source, &how) {
            Ok(text::Opened::Parquet(source)) => Self::parquet(input, opening, source),
            Ok(text::Opened::Text(text)) => {
                let fields = text.found.format.fields().to_vec();
                (opening.admit)(&fields)?;
                let found = Some(text.found.clone());
                let opened = Arc::new(Opened { input: input.clone(), fields, text: found });
                Ok(Self { opened, blocks: Blocks::Text(Box::new(text)) })
            }
            Err(error) => match error.hint() {
                Some(hint) => Err(error).hint(hint),
                None => Err(error.into()),
            },
        }
    }

    fn parquet(input: &Input, opening: &Opening, mut text: Peek) -> Result<Self> {
        // The footer is at the end: a pipe is kept in a file first.
        let file = match &input.place {
            Place::File(path) => File::open(path).context("cannot be opened")?,
            Place::Stdin => {
                let mut file = tempfile::tempfile().context("cannot make a temporary file")?;
                io::copy(&mut text, &mut file).context("cannot be kept in a temporary file")?;
                file.rewind().context("cannot be read again")?;
                file
            }
        };
        let bytes = file.metadata().map(|data| data.len()).unwrap_or(0);
        let again = file.try_clone().context("cannot be opened twice")?;
        let fields = parquet::Reader::new(file, None)?.fields().to_vec();
        let projection = (opening.admit)(&fields)?;
        let reader = parquet::Reader::new(again, Some(&projection))?;
        let is_counted = input.place == Place::Stdin;
        let blocks = ParquetBlocks {
            reader,
            rows_done: 0,
            bytes,
            // The head was counted when it was looked at.
            bytes_done: if is_counted { bytes } else { bytes.min(HEAD_CHUNK_BYTES) },
            meter: Arc::clone(&opening.meter),
        };
        let opened = Arc::new(Opened { input: input.clone(), fields, text: None });
        Ok(Self { opened, blocks: Blocks::Parquet(Box::new(blocks)) })
    }

    /// The next piece; `None` at the end. `buffer` is memory to use again.
    ///
    /// # Errors
    /// It cannot be read further: what came before is good.
    pub fn next(&mut self, buffer: Vec<u8>) -> Result<Option<Block>> {
        let name = || self.opened.input.name();
        match &mut self.blocks {
            Blocks::Text(text) => {
                let block = text.next(buffer).context("cannot be read further").with_context(name)?;
                Ok(block.map(|block| match block {
                    text::Block::Buffer(buffer, length) => Block::Text(buffer, length),
                    text::Block::Whole(whole, range) => Block::Whole(whole, range),
                }))
            }
            Blocks::Parquet(blocks) => {
                let Some(batch) = blocks.reader.next() else { return Ok(None) };
                let batch = batch.with_context(name)?;
                blocks.rows_done += batch.num_rows() as u64;
                let share = blocks.rows_done as f64 / blocks.reader.rows().max(1) as f64;
                let done = (blocks.bytes as f64 * share) as u64;
                blocks.meter.add(done.saturating_sub(blocks.bytes_done));
                blocks.bytes_done = blocks.bytes_done.max(done);
                Ok(Some(Block::Batch(batch)))
            }
        }
    }
}

/// How much [`Peek`] reads at a time.
const HEAD_CHUNK_BYTES: u64 = 16 << 10;
