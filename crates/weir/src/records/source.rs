//! An input, opened: layers taken off by content, the format found, blocks
//! given out one by one.
//!
//! ```text
//! file | pipe ─▶ gzip? zstd? (twice at most) ─▶ Parquet ──────────────▶ batches
//!                                            └▶ base64? ▶ JSON? ▶ text ─▶ blocks of lines
//! ```

use super::compression::{Magic, Peek, WHOLE_FILE_BYTES, WholeText, inflate_whole};
use super::format::{self, Found, Framing, Given};
use super::inputs::{Input, Place};
use super::json::JsonLines;
use super::lines::{BLOCK_BYTES, Lines};
use super::meter::{Meter, Metered};
use super::payload::{Payloads, is_payload};
use crate::commands::HintExt;
use anyhow::{Context, Result, bail};
use arrow_array::RecordBatch;
use std::fs::File;
use std::io::{self, Read, Seek};
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
    Text(Vec<u8>),
    Whole(Arc<WholeText>, Range<usize>),
    Batch(RecordBatch),
}

impl Block {
    /// The lines; none for rows.
    pub fn text(&self) -> &[u8] {
        match self {
            Self::Text(text) => text,
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
    Text(Lines<Peek>),
    Whole(Arc<WholeText>, usize),
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
        let mut text = match &input.place {
            Place::Stdin => Peek::new(Metered::new(io::stdin(), Arc::clone(&opening.meter))),
            Place::File(path) => Peek::new(Metered::new(
                File::open(path).context("cannot be opened")?,
                Arc::clone(&opening.meter),
            )),
        };
        let mut whole = None;
        // A payload of a subscription that Firehose compressed is gzip twice.
        for _ in 0..2 {
            match text.magic().context("cannot be read")? {
                Magic::None => break,
                Magic::Parquet => return Self::parquet(input, opening, text),
                Magic::Gzip
                    if input.bytes.is_some_and(|bytes| bytes <= WHOLE_FILE_BYTES) && whole.is_none() =>
                {
                    let mut packed = Vec::new();
                    text.read_to_end(&mut packed).context("cannot be read")?;
                    whole = inflate_whole(&packed, &opening.meter).map(Arc::new);
                    text = Peek::new(io::Cursor::new(packed));
                    match &whole {
                        Some(whole) if is_lines(&whole.bytes) => break,
                        // An envelope: the text is read as a stream.
                        _ => text = text.unwrap(Magic::Gzip).context("cannot be decompressed")?,
                    }
                }
                magic => text = text.unwrap(magic).context("cannot be decompressed")?,
            }
        }
        if let Some(whole) = whole.filter(|whole| is_lines(&whole.bytes)) {
            let head = whole.bytes.get(..whole.bytes.len().min(HEAD_BYTES)).unwrap_or_default();
            let found = format_of(head, &opening.given)?;
            return Self::of_text(input, opening, found, Blocks::Whole(whole, 0));
        }
        if text.look(3, |_| false).context("cannot be read")?.starts_with(b"\xef\xbb\xbf") {
            text.skip(3);
        }
        let mut first = text.look(HEAD_BYTES, |head| head.iter().any(|byte| !byte.is_ascii_whitespace()));
        if first.as_ref().is_ok_and(|head| is_payload(head.trim_ascii_start())) {
            text = Peek::new(JsonLines::new(Payloads::new(text)));
        } else if first.as_ref().is_ok_and(|head| is_json(head)) {
            text = Peek::new(JsonLines::new(text));
        }
        first = text.look(HEAD_BYTES, |head| is_stdin && head.contains(&b'\n'));
        let found = format_of(first.context("cannot be read")?, &opening.given)?;
        Self::of_text(input, opening, found, Blocks::Text(Lines::new(text, is_stdin)))
    }

    fn of_text(input: &Input, opening: &Opening, found: Found, blocks: Blocks) -> Result<Self> {
        let fields = found.format.fields().to_vec();
        (opening.admit)(&fields)?;
        Ok(Self { opened: Arc::new(Opened { input: input.clone(), fields, text: Some(found) }), blocks })
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
    pub fn next(&mut self, mut buffer: Vec<u8>) -> Result<Option<Block>> {
        let name = || self.opened.input.name();
        match &mut self.blocks {
            Blocks::Text(lines) => {
                let is_more = lines.next(&mut buffer).context("cannot be read further").with_context(name)?;
                Ok(is_more.then_some(Block::Text(buffer)))
            }
            Blocks::Whole(whole, at) => {
                let rest = whole.bytes.get(*at..).unwrap_or_default();
                if rest.is_empty() {
                    return Ok(None);
                }
                let block = rest.get(..BLOCK_BYTES).unwrap_or(rest);
                let next_end = || memchr::memchr(b'\n', rest).unwrap_or(rest.len() - 1);
                let length = match memchr::memrchr(b'\n', block) {
                    _ if block.len() == rest.len() => rest.len(),
                    Some(end) => end + 1,
                    None => next_end() + 1,
                };
                let range = *at..*at + length;
                *at = range.end;
                Ok(Some(Block::Whole(Arc::clone(whole), range)))
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

/// How much of a text is looked at to find its format.
const HEAD_BYTES: usize = 64 << 10;
/// How much [`Peek`] reads at a time.
const HEAD_CHUNK_BYTES: u64 = 16 << 10;

fn is_json(head: &[u8]) -> bool {
    matches!(head.trim_ascii_start().first(), Some(b'{' | b'[' | b'"'))
}

/// Whether a text is lines as they are, without an envelope.
fn is_lines(text: &[u8]) -> bool {
    let head = text.get(..text.len().min(1024)).unwrap_or_default();
    let begin = head.trim_ascii_start();
    Magic::of(text) == Magic::None
        && !is_json(begin)
        && !is_payload(begin)
        && !begin.starts_with(b"\xef\xbb\xbf")
}

fn format_of(head: &[u8], given: &Given) -> Result<Found> {
    let found = match format::find(head, given) {
        Ok(found) => found,
        Err(error) => {
            if is_binary(head) {
                bail!("is not a flow log: it is neither text nor gzip, zstd or Parquet");
            }
            let hint = match &error {
                format::FormatError::Unknown(_) => {
                    "give the flow log's LogFormat: --format '${version} ${vpc-id} ...'"
                }
                format::FormatError::Disagree { .. } => "leave --format out: the header line says it",
                format::FormatError::Header(_) => "'weir fields' lists the fields of every version",
            };
            return Err(error).hint(hint);
        }
    };
    if found.framing == Framing::None && is_binary(head) {
        bail!("is not a flow log: it is neither text nor gzip, zstd or Parquet");
    }
    Ok(found)
}

fn is_binary(head: &[u8]) -> bool {
    head.iter().take(1024).any(|&byte| byte == 0)
}
