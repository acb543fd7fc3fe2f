//! A second evaluator, slow and obvious, to compare the first with.
//!
//! It reads the rules as they were written, not the compiled form, and of a
//! tracked flow it keeps every accepted packet and works out all else from
//! them, each time anew. The random tests below give both the same packets,
//! from so few addresses, ports and instants that they keep meeting each other.

use crate::packet::{Packet, Quoted, Tcp};
use crate::verdict::Verdict;
use std::net::IpAddr;
use weir_types::net::{Direction, IpNet, PortRange, Protocol};
use weir_types::rule::{GroupRule, InterfaceRules, Match};

/// The accepted packets of each tracked flow, oldest first, with their instants.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    flows: Vec<Vec<(Packet, u64)>>,
}

impl Oracle {
    pub(crate) fn decide(&mut self, rules: &InterfaceRules, packet: &Packet, now_ns: u64) -> Verdict {
        if packet.protocol == Protocol::ICMPV6
            && packet.src.is_ipv6()
            && packet.icmp.is_some_and(|icmp| (133..=137).contains(&icmp.icmp_type))
        {
            return Verdict::NotJudged;
        }
        let before = self.flows.clone();
        self.flows.retain(|flow| is_alive(flow, now_ns));
        let groups = self.ask_groups(rules, packet, now_ns);
        let groups_accept = !matches!(groups, Verdict::NoGroupAllows | Verdict::AfterClose);
        let acl = ask_acl(rules, packet);
        let verdict = match (packet.direction, acl) {
            (Direction::Ingress, Some(denial)) => denial,
            (Direction::Egress, Some(denial)) if groups_accept => denial,
            _ => groups.clone(),
        };
        if verdict != groups || !groups_accept {
            self.flows = before;
        }
        verdict
    }

    fn ask_groups(&mut self, rules: &InterfaceRules, packet: &Packet, now_ns: u64) -> Verdict {
        let fragment_of_unknown =
            packet.transport_absent && matches!(packet.protocol.0, 1 | 6 | 17 | 58 | 132);
        if fragment_of_unknown {
            return ask_rules(rules, packet);
        }
        if is_error(packet)
            && let Some(quoted) = packet.icmp.and_then(|icmp| icmp.quoted)
            && self.flows.iter().any(|flow| same_flow(&ends(&flow[0].0), &quoted))
        {
            return Verdict::Related;
        }
        let known = self.flows.iter().position(|flow| same_flow(&ends(&flow[0].0), &ends(packet)));
        if let Some(index) = known {
            let flow = &mut self.flows[index];
            if !is_closed(flow) {
                flow.push((*packet, now_ns));
                return Verdict::Tracked;
            }
            if !packet.tcp.is_some_and(|tcp| tcp.flags & 0b1_0111 == Tcp::SYN) {
                return Verdict::AfterClose;
            }
            self.flows.remove(index);
        }
        let verdict = ask_rules(rules, packet);
        let resets = packet.tcp.is_some_and(|tcp| tcp.has(Tcp::RST));
        if matches!(verdict, Verdict::GroupRule { .. }) && !resets {
            self.flows.push(vec![(*packet, now_ns)]);
        }
        verdict
    }
}

fn ask_acl(rules: &InterfaceRules, packet: &Packet) -> Option<Verdict> {
    if rules.subnet_cidrs.iter().any(|block| block.contains(&packet.peer())) {
        return None;
    }
    rules
        .acl
        .iter()
        .filter(|rule| rule.direction == packet.direction)
        .filter(|rule| rule.peer.contains(&packet.peer()) && is_meant(rule.matches, packet))
        .min_by_key(|rule| rule.number)
        .map_or(Some(Verdict::AclDefault), |rule| {
            (!rule.allow).then_some(Verdict::AclRule { number: rule.number })
        })
}

fn ask_rules(rules: &InterfaceRules, packet: &Packet) -> Verdict {
    let answer = Packet {
        direction: packet.direction.opposite(),
        src: packet.dst,
        dst: packet.src,
        src_port: packet.dst_port,
        dst_port: packet.src_port,
        ..*packet
    };
    let freeing = rules.groups.iter().find(|rule| frees(rules, rule, packet));
    let freed = freeing.is_some() || rules.groups.iter().any(|rule| frees(rules, rule, &answer));
    let named = freeing.or_else(|| rules.groups.iter().find(|rule| allows(rule, packet)));
    match named {
        None => Verdict::NoGroupAllows,
        Some(GroupRule { group, rule, .. }) if freed => {
            Verdict::Untracked { group: group.clone(), rule: rule.clone() }
        }
        Some(GroupRule { group, rule, .. }) => {
            Verdict::GroupRule { group: group.clone(), rule: rule.clone() }
        }
    }
}

fn allows(rule: &GroupRule, packet: &Packet) -> bool {
    rule.direction == packet.direction
        && is_meant(rule.matches, packet)
        && rule.peers.iter().any(|block| block.contains(&packet.peer()))
}

