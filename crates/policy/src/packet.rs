//! A packet as the rules see it: the few header fields that decide.
//!
//! Plain data; whoever parses the bytes fills it in. A segment that offload
//! hardware has not split yet (GSO) is one packet with its whole payload.

use std::net::IpAddr;
use weir_types::net::{Direction, Protocol};

/// One packet at one network interface.
///
/// Invariant: `src` and `dst` are of one address family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet {
    /// Seen from the instance that owns the interface.
    pub direction: Direction,
    pub src: IpAddr,
    pub dst: IpAddr,
    /// The upper-layer protocol, after IPv6 extension headers.
    pub protocol: Protocol,
    /// TCP, UDP and SCTP; otherwise 0.
    pub src_port: u16,
    /// TCP, UDP and SCTP; otherwise 0.
    pub dst_port: u16,
    /// `Some` for ICMP and ICMPv6 unless `transport_absent`.
    pub icmp: Option<Icmp>,
    /// `Some` for TCP, except in later fragments, which carry no TCP header.
    pub tcp: Option<Tcp>,
    /// A later fragment (offset above 0) whose first fragment was not seen:
    /// ports and ICMP type are unknown, not 0. Means something only for
    /// protocols that have them. If the first fragment was seen, its ports (or
    /// `icmp`) are filled in here and this is false.
    pub transport_absent: bool,
}

/// Fields of an ICMP or ICMPv6 message. Source: RFC 792, RFC 4443.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Icmp {
    pub icmp_type: u8,
    pub icmp_code: u8,
    /// The identifier of an echo request or reply; otherwise 0.
    pub echo_id: u16,
    /// The packet that an error message quotes, if enough of it is there.
    pub quoted: Option<Quoted>,
}

/// The packet inside an ICMP error message, as its sender sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quoted {
    pub src: IpAddr,
    pub dst: IpAddr,
    pub protocol: Protocol,
    /// TCP, UDP and SCTP; the echo identifier for an ICMP echo; otherwise 0.
    pub src_port: u16,
    /// TCP, UDP and SCTP; the echo identifier for an ICMP echo; otherwise 0.
    pub dst_port: u16,
}

/// Fields of a TCP segment. Source: RFC 9293, section 3.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tcp {
    /// The flags byte of the header: the constants of this type, OR-ed.
    pub flags: u8,
    pub seq: u32,
    /// Meaningful only with [`Tcp::ACK`].
    pub ack: u32,
    /// Bytes after the TCP header.
    pub payload_len: u32,
}

impl Tcp {
    pub const FIN: u8 = 0x01;
    pub const SYN: u8 = 0x02;
    pub const RST: u8 = 0x04;
    pub const ACK: u8 = 0x10;

    pub fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The first packet of a connection: SYN without ACK, RST or FIN.
    pub fn is_pure_syn(self) -> bool {
        self.flags & (Self::FIN | Self::SYN | Self::RST | Self::ACK) == Self::SYN
    }

    /// The sequence number that a FIN of this segment occupies: it comes after
    /// the payload, and a SYN takes one number too (RFC 9293, section 3.4).
    pub fn fin_seq(self) -> u32 {
        self.seq.wrapping_add(self.payload_len).wrapping_add(u32::from(self.has(Self::SYN)))
    }
}

impl Packet {
    /// The end that rules speak of: the source of an ingress packet, the
    /// destination of an egress packet.
    pub fn peer(&self) -> IpAddr {
        match self.direction {
            Direction::Ingress => self.src,
            Direction::Egress => self.dst,
        }
    }

    /// Whether ports or ICMP type exist in this protocol but are unknown here.
    pub fn lacks_transport(&self) -> bool {
        self.transport_absent && (self.protocol.has_ports() || self.protocol.is_icmp())
    }

    /// IPv6 neighbour discovery and router discovery (RFC 4861: ICMPv6 types
    /// 133 to 137). Like ARP it passes unjudged: without it no IPv6 address of
    /// the link can be reached.
    pub fn is_neighbour_discovery(&self) -> bool {
        self.src.is_ipv6()
            && self.protocol == Protocol::ICMPV6
            && self.icmp.is_some_and(|icmp| matches!(icmp.icmp_type, 133..=137))
    }

    /// An ICMP message that reports on another packet: destination
    /// unreachable, source quench, redirect, time exceeded, parameter problem
    /// (RFC 792); types 1 to 4 of ICMPv6 (RFC 4443, section 2.1).
    pub fn is_icmp_error(&self) -> bool {
        let Some(icmp) = self.icmp else { return false };
        match self.protocol {
            Protocol::ICMP => matches!(icmp.icmp_type, 3 | 4 | 5 | 11 | 12),
            Protocol::ICMPV6 => matches!(icmp.icmp_type, 1..=4),
            _ => false,
        }
    }

    /// An echo request or reply: ICMP types 8 and 0, ICMPv6 types 128 and 129.
    pub fn is_echo(&self) -> bool {
        let Some(icmp) = self.icmp else { return false };
        match self.protocol {
            Protocol::ICMP => matches!(icmp.icmp_type, 8 | 0),
            Protocol::ICMPV6 => matches!(icmp.icmp_type, 128 | 129),
            _ => false,
        }
    }
}

/// 4 or 6.
pub(crate) fn family(address: IpAddr) -> u8 {
    if address.is_ipv4() { 4 } else { 6 }
}

/// The 16 bytes under which compiled rules and kernel maps know an address:
/// IPv4 as `::ffff:a.b.c.d` (RFC 4291, section 2.5.5.2).
pub fn mapped(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}
