//! Rules and packets as short texts, so that a test case is one line.
//!
//! ```text
//! rules, one a line (or split by ';'):
//!   [in|out] NUMBER allow|deny MATCH [BLOCK]    network ACL; in if not said
//!   sg in|out MATCH [BLOCK ...|none]            security group; the first is sgr-00000001
//!   subnet BLOCK
//! MATCH   all | tcp|udp|sctp [PORT[-PORT]] | icmp|icmp6 [TYPE[/CODE]] | proto NUMBER
//! BLOCK   0.0.0.0/0 if not said (icmp6: ::/0)
//! A direction without ACL lines has AWS's default ACL, which allows everything.
//!
//! packets:
//!   tcp|udp|sctp|icmp|icmp6|proto N  END -> END  [words]
//! END     ADDRESS | ADDRESS:PORT | [V6] | [V6]:PORT | me | :PORT   (the last two: the instance;
//!         the packet is egress if it is the source); a port not said is 40000
//! words   tcp:  S SA A FA F R ... (S if not said), seq=N ack=N len=N
//!         icmp: TYPE/CODE, id=N, about PACKET (the quoted packet, to the line's end)
//!         fragment: a later one whose ports are unknown; later: one whose ports are known
//! ```

use crate::packet::{Icmp, Packet, Quoted, Tcp};
use std::net::IpAddr;
use weir_types::net::{Direction, IpNet, PortRange, Protocol};
use weir_types::rule::{AclRule, GroupRule, InterfaceRules, Match};

pub(crate) fn rules(text: &str) -> InterfaceRules {
    let mut rules = InterfaceRules::default();
    for line in text.split(['\n', ';']).map(str::trim).filter(|line| !line.is_empty()) {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        match words[0] {
            "subnet" => rules.subnet_cidrs.push(words[1].parse().unwrap()),
            "sg" => {
                let direction = direction(words[1]);
                let (matches, everywhere, rest) = parse_match(&words[2..]);
                let peers = match rest {
                    [] => vec![everywhere],
                    ["none"] => vec![],
                    blocks => blocks.iter().map(|block| block.parse().unwrap()).collect(),
                };
                let rule = format!("sgr-{:08x}", rules.groups.len() + 1).parse().unwrap();
                let group = "sg-00000001".parse().unwrap();
                rules.groups.push(GroupRule { group, rule, direction, matches, peers });
            }
            _ => {
                let direction = if matches!(words[0], "in" | "out") {
                    direction(words.remove(0))
                } else {
                    Direction::Ingress
                };
                let allow = match words[1] {
                    "allow" => true,
                    "deny" => false,
                    other => panic!("{other} in {line}"),
                };
                let (matches, everywhere, rest) = parse_match(&words[2..]);
                let peer = rest.first().map_or(everywhere, |block| block.parse().unwrap());
                rules.acl.push(AclRule {
                    number: words[0].parse().unwrap(),
                    direction,
                    matches,
                    peer,
                    allow,
                });
            }
        }
    }
    for direction in Direction::BOTH {
        if !rules.acl.iter().any(|rule| rule.direction == direction) {
            for (number, peer) in [(100, "0.0.0.0/0"), (101, "::/0")] {
                let peer = peer.parse().unwrap();
                rules.acl.push(AclRule { number, direction, matches: Match::All, peer, allow: true });
            }
        }
    }
    rules
}

fn direction(word: &str) -> Direction {
    match word {
        "in" => Direction::Ingress,
        "out" => Direction::Egress,
        other => panic!("{other} is neither in nor out"),
    }
}

/// The match, the block meant if none is said, and the words after it.
fn parse_match<'a, 'b>(words: &'a [&'b str]) -> (Match, IpNet, &'a [&'b str]) {
    let v4 = "0.0.0.0/0".parse().unwrap();
    // A block has dots or colons; what belongs to the match has not.
    let detail = words.get(1).filter(|word| !word.contains(['.', ':']) && **word != "none");
    let rest = &words[1 + usize::from(detail.is_some())..];
    let numbers = |separator| detail.map(|detail| detail.split_once(separator).unwrap_or((detail, "")));
    match words[0] {
        "all" => (Match::All, v4, rest),
        "proto" => (Match::Protocol { protocol: Protocol(detail.unwrap().parse().unwrap()) }, v4, rest),
        "icmp" | "icmp6" => {
            let icmp_type = numbers('/').map(|(icmp_type, _)| icmp_type.parse().unwrap());
            let icmp_code = numbers('/').and_then(|(_, code)| code.parse().ok());
            let (protocol, everywhere) = if words[0] == "icmp" {
                (Protocol::ICMP, v4)
            } else {
                (Protocol::ICMPV6, "::/0".parse().unwrap())
            };
            (Match::Icmp { protocol, icmp_type, icmp_code }, everywhere, rest)
        }
        name => {
            let ports = numbers('-').map_or(PortRange::ALL, |(first, last)| {
                let first = first.parse().unwrap();
                PortRange { first, last: last.parse().unwrap_or(first) }
            });
            (Match::Ports { protocol: protocol(name), ports }, v4, rest)
        }
    }
}

