//! The user-space packet decoder: an IP packet in a frame to what is counted
//! and what rules see.
//!
//! It reads as the eBPF program does (`crates/capture/bpf/parse.h`), and a
//! differential test in crate `capture` gives both the same frames: IPv4
//! options, up to eight IPv6 extension headers, fragments, the first bytes of
//! TCP, UDP, SCTP and ICMP; every other protocol has ports 0.
//!
//! A capture may have cut packets. Then the lengths are those of the headers
//! and of the capture's own note, and only the bytes that say something must be
//! there (4 of UDP, 14 of TCP); a packet cut before them is [`Unread::Cut`]
//! and never guessed at. What segmentation offload glued together before it
//! was captured counts as the one packet the capture has.
//!
//! Not for: link layers (`crate::link`), matching fragments (`crate::fragments`).

mod ip;
mod transport;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use weir_policy::{Icmp, Packet, Quoted, Tcp};
use weir_types::net::{Direction, Protocol};

/// Headers end before this offset; a chain that goes on is malformed.
const MAX_OFFSET: usize = 16_384;

/// A frame as a capture has it.
///
/// Invariant: `data` is not longer than `wire_len`.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    pub(crate) data: &'a [u8],
    pub(crate) wire_len: usize,
}

/// Why a packet is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// It is not IP, or IPv6 neighbour discovery, which live capture passes over too.
    Ignored,
    /// A header is cut off on the wire, or contradicts itself.
    Malformed,
    /// The capture ends before what is needed.
    Cut,
}

impl<'a> Frame<'a> {
    pub fn new(data: &'a [u8], wire_len: usize) -> Self {
        Self { data, wire_len: wire_len.max(data.len()) }
    }

    /// `N` bytes at `at`, of a header of which `whole` bytes must be on the wire.
    #[inline]
    fn load<const N: usize>(self, at: usize, whole: usize) -> Result<&'a [u8; N], Unread> {
        let bytes = self.data.get(at..).and_then(|rest| rest.first_chunk());
        match bytes {
            Some(bytes) if at + whole <= self.wire_len && at <= MAX_OFFSET => Ok(bytes),
            _ if at + whole > self.wire_len || at > MAX_OFFSET => Err(Unread::Malformed),
            _ => Err(Unread::Cut),
        }
    }

    /// `N` bytes of a link header: a frame without them carries nothing.
    #[inline]
    pub(crate) fn link<const N: usize>(self, at: usize) -> Result<&'a [u8; N], Unread> {
        self.load(at, N).map_err(|unread| if unread == Unread::Cut { unread } else { Unread::Ignored })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Whole,
    FirstFragment,
    LaterFragment,
}

/// What the headers of one IP packet say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Headers {
    /// IPv4 as `::ffff:a.b.c.d`.
    pub src: u128,
    pub dst: u128,
    pub family: Family,
    /// After extension headers; of a later IPv6 fragment the one that the first
    /// fragment begins with.
    pub protocol: Protocol,
    pub src_port: u16,
    pub dst_port: u16,
    pub echo_id: u16,
    pub icmp_type: u8,
    pub icmp_code: u8,
    /// As on the wire.
    pub tcp_flags: u8,
    pub seq: u32,
    pub ack: u32,
    pub part: Part,
    pub fragment_id: u32,
    pub fragment_protocol: u8,
    /// Ports and ICMP type are not known.
    pub is_absent: bool,
    /// Offsets in the frame of what follows the IP and the transport header.
    transport: usize,
    payload: usize,
    /// Of the datagram, as its header states it; 0: not stated.
    total_len: usize,
}

/// One packet, read.
#[derive(Debug, Clone, Copy)]
pub struct Datagram {
    pub(crate) headers: Headers,
    /// Of the IP packet, link padding left out.
    pub(crate) bytes: u32,
    payload_len: u32,
}

