//! Random rules and packets for both evaluators, from so few addresses, ports
//! and instants that they keep meeting each other.

use super::notation;
use super::oracle::{Oracle, ends};
use crate::{CompiledRules, Icmp, Origin, Packet, Quoted, Tcp, Tracker};
use proptest::prelude::*;
use proptest::sample::select;
use std::net::IpAddr;
use weir_types::net::{Direction, IpNet, PortRange, Protocol};
use weir_types::rule::{AclRule, GroupRule, InterfaceRules, Match};

const PORTS: [u16; 4] = [0, 22, 40_000, 65_535];

fn address(v6: bool) -> impl Strategy<Value = IpAddr> {
    let texts = if v6 {
        ["2001:db8::8", "2001:db8::9", "::ffff:10.0.0.8"]
    } else {
        ["10.0.0.8", "10.0.0.9", "10.0.1.9"]
    };
    select(texts.map(|text| text.parse().unwrap()).to_vec())
}

fn block() -> impl Strategy<Value = IpNet> {
    let texts = [
        "0.0.0.0/0",
        "0.0.0.0/0",
        "::/0",
        "::/0",
        "10.0.0.0/24",
        "10.0.0.9/32",
        "10.0.0.9/31",
        "2001:db8::9/128",
    ];
    select(texts.map(|text| text.parse().unwrap()).to_vec())
}

fn matches() -> impl Strategy<Value = Match> {
    let with_ports = select(vec![Protocol::TCP, Protocol::UDP, Protocol::SCTP]);
    let with_icmp = select(vec![Protocol::ICMP, Protocol::ICMPV6]);
    let ports = prop_oneof![
        Just(PortRange::ALL),
        (select(PORTS.to_vec()), select(PORTS.to_vec())).prop_map(|(first, last)| PortRange { first, last }),
    ];
    let code = prop::option::of(0..2_u8);
    prop_oneof![
        2 => Just(Match::All),
        4 => (with_ports, ports).prop_map(|(protocol, ports)| Match::Ports { protocol, ports }),
        2 => (with_icmp, prop::option::of(icmp_type()), code)
            .prop_map(|(protocol, icmp_type, icmp_code)| Match::Icmp { protocol, icmp_type, icmp_code }),
        1 => select(vec![6, 17, 1, 47]).prop_map(|n| Match::Protocol { protocol: Protocol(n) }),
    ]
}

fn icmp_type() -> impl Strategy<Value = u8> {
    select(vec![0, 8, 128, 129, 3, 1, 4, 5, 11, 12, 13, 135])
}

fn direction() -> impl Strategy<Value = Direction> {
    select(Direction::BOTH.to_vec())
}

prop_compose! {
    fn group_rule()(direction in direction(), matches in matches(), peers in prop::collection::vec(block(), 0..3))
        -> GroupRule
    {
        let group = "sg-00000001".parse().unwrap();
        GroupRule { group, rule: "sgr-00000000".parse().unwrap(), direction, matches, peers }
    }
}

prop_compose! {
    fn acl_rule()(direction in direction(), matches in matches(), peer in block(), allow in prop::bool::weighted(0.7))
        -> AclRule
    {
        AclRule { number: 0, direction, matches, peer, allow }
    }
}

prop_compose! {
    fn rules()(
        mut groups in prop::collection::vec(group_rule(), 0..6),
        mut acl in prop::collection::vec(acl_rule(), 0..4),
        allow_rest in prop::bool::weighted(0.8),
        reverse in any::<bool>(),
        subnet_cidrs in prop::collection::vec(block().prop_filter("a subnet", |block| block.prefix_len() > 0), 0..2),
    ) -> InterfaceRules {
        for (n, rule) in groups.iter_mut().enumerate() {
            rule.rule = format!("sgr-{n:08x}").parse().unwrap();
        }
        if allow_rest {
            for (direction, peer) in [
                (Direction::Ingress, "0.0.0.0/0"), (Direction::Ingress, "::/0"),
                (Direction::Egress, "0.0.0.0/0"), (Direction::Egress, "::/0"),
            ] {
                let peer = peer.parse().unwrap();
                acl.push(AclRule { number: 0, direction, matches: Match::All, peer, allow: true });
            }
        }
        for (n, rule) in acl.iter_mut().enumerate() {
            rule.number = 10 + n as u16;
        }
        if reverse {
            acl.reverse();
        }
        InterfaceRules { groups, acl, subnet_cidrs }
    }
}