fn protocol(name: &str) -> Protocol {
    match name {
        "tcp" => Protocol::TCP,
        "udp" => Protocol::UDP,
        "sctp" => Protocol::SCTP,
        "icmp" => Protocol::ICMP,
        "icmp6" => Protocol::ICMPV6,
        other => panic!("unknown protocol {other}"),
    }
}

pub(crate) fn packet(text: &str) -> Packet {
    let (text, quoted) = match text.split_once(" about ") {
        Some((text, quoted)) => (text, Some(packet(quoted))),
        None => (text, None),
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    let (protocol, words) = match words[0] {
        "proto" => (Protocol(words[1].parse().unwrap()), &words[2..]),
        name => (protocol(name), &words[1..]),
    };
    let [from, "->", to, details @ ..] = words else { panic!("no 'A -> B' in {text}") };
    let (src, dst) = (end(from), end(to));
    let direction = if src.0.is_none() { Direction::Egress } else { Direction::Ingress };
    let peer = src.0.or(dst.0).unwrap();
    let instance: IpAddr = if peer.is_ipv4() { "172.31.16.139" } else { "2001:db8::139" }.parse().unwrap();
    let mut packet = Packet {
        direction,
        src: src.0.unwrap_or(instance),
        dst: dst.0.unwrap_or(instance),
        protocol,
        src_port: if protocol.has_ports() { src.1 } else { 0 },
        dst_port: if protocol.has_ports() { dst.1 } else { 0 },
        icmp: None,
        tcp: None,
        transport_absent: false,
    };
    let mut tcp = Tcp { flags: Tcp::SYN, seq: 0, ack: 0, payload_len: 0 };
    let mut icmp = Icmp { icmp_type: 8, icmp_code: 0, echo_id: 0, quoted: quoted.map(quote) };
    for &word in details {
        match word.split_once('=') {
            Some(("seq", number)) => tcp.seq = number.parse().unwrap(),
            Some(("ack", number)) => tcp.ack = number.parse().unwrap(),
            Some(("len", number)) => tcp.payload_len = number.parse().unwrap(),
            Some(("id", number)) => icmp.echo_id = number.parse().unwrap(),
            None if word == "fragment" => packet.transport_absent = true,
            None if word == "later" => {}
            None if word.contains('/') => {
                let (icmp_type, icmp_code) = word.split_once('/').unwrap();
                (icmp.icmp_type, icmp.icmp_code) = (icmp_type.parse().unwrap(), icmp_code.parse().unwrap());
            }
            None => tcp.flags = word.chars().map(flag).sum(),
            Some(_) => panic!("{word} in {text}"),
        }
    }
    if packet.transport_absent {
        (packet.src_port, packet.dst_port) = (0, 0);
    } else if protocol == Protocol::TCP && !details.contains(&"later") {
        packet.tcp = Some(tcp);
    } else if protocol.is_icmp() {
        packet.icmp = Some(icmp);
    }
    packet
}

fn quote(packet: Packet) -> Quoted {
    let echo_id = packet.icmp.map(|icmp| icmp.echo_id);
    Quoted {
        src: packet.src,
        dst: packet.dst,
        protocol: packet.protocol,
        src_port: echo_id.unwrap_or(packet.src_port),
        dst_port: echo_id.unwrap_or(packet.dst_port),
    }
}

/// Address (`None`: the instance) and port.
fn end(word: &str) -> (Option<IpAddr>, u16) {
    const PORT: u16 = 40000;
    if word == "me" {
        return (None, PORT);
    }
    if let Some(port) = word.strip_prefix(':').and_then(|port| port.parse().ok()) {
        return (None, port);
    }
    if let Some((address, port)) = word.strip_prefix('[').and_then(|word| word.split_once(']')) {
        let port = port.strip_prefix(':').map_or(PORT, |port| port.parse().unwrap());
        return (Some(address.parse().unwrap()), port);
    }
    match word.split_once(':') {
        Some((address, port)) => (Some(address.parse().unwrap()), port.parse().unwrap()),
        None => (Some(word.parse().unwrap()), PORT),
    }
}

fn flag(letter: char) -> u8 {
    match letter {
        'F' => Tcp::FIN,
        'S' => Tcp::SYN,
        'R' => Tcp::RST,
        'P' => 0x08,
        'A' => Tcp::ACK,
        other => panic!("no TCP flag {other}"),
    }
}