/// Whether the rule allows the packet and makes its flow an untracked one.
fn frees(rules: &InterfaceRules, rule: &GroupRule, packet: &Packet) -> bool {
    let everywhere =
        |block: &IpNet| block.prefix_len() == 0 && block.addr().is_ipv4() == packet.peer().is_ipv4();
    matches!(packet.protocol, Protocol::TCP | Protocol::UDP)
        && allows(rule, packet)
        && rule.peers.iter().any(everywhere)
        && rules.groups.iter().any(|other| {
            other.direction != packet.direction
                && other.peers.iter().any(everywhere)
                && match other.matches {
                    Match::All => true,
                    Match::Ports { protocol, ports } => {
                        protocol == packet.protocol && ports == PortRange::ALL
                    }
                    Match::Protocol { protocol } => protocol == packet.protocol,
                    Match::Icmp { .. } => false,
                }
        })
}

fn is_meant(matches: Match, packet: &Packet) -> bool {
    match matches {
        Match::All => true,
        Match::Protocol { protocol } => protocol == packet.protocol,
        Match::Ports { protocol, ports } => {
            protocol == packet.protocol
                && if packet.transport_absent {
                    ports == PortRange::ALL
                } else {
                    ports.contains(packet.dst_port)
                }
        }
        Match::Icmp { protocol, icmp_type, icmp_code } => {
            let (own_type, own_code) =
                (packet.icmp.map(|icmp| icmp.icmp_type), packet.icmp.map(|icmp| icmp.icmp_code));
            protocol == packet.protocol
                && (icmp_type.is_none() || icmp_type == own_type)
                && (icmp_code.is_none() || icmp_code == own_code)
        }
    }
}

fn is_error(packet: &Packet) -> bool {
    let Some(icmp) = packet.icmp else { return false };
    match packet.protocol.0 {
        1 => [3, 4, 5, 11, 12].contains(&icmp.icmp_type),
        58 => [1, 2, 3, 4].contains(&icmp.icmp_type),
        _ => false,
    }
}

fn ends(packet: &Packet) -> Quoted {
    let (src_port, dst_port) = match (packet.protocol.0, packet.icmp) {
        (1, Some(icmp)) if [0, 8].contains(&icmp.icmp_type) => (icmp.echo_id, icmp.echo_id),
        (58, Some(icmp)) if [128, 129].contains(&icmp.icmp_type) => (icmp.echo_id, icmp.echo_id),
        (6 | 17 | 132, _) => (packet.src_port, packet.dst_port),
        _ => (0, 0),
    };
    Quoted { src: packet.src, dst: packet.dst, protocol: packet.protocol, src_port, dst_port }
}

fn same_flow(one: &Quoted, other: &Quoted) -> bool {
    let turned = Quoted {
        src: other.dst,
        dst: other.src,
        src_port: other.dst_port,
        dst_port: other.src_port,
        ..*other
    };
    one == other || *one == turned
}

fn is_closed(flow: &[(Packet, u64)]) -> bool {
    let segments: Vec<(Direction, Tcp)> =
        flow.iter().filter_map(|(packet, _)| Some((packet.direction, packet.tcp?))).collect();
    let both_fins_acked = Direction::BOTH.iter().all(|&side| {
        let fin = segments.iter().position(|&(direction, tcp)| direction == side && tcp.has(Tcp::FIN));
        fin.is_some_and(|fin| {
            segments[fin..].iter().any(|&(direction, tcp)| {
                let beyond = tcp.ack.wrapping_sub(segments[fin].1.fin_seq());
                direction != side && tcp.has(Tcp::ACK) && (1..=1 << 31).contains(&beyond)
            })
        })
    });
    both_fins_acked || segments.iter().any(|(_, tcp)| tcp.has(Tcp::RST))
}

fn is_alive(flow: &[(Packet, u64)], now_ns: u64) -> bool {
    let (first, (_, last_ns)) = (flow[0].0, flow[flow.len() - 1]);
    let answer = flow.iter().position(|(packet, _)| packet.direction != first.direction);
    let asked_again = answer
        .is_some_and(|answer| flow[answer..].iter().any(|(packet, _)| packet.direction == first.direction));
    let has_fin = flow.iter().any(|(packet, _)| packet.tcp.is_some_and(|tcp| tcp.has(Tcp::FIN)));
    let seconds = match first.protocol.0 {
        6 if is_closed(flow) => 60,
        6 if has_fin || answer.is_none() => 120,
        6 => 432_000,
        17 if asked_again => 180,
        1 | 58 | 17 => 30,
        _ => 600,
    };
    now_ns <= last_ns + seconds * 1_000_000_000
}

mod random {
    use super::*;
    use crate::evaluate::Tracker;
    use crate::packet::Icmp;
    use crate::{CompiledRules, Origin};
    use proptest::prelude::*;
    use proptest::sample::select;
    use weir_types::rule::AclRule;

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
            (select(PORTS.to_vec()), select(PORTS.to_vec()))
                .prop_map(|(first, last)| PortRange { first, last }),
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
        select(vec![0, 8, 128, 129, 3, 1, 13, 135])
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
        let wait = select(vec![
            0, 0, 0, 0, 0, 0, 1, 29, 30, 31, 60, 61, 120, 121, 180, 181, 600, 601, 432_000, 432_001,
        ]);
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
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

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
                    Step::Again { earlier, answer, tcp } if !seen.is_empty() => again(*earlier.get(&seen), answer, tcp),
                    Step::Complain { earlier } if !seen.is_empty() => complain(*earlier.get(&seen)),
                    _ => continue,
                };
                seen.push(packet);
                let verdict = tracker.decide(&compiled, &packet, now_ns);
                prop_assert_eq!(oracle.decide(&raw, &packet, now_ns), verdict, "{:?}", packet);
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
}
