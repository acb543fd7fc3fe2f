//! pcapng: blocks, each with its length at both ends.

use super::{Buffer, CaptureInterface, FileError, MAX_RECORD, Order, Place};
use crate::link::Link;
use std::io::Read;
use weir_types::net::Direction;

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;

/// Interfaces that all sections of a file may have together.
const MAX_INTERFACES: usize = 65_535;

const NS: i128 = 1_000_000_000;

/// Whether a file begins with a section header block.
pub(super) fn is_section(head: &[u8]) -> bool {
    Order::Little.u32(head, 0) == SECTION && order_of(head).is_some()
}

fn order_of(block: &[u8]) -> Option<Order> {
    [Order::Little, Order::Big].into_iter().find(|order| order.u32(block, 8) == 0x1a2b_3c4d)
}

/// The section that is being read.
pub(super) struct Section {
    order: Order,
    /// Of the section's first interface among all.
    first_interface: usize,
    /// Of the section's own.
    interfaces: Vec<Own>,
    /// Of the last packet that had a time.
    time_ns: i64,
}

/// What only the reading needs of an interface.
struct Own {
    snap_len: u32,
    ticks: Ticks,
    offset_s: i64,
}

/// How long a unit of a timestamp is.
#[derive(Clone, Copy)]
enum Ticks {
    /// A whole number of nanoseconds.
    Of(u64),
    /// So many a nanosecond.
    PerNs(u64),
    /// 2^n a second.
    Binary(u32),
}

impl Ticks {
    /// `if_tsresol`: a power of ten, or of two if the highest bit is set.
    fn of(resolution: u8) -> Self {
        let exponent = u32::from(resolution & 0x7f);
        match exponent {
            _ if resolution & 0x80 != 0 => Self::Binary(exponent),
            0..=9 => Self::Of(10u64.pow(9 - exponent)),
            _ => Self::PerNs(10u64.checked_pow(exponent - 9).unwrap_or(u64::MAX)),
        }
    }

    fn ns(self, count: u64) -> i64 {
        match self {
            Self::Of(ns) => i64::try_from(count.saturating_mul(ns)).unwrap_or(i64::MAX),
            Self::PerNs(count_a_ns) => i64::try_from(count / count_a_ns).unwrap_or(i64::MAX),
            Self::Binary(exponent) => i64::try_from((i128::from(count) * NS) >> exponent).unwrap_or(i64::MAX),
        }
    }
}

impl Default for Section {
    fn default() -> Self {
        Self { order: Order::Little, first_interface: 0, interfaces: Vec::new(), time_ns: 0 }
    }
}

impl Section {
    /// Reads on to the next packet.
    pub(super) fn advance<R: Read>(
        &mut self,
        buffer: &mut Buffer<R>,
        interfaces: &mut Vec<CaptureInterface>,
        lost: &mut u64,
    ) -> Result<Option<Place>, FileError> {
        loop {
            if !buffer.fill(12)? {
                return if buffer.rest().is_empty() { Ok(None) } else { Err(buffer.cut_off()) };
            }
            let head = buffer.rest();
            if self.order.u32(head, 0) == SECTION {
                self.order =
                    order_of(head).ok_or_else(|| buffer.damaged("a section of unknown byte order"))?;
                self.first_interface = interfaces.len();
                self.interfaces.clear();
            }
            let kind = self.order.u32(head, 0);
            let length = self.order.u32(head, 4) as usize;
            if length < 12 || !length.is_multiple_of(4) {
                return Err(buffer.damaged("a block of an impossible length"));
            }
            let is_wanted = matches!(
                kind,
                SECTION | INTERFACE | OBSOLETE_PACKET | SIMPLE_PACKET | STATISTICS | ENHANCED_PACKET
            );
            if !is_wanted {
                if !buffer.skip(length as u64)? {
                    return Err(buffer.cut_off());
                }
                continue;
            }
            if length > MAX_RECORD {
                return Err(buffer.damaged("a block is longer than 4 MiB"));
            }
            if !buffer.fill(length)? {
                return Err(buffer.cut_off());
            }
            let at = buffer.at;
            let block = buffer.rest().get(..length).unwrap_or_default();
            if self.order.u32(block, length - 4) as usize != length {
                return Err(buffer.damaged("the two lengths of a block differ"));
            }
            let place = match kind {
                SECTION if length >= 28 && self.order.u16(block, 12) == 1 => Ok(None),
                SECTION => Err("a section of an unknown version"),
                INTERFACE => self.interface(block, interfaces),
                STATISTICS => {
                    *lost += self.dropped(block);
                    Ok(None)
                }
                ENHANCED_PACKET => self.packet(block, self.order.u32(block, 8) as usize, 28),
                OBSOLETE_PACKET => self.packet(block, self.order.u16(block, 8).into(), 28),
                _ => self.simple(block),
            };
            match place {
                Ok(place) => {
                    buffer.pass(length);
                    if let Some(mut place) = place {
                        place.at += at;
                        return Ok(Some(place));
                    }
                }
                Err(problem) => return Err(buffer.damaged(problem)),
            }
        }
    }

