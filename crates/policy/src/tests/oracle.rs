//! A second evaluator, slow and obvious, to compare the first with.
//!
//! It reads the rules as they were written, not the compiled form, and of a
//! tracked flow it keeps every accepted packet and works out all else from
//! them, each time anew.

use crate::packet::{Packet, Quoted, Tcp};
use crate::verdict::Verdict;
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
            let opens = packet.tcp.is_some_and(|tcp| tcp.flags & 0b1_0111 == Tcp::SYN);
            if !opens {
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

pub(crate) fn ends(packet: &Packet) -> Quoted {
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
                let beyond = tcp.ack.wrapping_sub(number_of_fin(segments[fin].1));
                direction != side && tcp.has(Tcp::ACK) && (1..=1 << 31).contains(&beyond)
            })
        })
    });
    both_fins_acked || segments.iter().any(|(_, tcp)| tcp.has(Tcp::RST))
}

/// A SYN takes a sequence number, then each byte of the payload, then the FIN.
fn number_of_fin(tcp: Tcp) -> u32 {
    let before = u32::from(tcp.has(Tcp::SYN)) + tcp.payload_len;
    tcp.seq.wrapping_add(before)
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
