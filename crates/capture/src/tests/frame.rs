//! Frames built by hand, with the fields that matter to the programs.

use std::net::IpAddr;

pub const TCP: u8 = 6;
pub const UDP: u8 = 17;
pub const ICMP: u8 = 1;
pub const ICMPV6: u8 = 58;

/// An Ethernet frame: link header, then `tags` (VLAN), then what it carries.
pub fn ethernet(tags: &[u16], ip: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    for (index, tag) in tags.iter().enumerate() {
        let kind: u16 = if index + 1 < tags.len() { 0x88A8 } else { 0x8100 };
        frame.extend(kind.to_be_bytes());
        frame.extend(tag.to_be_bytes());
    }
    let kind: u16 = if ip.first().is_some_and(|byte| byte >> 4 == 6) { 0x86DD } else { 0x0800 };
    frame.extend(kind.to_be_bytes());
    frame.extend(ip);
    frame
}

/// What an IPv4 header says beyond the ends.
#[derive(Default, Clone, Copy)]
pub struct V4<'a> {
    pub options: &'a [u8],
    pub id: u16,
    /// In bytes.
    pub offset: u16,
    pub more: bool,
}

pub fn ipv4(src: &str, dst: &str, protocol: u8, header: V4<'_>, payload: &[u8]) -> Vec<u8> {
    ipv4_between(address(src), address(dst), protocol, header, payload)
}

pub fn ipv4_between(src: IpAddr, dst: IpAddr, protocol: u8, header: V4<'_>, payload: &[u8]) -> Vec<u8> {
    let words = 5 + header.options.len() / 4;
    let total = (words * 4 + payload.len()) as u16;
    let fragment = (header.offset / 8) | if header.more { 0x2000 } else { 0 };
    let mut ip = vec![0x40 | words as u8, 0];
    ip.extend(total.to_be_bytes());
    ip.extend(header.id.to_be_bytes());
    ip.extend(fragment.to_be_bytes());
    ip.extend([64, protocol, 0, 0]);
    add_address(&mut ip, src);
    add_address(&mut ip, dst);
    ip.extend(header.options);
    ip.extend(payload);
    ip
}

/// `next` is the protocol of the first header in `payload`, extensions included.
pub fn ipv6(src: &str, dst: &str, next: u8, payload: &[u8]) -> Vec<u8> {
    ipv6_between(address(src), address(dst), next, payload)
}

pub fn ipv6_between(src: IpAddr, dst: IpAddr, next: u8, payload: &[u8]) -> Vec<u8> {
    let mut ip = vec![0x60, 0, 0, 0];
    ip.extend((payload.len() as u16).to_be_bytes());
    ip.extend([next, 64]);
    add_address(&mut ip, src);
    add_address(&mut ip, dst);
    ip.extend(payload);
    ip
}

/// An IPv6 packet or an IPv4 packet without options, as the addresses say.
pub fn ip(src: IpAddr, dst: IpAddr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    if src.is_ipv4() {
        ipv4_between(src, dst, protocol, V4::default(), payload)
    } else {
        ipv6_between(src, dst, protocol, payload)
    }
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap_or_else(|_| panic!("{text}"))
}

fn add_address(to: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(ip) => to.extend(ip.octets()),
        IpAddr::V6(ip) => to.extend(ip.octets()),
    }
}

/// An extension header of the general form: `units` of 8 bytes.
pub fn extension(next: u8, units: u8) -> Vec<u8> {
    let mut header = vec![0; usize::from(units) * 8];
    (header[0], header[1]) = (next, units - 1);
    header
}

/// An IPv6 fragment header (RFC 8200, section 4.5); `offset` in bytes.
pub fn fragment_header(next: u8, id: u32, offset: u16, more: bool) -> Vec<u8> {
    let mut header = vec![next, 0];
    header.extend((offset & 0xfff8 | u16::from(more)).to_be_bytes());
    header.extend(id.to_be_bytes());
    header
}

pub fn tcp(src_port: u16, dst_port: u16, flags: u8, seq: u32, ack: u32, payload: usize) -> Vec<u8> {
    let mut segment = Vec::new();
    segment.extend(src_port.to_be_bytes());
    segment.extend(dst_port.to_be_bytes());
    segment.extend(seq.to_be_bytes());
    segment.extend(ack.to_be_bytes());
    segment.extend([0x50, flags, 1, 0, 0, 0, 0, 0]);
    segment.resize(20 + payload, 0xaa);
    segment
}

pub fn udp(src_port: u16, dst_port: u16, payload: usize) -> Vec<u8> {
    let mut datagram = Vec::new();
    datagram.extend(src_port.to_be_bytes());
    datagram.extend(dst_port.to_be_bytes());
    datagram.extend((8 + payload as u16).to_be_bytes());
    datagram.resize(8 + payload, 0);
    datagram
}

pub fn icmp(kind: u8, code: u8, id: u16, payload: &[u8]) -> Vec<u8> {
    let mut message = vec![kind, code, 0, 0];
    message.extend(id.to_be_bytes());
    message.extend([0, 1]);
    message.extend(payload);
    message
}
