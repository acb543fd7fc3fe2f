//! Writes a segment: events in order of group, then of time.

use super::encode::{self, Row, Rows};
use super::footer::{BlockMeta, ColumnAt, Footer, HEAD, StreamPart};
use super::{Part, SegmentMeta, file_name};
use crate::files::{Files, LogFile};
use crate::limits::EVENT_OVERHEAD_BYTES;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

pub(crate) const TEMPORARY: &str = "segment-new.tmp";

/// Rows of a block of a group with few streams: what a merge over streams
/// reads for a page. With more streams a block has more, so that the rows of
/// one stream still lie together.
const BLOCK_ROWS: usize = if cfg!(test) { 6 } else { 16 << 10 };
const MAX_BLOCK_ROWS: usize = if cfg!(test) { 12 } else { 128 << 10 };
const ROWS_OF_A_STREAM: usize = if cfg!(test) { 3 } else { 64 };

pub(super) struct Writer<'a> {
    files: &'a dyn Files,
    file: Arc<dyn LogFile>,
    offset: u64,
    footer: Footer,
    streams: BTreeMap<u64, StreamPart>,
    meta: SegmentMeta,
    group: u64,
    block_rows: usize,
    rows: Rows,
}

impl<'a> Writer<'a> {
    pub fn new(files: &'a dyn Files, id: u64, day: i64) -> io::Result<Self> {
        let file = files.create(TEMPORARY)?;
        file.write_at(HEAD, 0)?;
        Ok(Self {
            files,
            file,
            offset: HEAD.len() as u64,
            footer: Footer::default(),
            streams: BTreeMap::new(),
            meta: SegmentMeta { id, day, ..SegmentMeta::default() },
            group: 0,
            block_rows: 0,
            rows: Rows::default(),
        })
    }

    /// The events from now on are of this group, which has about so many streams.
    pub fn group(&mut self, group: u64, streams: usize) -> io::Result<()> {
        self.end_block()?;
        self.group = group;
        self.block_rows = (streams * ROWS_OF_A_STREAM).clamp(BLOCK_ROWS, MAX_BLOCK_ROWS);
        Ok(())
    }

    /// Adds an event; `start` and `length` of the row are set here.
    pub fn push(&mut self, row: Row, message: &str) -> io::Result<()> {
        let start = self.rows.text.len();
        self.rows.text.push_str(message);
        let row = Row { start, length: message.len() as u32, ..row };
        let stream = self.streams.entry(row.stream).or_insert(StreamPart {
            id: row.stream,
            rows: 0,
            bytes: 0,
            first: row.timestamp,
            last: row.timestamp,
        });
        stream.rows += 1;
        stream.bytes += (message.len() + EVENT_OVERHEAD_BYTES) as u64;
        stream.first = stream.first.min(row.timestamp);
        stream.last = stream.last.max(row.timestamp);
        self.rows.events.push(row);
        if self.rows.events.len() >= self.block_rows {
            self.end_block()?;
        }
        Ok(())
    }

    fn end_block(&mut self) -> io::Result<()> {
        if self.rows.events.is_empty() {
            return Ok(());
        }
        let (mut block, columns) = encode::block(self.group, &mut self.rows)?;
        self.rows.events.clear();
        self.rows.text.clear();
        let mut bytes = Vec::new();
        for column in columns {
            let offset = self.offset + bytes.len() as u64;
            let crc = crc32fast::hash(&column);
            block.columns.push(ColumnAt { offset, length: column.len(), crc });
            bytes.extend(column);
        }
        self.file.write_at(&bytes, self.offset)?;
        self.offset += bytes.len() as u64;
        self.add_to_part(&block);
        self.footer.blocks.push(block);
        Ok(())
    }

    fn add_to_part(&mut self, block: &BlockMeta) {
        let &BlockMeta { group, rows, first, last, first_sequence, last_sequence, .. } = block;
        let rows = rows as u64;
        match self.meta.parts.iter_mut().find(|part| part.group == group) {
            Some(part) => {
                part.rows += rows;
                part.first = part.first.min(first);
                part.last = part.last.max(last);
                part.first_sequence = part.first_sequence.min(first_sequence);
                part.last_sequence = part.last_sequence.max(last_sequence);
            }
            None => {
                self.meta.parts.push(Part { group, rows, first, last, first_sequence, last_sequence });
            }
        }
    }

    /// Ends the file and gives it its name: it is durable, but does not count
    /// until the log names it. `None`: nothing was added.
    pub fn finish(mut self) -> io::Result<Option<(SegmentMeta, Vec<StreamPart>)>> {
        self.end_block()?;
        if self.footer.blocks.is_empty() {
            self.files.remove(TEMPORARY)?;
            return Ok(None);
        }
        self.footer.streams = self.streams.into_values().collect();
        let end = self.footer.encode();
        self.file.write_at(&end, self.offset)?;
        self.meta.bytes = self.offset + end.len() as u64;
        self.file.sync_all()?;
        self.files.rename(TEMPORARY, &file_name(self.meta.id))?;
        self.files.sync_names()?;
        Ok(Some((self.meta, self.footer.streams)))
    }
}