    fn interface(
        &mut self,
        block: &[u8],
        interfaces: &mut Vec<CaptureInterface>,
    ) -> Result<Option<Place>, &'static str> {
        if block.len() < 20 {
            return Err("an interface description that is too short");
        }
        if interfaces.len() >= MAX_INTERFACES {
            return Err("more than 65,535 interfaces");
        }
        let link_type = self.order.u16(block, 8);
        let snap_len = self.order.u32(block, 12);
        let (mut name, mut resolution, mut offset_s) = (None, 6, 0);
        for (code, value) in self.options(block, 16) {
            match (code, value) {
                (2, name_value) => name = Some(String::from_utf8_lossy(name_value).into_owned()),
                (9, &[value, ..]) => resolution = value,
                (14, value) if value.len() == 8 => {
                    let halves = [self.order.u32(value, 0), self.order.u32(value, 4)].map(u64::from);
                    let [low, high] =
                        if self.order == Order::Little { halves } else { [halves[1], halves[0]] };
                    offset_s = (high << 32 | low).cast_signed();
                }
                _ => {}
            }
        }
        self.interfaces.push(Own { snap_len, ticks: Ticks::of(resolution), offset_s });
        interfaces.push(CaptureInterface { name, link_type, link: Link::of(link_type) });
        Ok(None)
    }

    /// An enhanced or obsolete packet: they differ in how they name the interface.
    #[inline]
    fn packet(&mut self, block: &[u8], index: usize, at: usize) -> Result<Option<Place>, &'static str> {
        let Some(own) = self.interfaces.get(index) else {
            return Err("a packet of an interface that is not described");
        };
        let [high, low, len, wire_len] = [12, 16, 20, 24].map(|at| self.order.u32(block, at));
        let len = len as usize;
        // The block's two lengths and its fixed part come before.
        let end = at + len.next_multiple_of(4);
        if len > block.len() || end + 4 > block.len() {
            return Err("a packet is longer than its block");
        }
        let ticks = u64::from(high) << 32 | u64::from(low);
        self.time_ns = own.ticks.ns(ticks).saturating_add(own.offset_s.saturating_mul(NS as i64));
        let direction = if block.len() > end + 4 { self.direction(block, end) } else { None };
        let interface = self.first_interface + index;
        Ok(Some(Place { time_ns: self.time_ns, interface, at, len, wire_len, direction }))
    }

    fn simple(&self, block: &[u8]) -> Result<Option<Place>, &'static str> {
        let Some(own) = self.interfaces.first() else {
            return Err("a packet of an interface that is not described");
        };
        let wire_len = self.order.u32(block, 8);
        let room = block.len().checked_sub(16).ok_or("a packet that is too short")?;
        let limit = if own.snap_len == 0 { u32::MAX } else { own.snap_len };
        let len = room.min(wire_len.min(limit) as usize);
        let interface = self.first_interface;
        Ok(Some(Place { time_ns: self.time_ns, interface, at: 12, len, wire_len, direction: None }))
    }

    /// The lowest two bits of a packet's flags.
    fn direction(&self, block: &[u8], options: usize) -> Option<Direction> {
        let flags = self.options(block, options).find(|(code, value)| *code == 2 && value.len() == 4);
        match self.order.u32(flags?.1, 0) & 3 {
            1 => Some(Direction::Ingress),
            2 => Some(Direction::Egress),
            _ => None,
        }
    }

    /// `isb_ifdrop` of interface statistics.
    fn dropped(&self, block: &[u8]) -> u64 {
        let dropped = self.options(block, 20).find(|(code, value)| *code == 5 && value.len() == 8);
        let Some((_, value)) = dropped else { return 0 };
        let halves = [self.order.u32(value, 0), self.order.u32(value, 4)].map(u64::from);
        let [low, high] = if self.order == Order::Little { halves } else { [halves[1], halves[0]] };
        // A file may say anything; nobody has lost more than that.
        (high << 32 | low).min(u64::from(u32::MAX))
    }

    /// The options from `at` to the end of the block, up to the first that is
    /// not whole.
    fn options<'b>(&self, block: &'b [u8], at: usize) -> impl Iterator<Item = (u16, &'b [u8])> {
        let order = self.order;
        let mut rest = block.get(at..block.len().saturating_sub(4)).unwrap_or_default();
        std::iter::from_fn(move || {
            let code = order.u16(rest, 0);
            let len = usize::from(order.u16(rest, 2));
            let value = rest.get(4..4 + len)?;
            rest = rest.get(4 + len.next_multiple_of(4)..).unwrap_or_default();
            (code != 0).then_some((code, value))
        })
    }
}