impl Datagram {
    /// Reads the IP packet at `at` of a frame.
    ///
    /// # Errors
    /// The packet is malformed, or cut before what is needed.
    #[inline]
    pub fn read(frame: Frame<'_>, at: usize, family: Family) -> Result<Self, Unread> {
        let headers = Headers::read(frame, at, family, false)?;
        let mut length = frame.wire_len.saturating_sub(at);
        if headers.total_len != 0 && headers.total_len < length {
            length = headers.total_len;
        }
        // The datagram ends inside its own headers.
        let payload_len = length.checked_sub(headers.payload - at).ok_or(Unread::Malformed)?;
        // Lengths of captured packets are 32-bit numbers.
        Ok(Self { headers, bytes: length as u32, payload_len: payload_len as u32 })
    }

    /// Bytes of the IP packet.
    pub fn bytes(&self) -> u32 {
        self.bytes
    }

    #[inline]
    pub(crate) fn is_fragment(&self) -> bool {
        self.headers.part != Part::Whole
    }

    /// IPv6 neighbour and router discovery (RFC 4861).
    #[inline]
    pub(crate) fn is_neighbour_discovery(&self) -> bool {
        let headers = &self.headers;
        headers.family == Family::V6
            && headers.protocol == Protocol::ICMPV6
            && !headers.is_absent
            && (133..=137).contains(&headers.icmp_type)
    }

    /// TCP flags as AWS reports them: FIN 1, SYN 2, RST 4, SYN-ACK 18.
    #[inline]
    pub(crate) fn reported_flags(&self) -> u8 {
        let flags = self.headers.tcp_flags;
        let both = Tcp::SYN | Tcp::ACK;
        flags & 7 | if flags & both == both { Tcp::ACK } else { 0 }
    }

    /// The packet as rules see it. `frame` is the one it was read from.
    pub fn packet(&self, frame: Frame<'_>, direction: Direction) -> Packet {
        let headers = &self.headers;
        let mut packet = Packet {
            direction,
            src: address(headers.src, headers.family),
            dst: address(headers.dst, headers.family),
            protocol: headers.protocol,
            src_port: headers.src_port,
            dst_port: headers.dst_port,
            icmp: None,
            tcp: None,
            transport_absent: headers.is_absent,
        };
        if headers.protocol == Protocol::TCP && headers.part != Part::LaterFragment {
            packet.tcp = Some(Tcp {
                flags: headers.tcp_flags,
                seq: headers.seq,
                ack: headers.ack,
                payload_len: self.payload_len,
            });
        }
        if headers.protocol.is_icmp() && !headers.is_absent {
            packet.icmp = Some(Icmp {
                icmp_type: headers.icmp_type,
                icmp_code: headers.icmp_code,
                echo_id: headers.echo_id,
                quoted: None,
            });
        }
        if packet.is_icmp_error() && headers.part != Part::LaterFragment {
            let quoted = self.quoted(frame);
            if let Some(icmp) = &mut packet.icmp {
                icmp.quoted = quoted;
            }
        }
        packet
    }

    fn quoted(&self, frame: Frame<'_>) -> Option<Quoted> {
        let is_v4 = self.headers.protocol == Protocol::ICMP;
        let family = if is_v4 { Family::V4 } else { Family::V6 };
        let headers = Headers::read(frame, self.headers.payload, family, true).ok()?;
        let port = |port: u16| if headers.protocol.is_icmp() { headers.echo_id } else { port };
        (!headers.is_absent).then(|| Quoted {
            src: address(headers.src, family),
            dst: address(headers.dst, family),
            protocol: headers.protocol,
            src_port: port(headers.src_port),
            dst_port: port(headers.dst_port),
        })
    }
}

/// The address that 16 bytes stand for.
pub(crate) fn address(bytes: u128, family: Family) -> IpAddr {
    match family {
        // The low half of the mapped address.
        Family::V4 => IpAddr::V4(Ipv4Addr::from_bits(bytes as u32)),
        Family::V6 => IpAddr::V6(Ipv6Addr::from_bits(bytes)),
    }
}

/// The 16 bytes that stand for an address.
pub(crate) fn bits(address: IpAddr) -> u128 {
    u128::from_be_bytes(weir_policy::packet::mapped(address))
}
