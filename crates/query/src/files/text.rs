//! A text of records, opened: whatever was around it is taken off.

use super::compression::{Magic, Peek, WholeText, inflate_whole};
use super::format::{self, FormatError, Found, Framing, Given};
use super::json::JsonLines;
use super::lines::{BLOCK_BYTES, Lines};
use super::meter::Meter;
use super::payload::{Payloads, is_payload};
use super::tabs::TabLines;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

/// How much of a text is looked at to find its format.
pub const HEAD_BYTES: usize = 64 << 10;

/// What is known before it is opened.
#[derive(Debug, Clone)]
pub struct Opening<'a> {
    /// Length as it lies there, compressed or not; `None` for a pipe.
    pub bytes: Option<u64>,
    /// Whether somebody may be waiting for each line: it is given out as soon
    /// as it is there.
    pub is_live: bool,
    pub given: &'a Given,
    pub meter: &'a Arc<Meter>,
    /// How many bytes of text a block has.
    pub block_bytes: usize,
}

impl<'a> Opening<'a> {
    pub fn new(bytes: Option<u64>, given: &'a Given, meter: &'a Arc<Meter>) -> Self {
        Self { bytes, is_live: false, given, meter, block_bytes: BLOCK_BYTES }
    }
}

/// What was there.
pub enum Opened {
    Text(Text),
    /// With nothing taken from it.
    Parquet(Peek),
}

/// Blocks of whole lines of one format.
pub struct Text {
    pub found: Found,
    blocks: Blocks,
    block_bytes: usize,
}

enum Blocks {
    Lines(Lines<Peek>),
    Whole(Arc<WholeText>, usize),
}

/// A piece of a text: whole lines.
pub enum Block {
    /// The first bytes of the buffer that was given.
    Buffer(Vec<u8>, usize),
    Whole(Arc<WholeText>, Range<usize>),
}

impl Block {
    pub fn text(&self) -> &[u8] {
        match self {
            Self::Buffer(buffer, length) => buffer.get(..*length).unwrap_or_default(),
            Self::Whole(whole, range) => whole.bytes.get(range.clone()).unwrap_or_default(),
        }
    }
}

/// Why something is no text of records.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    #[error("cannot be read")]
    Read(#[source] io::Error),
    #[error("cannot be decompressed")]
    Decompress(#[source] io::Error),
    #[error("is not a flow log: it is neither text nor gzip, zstd or Parquet")]
    Binary,
    #[error("is packed as {0}, which is not unpacked here")]
    Packed(&'static str),
    #[error("is UTF-16: flow logs are ASCII")]
    Utf16,
    #[error(transparent)]
    Format(#[from] FormatError),
}

impl TextError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Format(FormatError::Unknown(_)) => {
                Some("give the flow log's LogFormat: --format '${version} ${vpc-id} ...'")
            }
            Self::Format(FormatError::Disagree { .. }) => Some("leave --format out: the header line says it"),
            Self::Format(FormatError::Header(_)) => Some("'weir fields' lists the fields of every version"),
            Self::Format(FormatError::Divided(_)) => {
                Some("if no value has a space, 'tr' can put spaces there")
            }
            Self::Packed("tar") => Some("pipe its files in: tar -xOf FILE | weir ..."),
            Self::Packed("zip") => Some("pipe its files in: unzip -p FILE | weir ..."),
            Self::Packed("bzip2") => Some("pipe it in: bzip2 -dc FILE | weir ..."),
            Self::Packed(_) => Some("pipe it in: xz -dc FILE | weir ..."),
            Self::Utf16 => Some("convert it: iconv -f UTF-16 -t UTF-8; PowerShell's '>' writes such files"),
            Self::Read(_) | Self::Decompress(_) | Self::Binary => None,
        }
    }
}

