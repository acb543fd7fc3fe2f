//! The footer of a segment: what its blocks hold and where.
//!
//! ```text
//! varint blocks | block* | varint streams | stream*
//! block   varint group, rows | signed first | varint last - first | varint first, last sequence
//!         | varint columns | column * (varint length | u32 crc32)
//! stream  varint id less the one before, rows, bytes | signed first | varint last - first
//! ```
//!
//! Blocks and their columns lie in the file one behind the other.

use super::bytes::{Bytes, signed, varint};
use crate::files::LogFile;
use std::io;

pub(super) const HEAD: &[u8; 8] = b"WEIRSEG\x01";
pub(super) const END: &[u8; 8] = b"WEIRSEGF";
/// Length, crc32 and [`END`].
const TRAILER: usize = 16;

#[derive(Debug, Default)]
pub(crate) struct Footer {
    pub blocks: Vec<BlockMeta>,
    /// Sorted by id.
    pub streams: Vec<StreamPart>,
}

#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct BlockMeta {
    pub group: u64,
    pub rows: usize,
    /// Both ends included, as are those of the sequences.
    pub first: i64,
    pub last: i64,
    pub first_sequence: u64,
    pub last_sequence: u64,
    pub columns: Vec<ColumnAt>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ColumnAt {
    pub offset: u64,
    pub length: usize,
    pub crc: u32,
}

/// What a segment has of a stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct StreamPart {
    pub id: u64,
    pub rows: u64,
    /// As AWS counts them.
    pub bytes: u64,
    pub first: i64,
    pub last: i64,
}

impl Footer {
    pub fn stream(&self, id: u64) -> Option<&StreamPart> {
        let at = self.streams.binary_search_by_key(&id, |stream| stream.id).ok()?;
        self.streams.get(at)
    }

    /// The footer with its trailer.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        varint(self.blocks.len() as u64, &mut out);
        for block in &self.blocks {
            varint(block.group, &mut out);
            varint(block.rows as u64, &mut out);
            signed(block.first, &mut out);
            varint(block.last.wrapping_sub(block.first) as u64, &mut out);
            varint(block.first_sequence, &mut out);
            varint(block.last_sequence, &mut out);
            varint(block.columns.len() as u64, &mut out);
            for column in &block.columns {
                varint(column.length as u64, &mut out);
                out.extend(column.crc.to_le_bytes());
            }
        }
        varint(self.streams.len() as u64, &mut out);
        let mut before = 0;
        for stream in &self.streams {
            varint(stream.id - before, &mut out);
            before = stream.id;
            varint(stream.rows, &mut out);
            varint(stream.bytes, &mut out);
            signed(stream.first, &mut out);
            varint(stream.last.wrapping_sub(stream.first) as u64, &mut out);
        }
        let crc = crc32fast::hash(&out);
        let length = out.len() as u32;
        out.extend(length.to_le_bytes());
        out.extend(crc.to_le_bytes());
        out.extend(END);
        out
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(bytes);
        let mut footer = Self::default();
        let mut offset = HEAD.len() as u64;
        for _ in 0..bytes.varint()? {
            let (group, rows) = (bytes.varint()?, bytes.length()?);
            let first = bytes.signed()?;
            let last = first.wrapping_add(bytes.varint()? as i64);
            let (first_sequence, last_sequence) = (bytes.varint()?, bytes.varint()?);
            let mut columns = Vec::new();
            for _ in 0..bytes.varint()? {
                let length = bytes.length()?;
                let crc = u32::from_le_bytes(bytes.take(4)?.try_into().ok()?);
                columns.push(ColumnAt { offset, length, crc });
                offset += length as u64;
            }
            footer.blocks.push(BlockMeta {
                group,
                rows,
                first,
                last,
                first_sequence,
                last_sequence,
                columns,
            });
        }
        let mut id = 0;
        for _ in 0..bytes.varint()? {
            id += bytes.varint()?;
            let (rows, size, first) = (bytes.varint()?, bytes.varint()?, bytes.signed()?);
            let last = first.wrapping_add(bytes.varint()? as i64);
            footer.streams.push(StreamPart { id, rows, bytes: size, first, last });
        }
        bytes.0.is_empty().then_some(footer)
    }
}

/// The footer of a file of this length; `None`: it is damaged.
pub(super) fn read(file: &dyn LogFile, length: u64) -> io::Result<Option<Footer>> {
    let Some(at) = length.checked_sub(TRAILER as u64) else { return Ok(None) };
    let mut trailer = [0; TRAILER];
    file.read_at(&mut trailer, at)?;
    let number = |at: usize| {
        let mut four = [0; 4];
        four.copy_from_slice(&trailer[at..at + 4]);
        u32::from_le_bytes(four)
    };
    let (size, crc) = (number(0), number(4));
    let Some(start) = at.checked_sub(u64::from(size)) else { return Ok(None) };
    if &trailer[8..] != END {
        return Ok(None);
    }
    let mut bytes = vec![0; size as usize];
    file.read_at(&mut bytes, start)?;
    Ok((crc32fast::hash(&bytes) == crc).then(|| Footer::decode(&bytes)).flatten())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::{Files, Memory};

    #[test]
    fn a_footer_round_trips_and_damage_is_noticed() {
        let column = ColumnAt { offset: 8, length: 300, crc: 9 };
        let footer = Footer {
            blocks: vec![BlockMeta {
                group: 7,
                rows: 12,
                first: -5,
                last: 1_700_000_000_000,
                first_sequence: 3,
                last_sequence: 900,
                columns: vec![column, ColumnAt { offset: 308, length: 0, crc: 0 }],
            }],
            streams: vec![
                StreamPart { id: 3, rows: 5, bytes: 700, first: -5, last: 4 },
                StreamPart { id: 90, rows: 7, bytes: 900, first: 0, last: 0 },
            ],
        };
        let bytes = footer.encode();
        let file = Memory::default().create("f").unwrap();
        for flipped in 0..=bytes.len() {
            let mut bytes = bytes.clone();
            if let Some(byte) = bytes.get_mut(flipped) {
                *byte ^= 0x10;
            }
            file.write_at(&bytes, 0).unwrap();
            let found = read(file.as_ref(), bytes.len() as u64);
            if flipped == bytes.len() {
                let found = found.unwrap().unwrap();
                assert_eq!(found.blocks, footer.blocks);
                assert_eq!(found.streams, footer.streams);
                assert_eq!(found.stream(90).unwrap().rows, 7);
                assert!(found.stream(4).is_none());
            } else {
                assert!(!matches!(found, Ok(Some(_))), "{flipped}");
            }
        }
    }
}
