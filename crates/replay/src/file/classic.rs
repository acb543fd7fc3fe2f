//! pcap: a header of 24 bytes, then packets with headers of 16.

use super::{Buffer, CaptureInterface, FileError, MAX_RECORD, Order, Place};
use crate::link::Link;
use std::io::Read;

pub(super) const HEADER: usize = 24;

const NS: i64 = 1_000_000_000;

pub(super) struct Header {
    order: Order,
    /// Nanoseconds of a unit of a timestamp's fraction.
    fraction_ns: i64,
    /// Bytes before a packet's data.
    record: usize,
}

impl Header {
    /// `head`: the first [`HEADER`] bytes, or all there are.
    pub(super) fn read(head: &[u8]) -> Result<(Self, CaptureInterface), FileError> {
        if head.len() < HEADER {
            return Err(FileError::NotACapture);
        }
        let of = |order: Order| {
            let (fraction_ns, record) = match order.u32(head, 0) {
                0xa1b2_c3d4 => (1000, 16),
                0xa1b2_3c4d => (1, 16),
                // Patched libpcaps of the nineties: 8 more bytes a packet.
                0xa1b2_cd34 => (1000, 24),
                _ => return None,
            };
            Some(Self { order, fraction_ns, record })
        };
        let header = of(Order::Little).or_else(|| of(Order::Big)).ok_or(FileError::NotACapture)?;
        // The upper half says how long frame check sequences are.
        let link_type = header.order.u32(head, 20) as u16;
        let link = Link::of(link_type).ok_or(FileError::LinkType(link_type))?;
        Ok((header, CaptureInterface { name: None, link_type, link: Some(link) }))
    }

    #[inline]
    pub(super) fn advance<R: Read>(&self, buffer: &mut Buffer<R>) -> Result<Option<Place>, FileError> {
        if !buffer.fill(self.record)? {
            return if buffer.rest().is_empty() { Ok(None) } else { Err(buffer.cut_off()) };
        }
        let head = buffer.rest();
        let [seconds, fraction, len, wire_len] = [0, 4, 8, 12].map(|at| self.order.u32(head, at));
        let len = len as usize;
        if len > MAX_RECORD - self.record {
            return Err(buffer.damaged("a packet is longer than 4 MiB"));
        }
        if !buffer.fill(self.record + len)? {
            return Err(buffer.cut_off());
        }
        let at = buffer.at + self.record;
        buffer.pass(self.record + len);
        let time_ns = i64::from(seconds) * NS + i64::from(fraction) * self.fraction_ns;
        Ok(Some(Place { time_ns, interface: 0, at, len, wire_len, direction: None }))
    }
}