impl Opened {
    /// Looks at the beginning of `source` and takes off what is around its lines.
    ///
    /// # Errors
    /// It cannot be read, or it is no flow log.
    pub fn of(mut source: Peek, opening: &Opening<'_>) -> Result<Self, TextError> {
        let mut whole = None;
        // A payload of a subscription that Firehose compressed is gzip twice.
        for _ in 0..2 {
            match source.magic().map_err(TextError::Read)? {
                Magic::None => break,
                Magic::Parquet => return Ok(Self::Parquet(source)),
                Magic::Gzip
                    if opening.bytes.is_some_and(|bytes| bytes <= opening.meter.whole.file_bytes)
                        && whole.is_none() =>
                {
                    let mut packed = Vec::new();
                    source.read_to_end(&mut packed).map_err(TextError::Read)?;
                    whole = inflate_whole(&packed, opening.meter).map(Arc::new);
                    source = Peek::new(io::Cursor::new(packed));
                    match &whole {
                        Some(whole) if is_lines(&whole.bytes) => break,
                        // An envelope: the text is read as a stream.
                        _ => source = source.unwrap(Magic::Gzip).map_err(TextError::Decompress)?,
                    }
                }
                magic => source = source.unwrap(magic).map_err(TextError::Decompress)?,
            }
        }
        if let Some(whole) = whole.filter(|whole| is_lines(&whole.bytes)) {
            let head = whole.bytes.get(..whole.bytes.len().min(HEAD_BYTES)).unwrap_or_default();
            let found = find(head, opening.given)?;
            return Ok(Self::Text(Text::new(found, Blocks::Whole(whole, 0), opening)));
        }
        if source.look(3, |_| false).map_err(TextError::Read)?.starts_with(b"\xef\xbb\xbf") {
            source.skip(3);
        }
        let mut first = source.look(HEAD_BYTES, |head| head.iter().any(|byte| !byte.is_ascii_whitespace()));
        if first.as_ref().is_ok_and(|head| is_payload(head.trim_ascii_start())) {
            source = Peek::new(JsonLines::new(Payloads::new(source)));
        } else if first.as_ref().is_ok_and(|head| is_json(head)) {
            source = Peek::new(JsonLines::new(source));
        }
        let is_enough = |head: &[u8]| opening.is_live && head.contains(&b'\n');
        first = source.look(HEAD_BYTES, is_enough);
        if first.as_ref().is_ok_and(|head| format::is_tabbed(head, opening.given)) {
            source = Peek::new(TabLines::new(source));
            first = source.look(HEAD_BYTES, is_enough);
        }
        let found = match find(first.map_err(TextError::Read)?, opening.given) {
            Ok(found) => found,
            // It is broken before it says anything.
            Err(error) => return Err(source.take_failure().map_or(error, TextError::Read)),
        };
        let lines = Lines::new(source, opening.is_live).with_block_bytes(opening.block_bytes);
        Ok(Self::Text(Text::new(found, Blocks::Lines(lines), opening)))
    }
}

impl Text {
    fn new(found: Found, blocks: Blocks, opening: &Opening<'_>) -> Self {
        Self { found, blocks, block_bytes: opening.block_bytes }
    }

    /// Lines as they are, from a reader that begins at the beginning of one.
    pub fn of_lines(found: Found, source: impl Read + Send + 'static, block_bytes: usize) -> Self {
        let lines = Lines::new(Peek::new(source), false).with_block_bytes(block_bytes);
        Self { found, blocks: Blocks::Lines(lines), block_bytes }
    }

    /// The next piece; `None` at the end. `buffer` is memory to use
    /// again, with what was left in it.
    ///
    /// # Errors
    /// It cannot be read further: what came before is good.
    pub fn next(&mut self, mut buffer: Vec<u8>) -> io::Result<Option<Block>> {
        match &mut self.blocks {
            Blocks::Lines(lines) => {
                let length = lines.next(&mut buffer)?;
                Ok(length.map(|length| Block::Buffer(buffer, length)))
            }
            Blocks::Whole(whole, at) => {
                let rest = whole.bytes.get(*at..).unwrap_or_default();
                if rest.is_empty() {
                    return Ok(None);
                }
                let block = rest.get(..self.block_bytes).unwrap_or(rest);
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
        }
    }
}

fn is_json(head: &[u8]) -> bool {
    matches!(head.trim_ascii_start().first(), Some(b'{' | b'[' | b'"'))
}

/// Whether a text is lines as they are, without an envelope.
pub fn is_lines(text: &[u8]) -> bool {
    let head = text.get(..text.len().min(1024)).unwrap_or_default();
    let begin = head.trim_ascii_start();
    Magic::of(text) == Magic::None
        && !is_json(begin)
        && !is_payload(begin)
        && !begin.starts_with(b"\xef\xbb\xbf")
        && !begin.split(|&byte| byte == b'\n').next().is_some_and(|line| line.contains(&b'\t'))
}

/// The format of lines that begin so.
///
/// # Errors
/// It is not known, or these are no lines.
pub fn find(head: &[u8], given: &Given) -> Result<Found, TextError> {
    let found = format::find(head, given)
        .map_err(|error| if is_binary(head) { not_text(head) } else { TextError::Format(error) })?;
    if matches!(found.framing, Framing::None | Framing::CarriageReturn) && is_binary(head) {
        return Err(not_text(head));
    }
    Ok(found)
}

/// Sources: file(1)'s magic of each.
fn not_text(head: &[u8]) -> TextError {
    match head {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => TextError::Utf16,
        [b'P', b'K', 3, 4, ..] => TextError::Packed("zip"),
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => TextError::Packed("bzip2"),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => TextError::Packed("xz"),
        _ if head.get(257..262) == Some(b"ustar") => TextError::Packed("tar"),
        _ => TextError::Binary,
    }
}

fn is_binary(head: &[u8]) -> bool {
    head.iter().take(1024).any(|&byte| byte == 0)
}
