//! Capture files: packets out of pcap and pcapng, one after the other, from
//! any reader, in constant memory.
//!
//! | Format | What is read |
//! |---|---|
//! | pcap | both byte orders, microseconds and nanoseconds, Kuznetzov's longer headers |
//! | pcapng | any number of sections and interfaces, either byte order; section headers, interface descriptions (name, time resolution, time offset), enhanced, simple and obsolete packets; other blocks are passed over |
//!
//! Not for: compression (give it what comes out), what packets hold.
//!
//! This code is our own because the crate for the format that was looked at,
//! pcap-parser 0.17, reads neither obsolete packet blocks nor Kuznetzov's headers,
//! and makes a vector of options for every enhanced packet.
//!
//! Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
//!
//! Invariants: a packet never reaches beyond its record; what a file claims
//! never makes the buffer larger than [`MAX_RECORD`]; after an error there is
//! nothing more.

mod classic;
mod next;

use crate::link::Link;
use std::io::{self, Read};
use weir_types::net::Direction;

/// The longest record of a packet: far more than any writer of captures makes.
pub const MAX_RECORD: usize = 4 << 20;

const BUFFER: usize = 1 << 18;

/// Why a file cannot be read, or not further.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("is not a packet capture: it begins neither like pcap nor like pcapng")]
    NotACapture,
    #[error("its link type {0} cannot be read: Ethernet, raw IP, Linux cooked and loopback can")]
    LinkType(u16),
    #[error("ends in the middle of a packet (byte {offset}): what comes before is read")]
    CutOff { offset: u64 },
    #[error("is damaged at byte {offset}: {problem}; what comes before is read")]
    Damaged { offset: u64, problem: &'static str },
    #[error("cannot be read further")]
    Io(#[from] io::Error),
}

/// An interface that was captured on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureInterface {
    /// `eth0`; only pcapng knows it.
    pub name: Option<String>,
    /// The number of the link type, as tcpdump.org lists them.
    pub link_type: u16,
    /// `None`: not one that can be read.
    pub link: Option<Link>,
}

/// A packet as the file has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Captured<'a> {
    /// Since 1970. A simple packet of pcapng has no time: that of the one before it.
    pub time_ns: i64,
    /// Counts from 0 over all sections of the file.
    pub interface: usize,
    pub on: &'a CaptureInterface,
    pub data: &'a [u8],
    /// The packet's length before the capture cut it; never less than `data`'s.
    pub wire_len: usize,
    /// Which way it went, if the file says so.
    pub direction: Option<Direction>,
}

/// Where a packet lies in the buffer.
struct Place {
    time_ns: i64,
    interface: usize,
    at: usize,
    len: usize,
    wire_len: u32,
    direction: Option<Direction>,
}

enum Format {
    /// Nothing has been read.
    New,
    Classic(classic::Header),
    Next(next::Section),
    Over,
}

/// Reads packets one by one.
pub struct Reader<R> {
    buffer: Buffer<R>,
    format: Format,
    interfaces: Vec<CaptureInterface>,
    /// Packets that the capturing program says it lost (pcapng only).
    lost: u64,
}

impl<R: Read> Reader<R> {
    pub fn new(source: R) -> Self {
        Self { buffer: Buffer::new(source), format: Format::New, interfaces: Vec::new(), lost: 0 }
    }

    /// Packets that the capturing program says it dropped, as far as it says so
    /// (interface statistics of pcapng).
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// What it read from.
    pub fn into_source(self) -> R {
        self.buffer.source
    }

    /// The next packet; `None` at the end.
    ///
    /// # Errors
    /// The file ends in a packet, is damaged, or cannot be read. What came
    /// before is good; nothing comes after.
    pub fn next_packet(&mut self) -> Result<Option<Captured<'_>>, FileError> {
        let place = match self.advance() {
            Ok(Some(place)) => place,
            over => {
                self.format = Format::Over;
                over?;
                return Ok(None);
            }
        };
        let data = self.buffer.bytes.get(place.at..place.at + place.len).unwrap_or_default();
        let Some(on) = self.interfaces.get(place.interface) else { return Ok(None) };
        Ok(Some(Captured {
            on,
            time_ns: place.time_ns,
            interface: place.interface,
            data,
            wire_len: (place.wire_len as usize).max(data.len()),
            direction: place.direction,
        }))
    }

    fn advance(&mut self) -> Result<Option<Place>, FileError> {
        if let Format::New = self.format {
            self.begin()?;
        }
        match &mut self.format {
            Format::Classic(header) => header.advance(&mut self.buffer),
            Format::Next(section) => section.advance(&mut self.buffer, &mut self.interfaces, &mut self.lost),
            Format::New | Format::Over => Ok(None),
        }
    }

    fn begin(&mut self) -> Result<(), FileError> {
        self.buffer.fill(classic::HEADER)?;
        let head = self.buffer.rest();
        if next::is_section(head) {
            self.format = Format::Next(next::Section::default());
        } else {
            let (header, interface) = classic::Header::read(head)?;
            self.buffer.pass(classic::HEADER);
            self.interfaces.push(interface);
            self.format = Format::Classic(header);
        }
        Ok(())
    }
}

/// A window on the source that moves forwards.
struct Buffer<R> {
    source: R,
    bytes: Vec<u8>,
    at: usize,
    end: usize,
    /// Of the first of `bytes` in the source.
    offset: u64,
}

impl<R: Read> Buffer<R> {
    fn new(source: R) -> Self {
        Self { source, bytes: vec![0; BUFFER], at: 0, end: 0, offset: 0 }
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..self.end).unwrap_or_default()
    }

    /// Where [`rest`](Self::rest) begins in the source.
    fn offset(&self) -> u64 {
        self.offset + self.at as u64
    }

    fn pass(&mut self, count: usize) {
        self.at = (self.at + count).min(self.end);
    }

    /// Makes sure that `count` bytes, [`MAX_RECORD`] at most, are in `rest`;
    /// false: the source ends before.
    #[inline]
    fn fill(&mut self, count: usize) -> io::Result<bool> {
        if self.end - self.at >= count {
            return Ok(true);
        }
        self.refill(count)
    }

    #[cold]
    fn refill(&mut self, count: usize) -> io::Result<bool> {
        self.bytes.copy_within(self.at..self.end, 0);
        self.offset += self.at as u64;
        self.end -= self.at;
        self.at = 0;
        if self.bytes.len() < count {
            self.bytes.resize(count.min(MAX_RECORD), 0);
        }
        while self.end < count {
            match self.source.read(&mut self.bytes[self.end..]) {
                Ok(0) => return Ok(false),
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Passes over bytes that need not be in memory together; false: the source
    /// ends before.
    fn skip(&mut self, mut count: u64) -> io::Result<bool> {
        while count > 0 {
            if !self.fill(1)? {
                return Ok(false);
            }
            let step = count.min(self.rest().len() as u64);
            self.at += step as usize;
            count -= step;
        }
        Ok(true)
    }

    fn cut_off(&self) -> FileError {
        FileError::CutOff { offset: self.offset() }
    }

    fn damaged(&self, problem: &'static str) -> FileError {
        FileError::Damaged { offset: self.offset(), problem }
    }
}

/// Numbers in the byte order of whoever wrote them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Little,
    Big,
}

impl Order {
    /// The two bytes at `at`; 0 where there are none.
    fn u16(self, bytes: &[u8], at: usize) -> u16 {
        let bytes = bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
        match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }
    }

    /// The four bytes at `at`; 0 where there are none.
    fn u32(self, bytes: &[u8], at: usize) -> u32 {
        let bytes = bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }
}
