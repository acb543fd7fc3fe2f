//! Random rules and packets from a small world, so that packets meet rules,
//! connections and each other all the time.

use super::frame::{self, V4, ethernet, extension, fragment_header};
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use weir_policy::{Icmp, Packet, Quoted, Tcp};
use weir_types::id::{SecurityGroupId, SecurityGroupRuleId};
use weir_types::net::{Direction, IpNet, PortRange, Protocol};
use weir_types::rule::{AclRule, GroupRule, InterfaceRules, Match};

/// SplitMix64: enough chance for a test, and the same on every run.
pub struct Chance(pub u64);

impl Chance {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    /// True once in `n` times.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

const OWN: [&str; 4] = ["10.0.0.5", "10.0.0.6", "fd00::5", "fd00::6"];
const PEERS: [&str; 8] = [
    "10.0.0.9",
    "10.0.1.9",
    "192.0.2.1",
    "192.0.2.200",
    "fd00::9",
    "fd00:1::9",
    "2001:db8::1",
    "2001:db8::8001",
];
const PORTS: [u16; 6] = [0, 22, 53, 80, 1024, 65535];
const PROTOCOLS: [u8; 8] = [6, 6, 6, 17, 17, 132, 47, 1];

const BLOCKS: [&str; 12] = [
    "0.0.0.0/0",
    "0.0.0.0/0",
    "::/0",
    "::/0",
    "10.0.0.0/8",
    "10.0.1.0/24",
    "192.0.2.1/32",
    "192.0.2.128/25",
    "fd00::/16",
    "2001:db8::/112",
    "2001:db8::1/128",
    "10.0.0.9/32",
];

fn block(chance: &mut Chance) -> IpNet {
    chance.pick(&BLOCKS).parse().unwrap()
}

fn matches(chance: &mut Chance) -> Match {
    let ports = |chance: &mut Chance| {
        if chance.once_in(3) {
            return PortRange::ALL;
        }
        let (a, b) = (chance.pick(&PORTS), chance.pick(&PORTS));
        PortRange { first: a.min(b), last: a.max(b) }
    };
    match chance.below(8) {
        0 | 1 => Match::All,
        2..=4 => {
            let protocol = Protocol(chance.pick(&[6, 6, 17, 17, 132]));
            Match::Ports { protocol, ports: ports(chance) }
        }
        5 | 6 => {
            let protocol = chance.pick(&[Protocol::ICMP, Protocol::ICMPV6]);
            let kind = chance.pick(&[None, Some(0), Some(3), Some(8), Some(128), Some(1)]);
            Match::Icmp { protocol, icmp_type: kind, icmp_code: chance.pick(&[None, None, Some(0), Some(1)]) }
        }
        _ => Match::Protocol { protocol: Protocol(chance.pick(&[47, 6, 17, 1, 58])) },
    }
}

pub fn rules(chance: &mut Chance) -> InterfaceRules {
    let mut rules = InterfaceRules::default();
    // Half of the interfaces let nearly everything pass one of the two.
    let open = chance.once_in(2);
    let generous = chance.once_in(2);
    for direction in Direction::BOTH {
        for number in 0..chance.below(12) {
            rules.acl.push(AclRule {
                number: number as u16 * 10 + 1,
                direction,
                matches: matches(chance),
                peer: block(chance),
                allow: chance.below(3) > 0,
            });
        }
        if open {
            for (number, peer) in [(30000, "0.0.0.0/0"), (30001, "::/0")] {
                let peer = peer.parse().unwrap();
                rules.acl.push(AclRule { number, direction, matches: Match::All, peer, allow: true });
            }
        }
        if generous && chance.once_in(2) {
            rules.groups.push(GroupRule {
                group: SecurityGroupId::from_random(1),
                rule: SecurityGroupRuleId::from_random(99),
                direction,
                matches: Match::All,
                peers: ["10.0.0.0/8", "192.0.0.0/8", "fd00::/8", "2000::/3"]
                    .map(|b| b.parse().unwrap())
                    .to_vec(),
            });
        }
        // Some lists longer than one chunk.
        for index in 0..chance.pick(&[0, 1, 2, 3, 5, 9, 20]) {
            rules.groups.push(GroupRule {
                group: SecurityGroupId::from_random(1),
                rule: SecurityGroupRuleId::from_random(index),
                direction,
                matches: matches(chance),
                peers: (0..chance.below(4)).map(|_| block(chance)).collect(),
            });
        }
    }
    if chance.once_in(3) {
        rules.subnet_cidrs = vec!["10.0.0.0/24".parse().unwrap(), "fd00::/64".parse().unwrap()];
    }
    rules
}

/// A packet, its frame, and what counting it must give.
#[derive(Debug)]
pub struct Made {
    pub packet: Packet,
    pub frame: Vec<u8>,
    /// Bytes of payload a segment, and segments.
    pub gso: (u32, u32),
    pub packets: u64,
    pub bytes: u64,
}

/// Direction, ends, protocol and identification of a fragmented datagram.
type FragmentKey = (Direction, IpAddr, IpAddr, u8, u32);

/// What went before.
#[derive(Default)]
pub struct Past {
    /// What the programs remember of first fragments.
    fragments: HashMap<FragmentKey, (u16, u16, Option<Icmp>)>,
    /// The last few packets: most new ones go on with one of them.
    recent: VecDeque<Packet>,
}

struct Ends {
    src: IpAddr,
    dst: IpAddr,
}

impl Past {
    fn remember(&mut self, packet: Packet) {
        self.recent.push_back(packet);
        if self.recent.len() > 6 {
            self.recent.pop_front();
        }
    }