/// Numbers around 0, where sequence numbers wrap.
fn sequence_number() -> impl Strategy<Value = u32> {
    (0..6_u32).prop_map(|n| n.wrapping_sub(3))
}

prop_compose! {
    fn tcp()(
        flags in select(vec![0x02, 0x12, 0x10, 0x10, 0x11, 0x11, 0x01, 0x04, 0x14, 0x00, 0x03, 0x18]),
        seq in sequence_number(),
        ack in sequence_number(),
        payload_len in 0..2_u32,
    ) -> Tcp {
        Tcp { flags, seq, ack, payload_len }
    }
}

prop_compose! {
    /// Mostly of connections that end well.
    fn connection_tcp()(
        flags in select(vec![0x02, 0x10, 0x10, 0x10, 0x10, 0x11, 0x11, 0x11, 0x01, 0x13, 0x10, 0x18, 0x14]),
        seq in sequence_number(),
        ack in sequence_number(),
        payload_len in 0..2_u32,
    ) -> Tcp {
        Tcp { flags, seq, ack, payload_len }
    }
}

prop_compose! {
    fn quoted(v6: bool)(
        src in address(v6), dst in address(v6), protocol in select(vec![6, 17, 1, 47]),
        src_port in select(PORTS.to_vec()), dst_port in select(PORTS.to_vec()), id in 0..2_u16,
    ) -> Quoted {
        let (src_port, dst_port) = match protocol {
            6 | 17 => (src_port, dst_port),
            1 => (id, id),
            _ => (0, 0),
        };
        Quoted { src, dst, protocol: Protocol(protocol), src_port, dst_port }
    }
}

fn packet() -> impl Strategy<Value = Packet> {
    prop::bool::weighted(0.3).prop_flat_map(|v6| {
        let icmp = (icmp_type(), 0..2_u8, 0..2_u16, prop::option::of(quoted(v6)));
        let ends = (address(v6), address(v6), select(PORTS.to_vec()), select(PORTS.to_vec()));
        let protocol = select(vec![6, 6, 6, 17, 17, 1, 58, 132, 47]);
        (direction(), ends, protocol, icmp, tcp(), 0..20).prop_map(
            |(direction, ends, protocol, icmp, tcp, odd)| {
                let (src, dst, src_port, dst_port) = ends;
                let protocol = Protocol(protocol);
                let absent = odd == 0;
                let has_ports = protocol.has_ports() && !absent;
                let (icmp_type, icmp_code, echo_id, quoted) = icmp;
                let icmp = Icmp { icmp_type, icmp_code, echo_id, quoted };
                Packet {
                    direction,
                    src,
                    dst,
                    protocol,
                    src_port: if has_ports { src_port } else { 0 },
                    dst_port: if has_ports { dst_port } else { 0 },
                    icmp: (protocol.is_icmp() && !absent).then_some(icmp),
                    // A later fragment of known ports has no TCP header.
                    tcp: (protocol == Protocol::TCP && !absent && odd != 1).then_some(tcp),
                    transport_absent: absent,
                }
            },
        )
    })
}

/// What comes next: a packet as it is, or one of the flow that an earlier
/// packet was of, in either direction.
#[derive(Debug, Clone)]
enum Step {
    Packet(Packet),
    Again {
        earlier: prop::sample::Index,
        answer: bool,
        tcp: Tcp,
    },
    /// An ICMP error about an earlier packet.
    Complain {
        earlier: prop::sample::Index,
    },
    Rules(InterfaceRules),
}

fn step() -> impl Strategy<Value = (u64, Step)> {
    let wait =
        select(vec![0, 0, 0, 0, 0, 0, 1, 29, 30, 31, 60, 61, 120, 121, 180, 181, 600, 601, 432_000, 432_001]);
    let step = prop_oneof![
        4 => packet().prop_map(Step::Packet),
        12 => (any::<prop::sample::Index>(), any::<bool>(), tcp())
            .prop_map(|(earlier, answer, tcp)| Step::Again { earlier, answer, tcp }),
        2 => any::<prop::sample::Index>().prop_map(|earlier| Step::Complain { earlier }),
        1 => rules().prop_map(Step::Rules),
    ];
    (wait, step)
}

fn again(earlier: Packet, answer: bool, tcp: Tcp) -> Packet {
    let mut packet = Packet { tcp: earlier.tcp.map(|_| tcp), ..earlier };
    if answer {
        packet.direction = earlier.direction.opposite();
        (packet.src, packet.dst) = (earlier.dst, earlier.src);
        (packet.src_port, packet.dst_port) = (earlier.dst_port, earlier.src_port);
    }
    packet
}

