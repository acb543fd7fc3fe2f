//! Random rules and packets from a small world, so that packets meet rules,
//! connections and each other all the time.

use super::sequence::{Fragment, Fragments, Made, Quote, Sent};
use std::collections::VecDeque;
use std::net::IpAddr;
use weir_policy::{Packet, Tcp};
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
        let most = chance.pick(&[12, 12, 12, 12, 12, 12, 12, 40]);
        for number in 0..chance.below(most) {
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
        // Some lists longer than one chunk, which have an index.
        for index in 0..chance.pick(&[0, 0, 1, 1, 2, 2, 3, 3, 5, 5, 9, 9, 20, 20, 90]) {
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

/// What went before.
#[derive(Default)]
pub struct Past {
    /// What the programs remember of first fragments.
    fragments: Fragments,
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
        Some(packet)
    }

    /// What the other end of a TCP packet would acknowledge: its last FIN, or
    /// not quite.
    fn acknowledgement(&self, chance: &mut Chance, sent: &Sent) -> Option<u32> {
        let tcp = self.recent.iter().rev().find_map(|p| {
            let answered =
                (p.src, p.src_port, p.direction) == (sent.dst, sent.dst_port, sent.direction.opposite());
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

/// The fields of the transport header.
fn transport(chance: &mut Chance, sent: &mut Sent, past: &Past) {
    sent.payload = chance.pick(&[0, 0, 1, 10, 100]);
    let v6 = sent.src.is_ipv6();
    match Protocol(sent.protocol) {
        Protocol::TCP => {
            let flags = chance.pick(&[
                0x02, 0x02, 0x12, 0x10, 0x10, 0x10, 0x18, 0x11, 0x11, 0x19, 0x14, 0x04, 0x01, 0x03, 0x00,
            ]);
            // Close together, so that some acknowledge a FIN and some do not.
            let near = |chance: &mut Chance| 0xffff_fff0u32.wrapping_add(chance.below(64) as u32);
            let seq = near(chance);
            let ack = past.acknowledgement(chance, sent).unwrap_or_else(|| near(chance));
            sent.tcp = (flags, seq, ack);
        }
        Protocol::ICMP | Protocol::ICMPV6 => {
            let types: &[u8] =
                if v6 { &[128, 128, 129, 129, 1, 2, 3, 4, 130, 135] } else { &[8, 8, 0, 0, 3, 11, 5, 13] };
            sent.icmp = (chance.pick(types), chance.pick(&[0, 0, 1]), 0);
            let packet = sent.whole_packet();
            if packet.is_echo() {
                sent.icmp.2 = chance.pick(&[1, 2, 3]);
            } else if packet.is_icmp_error() {
                sent.quoted = Some(quote(chance, v6, past));
            }
        }
        _ => {}
    }
}

/// A packet of the same world, quoted as in an ICMP error; sometimes too little.
fn quote(chance: &mut Chance, v6: bool, past: &Past) -> Quote {
    let ends = loop {
        let direction = chance.pick(&Direction::BOTH);
        let ends = ends(chance, direction);
        if ends.src.is_ipv6() == v6 {
            break ends;
        }
    };
    let protocol = chance.pick(&[6, 17, 17, if v6 { 58 } else { 1 }]);
    let (src_port, dst_port) = (chance.pick(&PORTS), chance.pick(&PORTS));
    let mut quote = Quote { src: ends.src, dst: ends.dst, protocol, src_port, dst_port, is_cut: false };
    let known = past
        .recent
        .iter()
        .find(|p| p.src.is_ipv6() == v6 && (p.protocol == Protocol::TCP || p.protocol == Protocol::UDP));
    if let Some(packet) = known.filter(|_| !chance.once_in(4)) {
        (quote.src, quote.dst, quote.protocol) = (packet.src, packet.dst, packet.protocol.0);
        (quote.src_port, quote.dst_port) = (packet.src_port, packet.dst_port);
    }
    if !matches!(quote.protocol, 6 | 17) {
        // The identifier of an echo request.
        (quote.src_port, quote.dst_port) = (2, 2);
    }
    quote.is_cut = chance.once_in(8);
    quote
}

/// The next packet of a conversation.
pub fn sent(chance: &mut Chance, past: &mut Past) -> Sent {
    let mut sent = match past.continued(chance) {
        Some(p) => Sent::new(p.direction, (p.src, p.src_port), (p.dst, p.dst_port), p.protocol.0),
        None => {
            let direction = chance.pick(&Direction::BOTH);
            let Ends { src, dst } = ends(chance, direction);
            let protocol = match chance.pick(&PROTOCOLS) {
                1 if src.is_ipv6() => 58,
                other => other,
            };
            let (mut src_port, mut dst_port) = (0, 0);
            if Protocol(protocol).has_ports() {
                (src_port, dst_port) = (chance.pick(&PORTS), chance.pick(&PORTS));
            }
            Sent::new(direction, (src, src_port), (dst, dst_port), protocol)
        }
    };
    transport(chance, &mut sent, past);
    past.remember(sent.whole_packet());
    sent.fragment = match chance.below(20) {
        0 => Fragment::First,
        1 => Fragment::Later,
        _ => Fragment::None,
    };
    sent.id = chance.below(4) as u16;
    if sent.src.is_ipv6() {
        for _ in 0..chance.pick(&[0, 0, 0, 1, 2]) {
            sent.extensions.insert(0, (chance.pick(&[0, 60, 43]), chance.pick(&[1, 2])));
        }
    } else {
        sent.options = chance.pick(&[0, 0, 4, 12]);
    }
    sent.tags = chance.pick(&[0, 0, 1, 2]);
    if sent.fragment == Fragment::None && chance.once_in(10) {
        // Whether the number of segments is stated, or to be told from the size.
        sent.gso = Some((chance.pick(&[1, 7, 50]), chance.once_in(2)));
    }
    sent
}

/// The same, ready to be run.
pub fn packet(chance: &mut Chance, past: &mut Past) -> Made {
    let sent = sent(chance, past);
    sent.make(&mut past.fragments)
}
