//! Link layers: where in a frame the IP packet begins.
//!
//! Sources: the list of link types at tcpdump.org; IEEE 802.1Q; RFC 894.

use crate::packet::{Family, Frame, Unread};
use weir_types::net::Direction;

/// A link type that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// Up to two VLAN tags are looked through, as in live capture.
    Ethernet,
    /// IPv4 or IPv6, told by the version.
    Raw,
    /// Linux "any": the fields of the frame's own link layer, then its payload.
    Cooked,
    /// The same with the number of the device.
    Cooked2,
    /// Loopback of the BSDs: the address family, in either byte order.
    Null,
}

const VLAN: [u16; 2] = [0x8100, 0x88a8];

impl Link {
    /// The link type of this number.
    pub fn of(number: u16) -> Option<Self> {
        Some(match number {
            0 | 108 => Self::Null,
            1 => Self::Ethernet,
            // 12 and 14: what some systems write for 101.
            12 | 14 | 101 | 228 | 229 => Self::Raw,
            113 => Self::Cooked,
            276 => Self::Cooked2,
            _ => return None,
        })
    }

    /// Where the IP packet begins, and its version.
    ///
    /// # Errors
    /// [`Unread::Ignored`]: there is none. [`Unread::Cut`]: the capture ends before it.
    #[inline]
    pub(crate) fn locate(self, frame: Frame<'_>) -> Result<(usize, Family), Unread> {
        let word = |at: usize| frame.link::<2>(at).map(|bytes| u16::from_be_bytes(*bytes));
        let (mut ether_type, mut at) = match self {
            Self::Ethernet => (word(12)?, 14),
            Self::Cooked => (word(14)?, 16),
            Self::Cooked2 => (word(0)?, 20),
            Self::Raw => {
                let [first] = *frame.link::<1>(0)?;
                return match first >> 4 {
                    4 => Ok((0, Family::V4)),
                    6 => Ok((0, Family::V6)),
                    _ => Err(Unread::Ignored),
                };
            }
            Self::Null => {
                let bytes = *frame.link::<4>(0)?;
                let number = u32::from_le_bytes(bytes).min(u32::from_be_bytes(bytes));
                // AF_INET is 2 everywhere, AF_INET6 is not.
                return match number {
                    2 => Ok((4, Family::V4)),
                    10 | 24 | 28 | 30 => Ok((4, Family::V6)),
                    _ => Err(Unread::Ignored),
                };
            }
        };
        for _ in 0..2 {
            if !VLAN.contains(&ether_type) {
                break;
            }
            ether_type = word(at + 2)?;
            at += 4;
        }
        match ether_type {
            0x0800 => Ok((at, Family::V4)),
            0x86dd => Ok((at, Family::V6)),
            _ => Err(Unread::Ignored),
        }
    }

    /// Which way a cooked frame went: sent by the capturing host, or not.
    pub(crate) fn direction(self, frame: Frame<'_>) -> Option<Direction> {
        let kind = match self {
            Self::Cooked => *frame.data.get(1)?,
            Self::Cooked2 => *frame.data.get(10)?,
            Self::Ethernet | Self::Raw | Self::Null => return None,
        };
        // Source: packet(7), sll_pkttype: 4 is PACKET_OUTGOING.
        Some(if kind == 4 { Direction::Egress } else { Direction::Ingress })
    }

    /// Destination and source of an Ethernet frame.
    pub(crate) fn macs(self, frame: Frame<'_>) -> Option<([u8; 6], [u8; 6])> {
        let both = frame.data.first_chunk::<12>().filter(|_| self == Self::Ethernet)?;
        Some((*both.first_chunk()?, *both.last_chunk()?))
    }
}