fn complain(about: Packet) -> Packet {
    let v4 = about.src.is_ipv4();
    let icmp_type = if v4 { 3 } else { 1 };
    Packet {
        direction: about.direction.opposite(),
        src: about.dst,
        dst: about.src,
        protocol: if v4 { Protocol::ICMP } else { Protocol::ICMPV6 },
        src_port: 0,
        dst_port: 0,
        icmp: Some(Icmp { icmp_type, icmp_code: 0, echo_id: 0, quoted: Some(ends(&about)) }),
        tcp: None,
        transport_absent: false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        // The failing case is printed in full; what it teaches becomes a story.
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn both_evaluators_agree(first in rules(), steps in prop::collection::vec(step(), 1..40)) {
        let mut raw = first;
        let mut compiled = CompiledRules::compile(&raw).unwrap();
        let (mut tracker, mut oracle) = (Tracker::new(), Oracle::default());
        let (mut now_ns, mut seen) = (0_u64, Vec::<Packet>::new());
        for (wait_s, step) in steps {
            now_ns += wait_s * 1_000_000_000;
            let packet = match step {
                Step::Rules(changed) => {
                    raw = changed;
                    compiled = CompiledRules::compile(&raw).unwrap();
                    continue;
                }
                Step::Packet(packet) => packet,
                Step::Again { earlier, answer, tcp } if !seen.is_empty() => {
                    again(*earlier.get(&seen), answer, tcp)
                }
                Step::Complain { earlier } if !seen.is_empty() => complain(*earlier.get(&seen)),
                _ => continue,
            };
            seen.push(packet);
            let verdict = tracker.decide(&compiled, &packet, now_ns);
            prop_assert_eq!(oracle.decide(&raw, &packet, now_ns), verdict, "{:?}", packet);
        }
    }

    /// Few flows, long lives: connections close in every order of FIN, ACK and
    /// RST, late packets come, ports are used again.
    #[test]
    fn both_evaluators_agree_on_tcp(
        steps in prop::collection::vec(
            (direction(), connection_tcp(), select(vec![0, 0, 0, 0, 0, 1, 61]), 0..30_usize),
            1..60,
        ),
    ) {
        let variants = [
            "sg in tcp 22",
            "sg in tcp; sg out tcp 1-65535",
            "sg in tcp; sg out tcp",
            "sg in tcp; sg out tcp 1-65535; out 90 deny tcp",
        ]
        .map(notation::rules);
        let compiled: Vec<_> = variants.iter().map(|rules| CompiledRules::compile(rules).unwrap()).collect();
        let (mut tracker, mut oracle, mut now_ns, mut chosen) = (Tracker::new(), Oracle::default(), 0, 0);
        for (direction, tcp, wait_s, choice) in steps {
            now_ns += wait_s * 1_000_000_000;
            chosen = if choice < variants.len() { choice } else { chosen };
            let base = match direction {
                Direction::Ingress => notation::packet("tcp 203.0.113.9 -> :22"),
                Direction::Egress => notation::packet("tcp :22 -> 203.0.113.9"),
            };
            let packet = Packet { tcp: Some(tcp), ..base };
            let verdict = tracker.decide(&compiled[chosen], &packet, now_ns);
            prop_assert_eq!(oracle.decide(&variants[chosen], &packet, now_ns), verdict, "{:?}", packet);
        }
    }

    #[test]
    fn compiled_lists_have_the_promised_order(raw in rules()) {
        let compiled = CompiledRules::compile(&raw).unwrap();
        for direction in Direction::BOTH {
            let lists = compiled.direction(direction);
            let acl: Vec<_> = lists.acl.iter().map(|entry| match compiled.origins[entry.origin as usize] {
                Origin::Subnet(_) => 0,
                Origin::Acl { number } => number,
                Origin::Group { .. } => u16::MAX,
            }).collect();
            prop_assert!(acl.is_sorted() && !acl.contains(&u16::MAX));
            prop_assert!(lists.groups.is_sorted_by_key(|entry| !entry.untracked));
            for entry in lists.acl.iter().chain(&lists.groups) {
                prop_assert!((0..16).all(|i| entry.addr[i] & !entry.mask[i] == 0));
                prop_assert!(!entry.untracked || (!entry.any_protocol && matches!(entry.protocol, 6 | 17)));
            }
        }
    }
}