    /// One of the last packets, or the answer to it.
    fn continued(&self, chance: &mut Chance) -> Option<Packet> {
        if self.recent.is_empty() || chance.once_in(4) {
            return None;
        }
        let mut packet = self.recent[chance.below(self.recent.len())];
        if chance.once_in(2) {
            // The same ends, but the packet goes the way it came: it happens.
            if chance.below(6) > 0 {
                packet.direction = packet.direction.opposite();
            }
            std::mem::swap(&mut packet.src, &mut packet.dst);
            std::mem::swap(&mut packet.src_port, &mut packet.dst_port);
        }
        (packet.icmp, packet.tcp, packet.transport_absent) = (None, None, false);
        Some(packet)
    }

    /// What the other end of a TCP packet would acknowledge: its last FIN, or
    /// not quite.
    fn acknowledgement(&self, chance: &mut Chance, packet: &Packet) -> Option<u32> {
        let tcp = self.recent.iter().rev().find_map(|p| {
            let answered = (p.src, p.src_port, p.direction)
                == (packet.dst, packet.dst_port, packet.direction.opposite());
            p.tcp.filter(|tcp| answered && tcp.has(Tcp::FIN))
        })?;
        Some(tcp.fin_seq().wrapping_add(chance.below(3) as u32))
    }
}

fn ends(chance: &mut Chance, direction: Direction) -> Ends {
    let own: IpAddr = chance.pick(&OWN).parse().unwrap();
    let peer = loop {
        let peer: IpAddr = chance.pick(&PEERS).parse().unwrap();
        if peer.is_ipv4() == own.is_ipv4() {
            break peer;
        }
    };
    // Now and then a packet that goes the wrong way, or to itself.
    match (direction, chance.below(40)) {
        (_, 0) => Ends { src: own, dst: own },
        (Direction::Ingress, 1) | (Direction::Egress, 2..) => Ends { src: own, dst: peer },
        (Direction::Egress, _) | (Direction::Ingress, _) => Ends { src: peer, dst: own },
    }
}

/// The transport header with its payload, and the packet's fields of it.
fn transport(chance: &mut Chance, packet: &mut Packet, header: &mut usize, past: &Past) -> Vec<u8> {
    let payload = chance.pick(&[0, 0, 1, 10, 100]);
    let v6 = packet.src.is_ipv6();
    match packet.protocol {
        Protocol::TCP => {
            let flags = chance.pick(&[
                0x02, 0x02, 0x12, 0x10, 0x10, 0x10, 0x18, 0x11, 0x11, 0x19, 0x14, 0x04, 0x01, 0x03, 0x00,
            ]);
            // Close together, so that some acknowledge a FIN and some do not.
            let near = |chance: &mut Chance| 0xffff_fff0u32.wrapping_add(chance.below(64) as u32);
            let seq = near(chance);
            let ack = past.acknowledgement(chance, packet).unwrap_or_else(|| near(chance));
            packet.tcp = Some(Tcp { flags, seq, ack, payload_len: payload as u32 });
            *header = 20;
            frame::tcp(packet.src_port, packet.dst_port, flags, seq, ack, payload)
        }
        Protocol::UDP | Protocol::SCTP => {
            *header = if packet.protocol == Protocol::UDP { 8 } else { 12 };
            let mut datagram = frame::udp(packet.src_port, packet.dst_port, payload);
            if packet.protocol == Protocol::SCTP {
                datagram.extend([0; 4]);
            }
            datagram
        }
        Protocol::ICMP | Protocol::ICMPV6 => {
            let types: &[u8] =
                if v6 { &[128, 128, 129, 129, 1, 2, 3, 4, 130, 135] } else { &[8, 8, 0, 0, 3, 11, 5, 13] };
            let mut icmp = Icmp {
                icmp_type: chance.pick(types),
                icmp_code: chance.pick(&[0, 0, 1]),
                echo_id: 0,
                quoted: None,
            };
            packet.icmp = Some(icmp);
            *header = 8;
            let (mut id, mut body) = (0, vec![0; payload]);
            if packet.is_echo() {
                id = chance.pick(&[1, 2, 3]);
                icmp.echo_id = id;
            } else if packet.is_icmp_error() {
                (icmp.quoted, body) = quote(chance, v6, past);
            }
            packet.icmp = Some(icmp);
            frame::icmp(icmp.icmp_type, icmp.icmp_code, id, &body)
        }
        _ => {
            *header = 0;
            vec![0; payload]
        }
    }
}

/// A packet of the same world, quoted as in an ICMP error; sometimes too little.
fn quote(chance: &mut Chance, v6: bool, past: &Past) -> (Option<Quoted>, Vec<u8>) {
    let mut ends = loop {
        let direction = chance.pick(&Direction::BOTH);
        let ends = ends(chance, direction);
        if ends.src.is_ipv6() == v6 {
            break ends;
        }
    };
    let mut protocol = Protocol(chance.pick(&[6, 17, 17, if v6 { 58 } else { 1 }]));
    let (mut src_port, mut dst_port) = (chance.pick(&PORTS), chance.pick(&PORTS));
    let known = past
        .recent
        .iter()
        .find(|p| p.src.is_ipv6() == v6 && (p.protocol == Protocol::TCP || p.protocol == Protocol::UDP));
    if let Some(packet) = known.filter(|_| !chance.once_in(4)) {
        (ends.src, ends.dst, protocol) = (packet.src, packet.dst, packet.protocol);
        (src_port, dst_port) = (packet.src_port, packet.dst_port);
    }
    let body = match protocol {
        Protocol::TCP => frame::tcp(src_port, dst_port, 2, 0, 0, 0)[..8].to_vec(),
        Protocol::UDP => frame::udp(src_port, dst_port, 0),
        _ => {
            (src_port, dst_port) = (2, 2);
            frame::icmp(if v6 { 128 } else { 8 }, 0, 2, &[])
        }
    };
    let mut bytes = frame::ip(ends.src, ends.dst, protocol.0, &body);
    let quoted = Quoted { src: ends.src, dst: ends.dst, protocol, src_port, dst_port };
    if chance.once_in(8) {
        bytes.truncate(bytes.len() - 1);
        return (None, bytes);
    }
    (Some(quoted), bytes)
}

pub fn packet(chance: &mut Chance, past: &mut Past) -> Made {
    let mut packet = past.continued(chance).unwrap_or_else(|| {
        let direction = chance.pick(&Direction::BOTH);
        let Ends { src, dst } = ends(chance, direction);
        let protocol = Protocol(match chance.pick(&PROTOCOLS) {
            1 if src.is_ipv6() => 58,
            other => other,
        });
        let (mut src_port, mut dst_port) = (0, 0);
        if protocol.has_ports() {
            (src_port, dst_port) = (chance.pick(&PORTS), chance.pick(&PORTS));
        }
        let (icmp, tcp, transport_absent) = (None, None, false);
        Packet { direction, src, dst, protocol, src_port, dst_port, icmp, tcp, transport_absent }
    });
    let Packet { direction, src, dst, protocol: Protocol(protocol), .. } = packet;
    let v6 = src.is_ipv6();
    let mut header = 0;
    let mut body = transport(chance, &mut packet, &mut header, past);
    past.remember(packet);
    let fragment = match chance.below(20) {
        0 => Some(true),
        1 => Some(false),
        _ => None,
    };
    let id = chance.below(4) as u32;
    let key = (direction, src, dst, protocol, id);
    match fragment {
        Some(true) => {
            past.fragments.insert(key, (packet.src_port, packet.dst_port, packet.icmp));
        }
        Some(false) => {
            // A later fragment: no header of its own.
            body = vec![0x55; 64];
            (packet.src_port, packet.dst_port, packet.icmp, packet.tcp, header) = (0, 0, None, None, 0);
            match past.fragments.get(&key) {
                Some(&(src_port, dst_port, icmp)) => {
                    (packet.src_port, packet.dst_port) = (src_port, dst_port);
                    packet.icmp = icmp.map(|icmp| Icmp { quoted: None, ..icmp });
                }
                None => packet.transport_absent = true,
            }
        }
        None => {}
    }
    let offset = if fragment == Some(false) { 1024 } else { 0 };
    let ip = if v6 {
        let mut chain = Vec::new();
        let mut first = protocol;
        if fragment.is_some() {
            chain = fragment_header(protocol, id, offset, fragment == Some(true));
            first = 44;
        }
        for _ in 0..chance.pick(&[0, 0, 0, 1, 2]) {
            chain.splice(0..0, extension(first, chance.pick(&[1, 2])));
            first = chance.pick(&[0, 60, 43]);
        }
        header += 40 + chain.len();
        chain.extend(&body);
        frame::ipv6(&src.to_string(), &dst.to_string(), first, &chain)
    } else {
        let options = [1u8; 12];
        let options = &options[..chance.pick(&[0, 0, 4, 12])];
        header += 20 + options.len();
        let more = fragment == Some(true);
        let fields = V4 { options, id: id as u16, offset, more };
        frame::ipv4(&src.to_string(), &dst.to_string(), protocol, fields, &body)
    };
    let (length, headers) = (ip.len() as u64, header as u64);
    let tags: &[u16] = chance.pick(&[&[][..], &[], &[5], &[5, 6]]);
    let mut frame = ethernet(tags, &ip);
    let (mut gso, mut packets) = ((0, 0), 1);
    if fragment.is_none() && length > headers && chance.once_in(10) {
        // 0 segments: the size tells how many.
        let size = chance.pick(&[1, 7, 50]);
        packets = (length - headers).div_ceil(size);
        gso = (size as u32, if chance.once_in(2) { 0 } else { packets as u32 });
    } else if frame.len() < 60 {
        // Link padding, which no datagram owns.
        frame.resize(60, 0xee);
    }
    Made { packet, frame, gso, packets, bytes: length + (packets - 1) * headers }
}
