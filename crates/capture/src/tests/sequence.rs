//! A short sequence of packets under some rules: as text that can be pasted into
//! a test, as frames, and made shorter while it still fails.
//!
//! ```text
//! acl 1 in allow all 0.0.0.0/0
//! sg in tcp:80 10.0.0.0/8
//! ---
//! +0 in 10.0.0.9 1024 10.0.0.5 80 6 flags=0x2
//! +30000000001 out 10.0.0.5 80 10.0.0.9 1024 6 flags=0x12 seq=4 len=10
//! ```
//!
//! Above the line rules as `support::interface_rules` reads them; below it
//! packets: nanoseconds since the one before, direction, source, destination,
//! protocol number, and what is not 0.

use super::frame::{self, V4, ethernet, extension, fragment_header};
use super::support::interface_rules;
use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use weir_policy::{Icmp, Packet, Quoted, Tcp};
use weir_types::net::{Direction, PortRange, Protocol};
use weir_types::rule::{InterfaceRules, Match};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fragment {
    #[default]
    None,
    First,
    Later,
}

/// The packet that an ICMP error quotes; with an echo the ports are its identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    pub src: IpAddr,
    pub dst: IpAddr,
    pub protocol: u8,
    pub src_port: u16,
    pub dst_port: u16,
    /// Too little of it is there.
    pub is_cut: bool,
}

/// One packet, as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    pub after_ns: u64,
    pub direction: Direction,
    pub src: IpAddr,
    pub src_port: u16,
    pub dst: IpAddr,
    pub dst_port: u16,
    pub protocol: u8,
    /// Flags, sequence number, acknowledgement.
    pub tcp: (u8, u32, u32),
    /// Type, code, identifier.
    pub icmp: (u8, u8, u16),
    pub quoted: Option<Quote>,
    pub payload: usize,
    pub fragment: Fragment,
    pub id: u16,
    /// Bytes of IPv4 options.
    pub options: usize,
    /// IPv6 extension headers, the first one first: number, units of 8 bytes.
    pub extensions: Vec<(u8, u8)>,
    /// VLAN tags.
    pub tags: usize,
    /// Bytes of payload a segment, and whether the number of segments is stated.
    pub gso: Option<(u32, bool)>,
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

/// What the programs remember of first fragments, by direction, ends, protocol
/// and identification of the datagram.
pub type Fragments = HashMap<(Direction, IpAddr, IpAddr, u8, u16), (u16, u16, Option<Icmp>)>;

impl Sent {
    pub fn new(direction: Direction, from: (IpAddr, u16), to: (IpAddr, u16), protocol: u8) -> Self {
        let ((src, src_port), (dst, dst_port)) = (from, to);
        Self {
            after_ns: 0,
            direction,
            src,
            src_port,
            dst,
            dst_port,
            protocol,
            tcp: (0, 0, 0),
            icmp: (0, 0, 0),
            quoted: None,
            payload: 0,
            fragment: Fragment::None,
            id: 0,
            options: 0,
            extensions: Vec::new(),
            tags: 0,
            gso: None,
        }
    }

    /// The packet as rules see it, were it no fragment.
    pub fn whole_packet(&self) -> Packet {
        let protocol = Protocol(self.protocol);
        let mut packet = Packet {
            direction: self.direction,
            src: self.src,
            dst: self.dst,
            protocol,
            src_port: self.src_port,
            dst_port: self.dst_port,
            icmp: None,
            tcp: None,
            transport_absent: false,
        };
        if protocol == Protocol::TCP {
            let (flags, seq, ack) = self.tcp;
            packet.tcp = Some(Tcp { flags, seq, ack, payload_len: self.payload as u32 });
        }
        if protocol.is_icmp() {
            let (icmp_type, icmp_code, echo_id) = self.icmp;
            let quoted = self.quoted.filter(|quote| !quote.is_cut).map(|quote| Quoted {
                src: quote.src,
                dst: quote.dst,
                protocol: Protocol(quote.protocol),
                src_port: quote.src_port,
                dst_port: quote.dst_port,
            });
            packet.icmp = Some(Icmp { icmp_type, icmp_code, echo_id, quoted });
        }
        packet
    }

    /// The transport header and what follows, and the header's length.
    fn transport(&self) -> (Vec<u8>, usize) {
        match Protocol(self.protocol) {
            Protocol::TCP => {
                let (flags, seq, ack) = self.tcp;
                (frame::tcp(self.src_port, self.dst_port, flags, seq, ack, self.payload), 20)
            }
            Protocol::UDP => (frame::udp(self.src_port, self.dst_port, self.payload), 8),
            Protocol::SCTP => {
                let mut datagram = frame::udp(self.src_port, self.dst_port, self.payload);
                datagram.extend([0; 4]);
                (datagram, 12)
            }
            protocol if protocol.is_icmp() => {
                let (kind, code, id) = self.icmp;
                let body = self.quoted.map_or_else(|| vec![0; self.payload], |quote| quote.bytes());
                (frame::icmp(kind, code, id, &body), 8)
            }
            _ => (vec![0; self.payload], 0),
        }
    }

    /// The frame, and what the programs must make of it after those before.
    pub fn make(&self, fragments: &mut Fragments) -> Made {
        let mut packet = self.whole_packet();
        let (mut body, mut header) = self.transport();
        let key = (self.direction, self.src, self.dst, self.protocol, self.id);
        match self.fragment {
            Fragment::First => {
                fragments.insert(key, (packet.src_port, packet.dst_port, packet.icmp));
            }
            Fragment::Later => {
                // No header of its own.
                (body, header) = (vec![0x55; 64], 0);
                (packet.src_port, packet.dst_port, packet.icmp, packet.tcp) = (0, 0, None, None);
                match fragments.get(&key) {
                    Some(&(src_port, dst_port, icmp)) => {
                        (packet.src_port, packet.dst_port) = (src_port, dst_port);
                        packet.icmp = icmp.map(|icmp| Icmp { quoted: None, ..icmp });
                    }
                    None => packet.transport_absent = true,
                }
            }
            Fragment::None => {}
        }
        let more = self.fragment == Fragment::First;
        let offset = if self.fragment == Fragment::Later { 1024 } else { 0 };
        let ip = if self.src.is_ipv6() {
            let (mut chain, mut first) = (Vec::new(), self.protocol);
            if self.fragment != Fragment::None {
                chain = fragment_header(self.protocol, self.id.into(), offset, more);
                first = 44;
            }
            for &(kind, units) in self.extensions.iter().rev() {
                chain.splice(0..0, extension(first, units));
                first = kind;
            }
            header += 40 + chain.len();
            chain.extend(&body);
            frame::ipv6_between(self.src, self.dst, first, &chain)
        } else {
            let options = [1u8; 40];
            let options = &options[..self.options];
            header += 20 + options.len();
            let fields = V4 { options, id: self.id, offset, more };
            frame::ipv4_between(self.src, self.dst, self.protocol, fields, &body)
        };
        let (length, headers) = (ip.len() as u64, header as u64);
        let mut frame = ethernet(&[5, 6][..self.tags], &ip);
        let (mut gso, mut packets) = ((0, 0), 1);
        match self.gso.filter(|_| length > headers && self.fragment == Fragment::None) {
            Some((size, is_stated)) => {
                packets = (length - headers).div_ceil(size.into());
                gso = (size, if is_stated { packets as u32 } else { 0 });
            }
            // Link padding, which no datagram owns.
            None if frame.len() < 60 => frame.resize(60, 0xee),
            None => {}
        }
        Made { packet, frame, gso, packets, bytes: length + (packets - 1) * headers }
    }

    /// The same with one thing less, each in its turn.
    fn simpler(&self) -> Vec<Self> {
        let mut all = Vec::new();
        let mut offer = |change: &dyn Fn(&mut Self)| {
            let mut simpler = self.clone();
            change(&mut simpler);
            if simpler != *self {
                all.push(simpler);
            }
        };
        offer(&|sent| sent.after_ns = 0);
        offer(&|sent| sent.tags = 0);
        offer(&|sent| sent.options = 0);
        offer(&|sent| sent.extensions.clear());
        offer(&|sent| sent.extensions.truncate(1));
        offer(&|sent| sent.gso = None);
        offer(&|sent| (sent.fragment, sent.id) = (Fragment::None, 0));
        offer(&|sent| sent.id = 0);
        offer(&|sent| sent.payload = 0);
        offer(&|sent| sent.payload = sent.payload.min(1));
        offer(&|sent| sent.tcp = (2, 0, 0));
        offer(&|sent| sent.tcp = (0x10, 0, 0));
        offer(&|sent| (sent.tcp.1, sent.tcp.2) = (0, 0));
        offer(&|sent| sent.tcp.1 = 0);
        offer(&|sent| sent.tcp.2 = 0);
        for bit in [0x01, 0x02, 0x04, 0x08, 0x10] {
            offer(&|sent| sent.tcp.0 &= !bit);
        }
        offer(&|sent| sent.icmp = (sent.icmp.0, 0, 0));
        offer(&|sent| {
            if let Some(quote) = &mut sent.quoted {
                quote.is_cut = false;
            }
        });
        all
    }
}

impl Quote {
    fn bytes(&self) -> Vec<u8> {
        let body = match Protocol(self.protocol) {
            Protocol::TCP => frame::tcp(self.src_port, self.dst_port, 2, 0, 0, 0)[..8].to_vec(),
            Protocol::UDP => frame::udp(self.src_port, self.dst_port, 0),
            _ => frame::icmp(if self.src.is_ipv6() { 128 } else { 8 }, 0, self.src_port, &[]),
        };
        let mut bytes = frame::ip(self.src, self.dst, self.protocol, &body);
        if self.is_cut {
            bytes.truncate(bytes.len() - 1);
        }
        bytes
    }
}

fn way(direction: Direction) -> &'static str {
    if direction == Direction::Ingress { "in" } else { "out" }
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { after_ns, src, src_port, dst, dst_port, protocol, .. } = self;
        write!(f, "+{after_ns} {} {src} {src_port} {dst} {dst_port} {protocol}", way(self.direction))?;
        let mut number = |name: &str, value: u64| match value {
            0 => Ok(()),
            value => write!(f, " {name}={value}"),
        };
        number("flags", self.tcp.0.into())?;
        number("seq", self.tcp.1.into())?;
        number("ack", self.tcp.2.into())?;
        number("type", self.icmp.0.into())?;
        number("code", self.icmp.1.into())?;
        number("echo", self.icmp.2.into())?;
        number("len", self.payload as u64)?;
        number("id", self.id.into())?;
        number("options", self.options as u64)?;
        number("tags", self.tags as u64)?;
        if self.fragment != Fragment::None {
            write!(f, " part={}", if self.fragment == Fragment::First { "first" } else { "later" })?;
        }
        for (kind, units) in &self.extensions {
            write!(f, " header={kind}/{units}")?;
        }
        if let Some((size, is_stated)) = self.gso {
            write!(f, " gso={size}/{}", if is_stated { "stated" } else { "untold" })?;
        }
        if let Some(q) = &self.quoted {
            let cut = if q.is_cut { "/cut" } else { "" };
            write!(f, " quotes={}/{}/{}/{}/{}{cut}", q.src, q.src_port, q.dst, q.dst_port, q.protocol)?;
        }
        Ok(())
    }
}

impl Sent {
    fn read(line: &str) -> Self {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [after, way, src, src_port, dst, dst_port, protocol, rest @ ..] = &words[..] else {
            panic!("too few words: {line}")
        };
        let direction = if *way == "in" { Direction::Ingress } else { Direction::Egress };
        let from = (src.parse().unwrap(), src_port.parse().unwrap());
        let to = (dst.parse().unwrap(), dst_port.parse().unwrap());
        let mut sent = Self::new(direction, from, to, protocol.parse().unwrap());
        sent.after_ns = after.trim_start_matches('+').parse().unwrap();
        for word in rest {
            let (name, value) = word.split_once('=').unwrap_or_else(|| panic!("{word}: {line}"));
            let number = || match value.strip_prefix("0x") {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).unwrap(),
                None => value.parse().unwrap(),
            };
            let parts: Vec<&str> = value.split('/').collect();
            match name {
                "flags" => sent.tcp.0 = number() as u8,
                "seq" => sent.tcp.1 = number(),
                "ack" => sent.tcp.2 = number(),
                "type" => sent.icmp.0 = number() as u8,
                "code" => sent.icmp.1 = number() as u8,
                "echo" => sent.icmp.2 = number() as u16,
                "len" => sent.payload = number() as usize,
                "id" => sent.id = number() as u16,
                "options" => sent.options = number() as usize,
                "tags" => sent.tags = number() as usize,
                "part" => sent.fragment = if value == "first" { Fragment::First } else { Fragment::Later },
                "header" => sent.extensions.push((parts[0].parse().unwrap(), parts[1].parse().unwrap())),
                "gso" => sent.gso = Some((parts[0].parse().unwrap(), parts[1] == "stated")),
                "quotes" => {
                    sent.quoted = Some(Quote {
                        src: parts[0].parse().unwrap(),
                        src_port: parts[1].parse().unwrap(),
                        dst: parts[2].parse().unwrap(),
                        dst_port: parts[3].parse().unwrap(),
                        protocol: parts[4].parse().unwrap(),
                        is_cut: parts.len() > 5,
                    });
                }
                other => panic!("{other}: {line}"),
            }
        }
        sent
    }
}

/// Rules, and the packets that meet them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Case {
    pub rules: InterfaceRules,
    pub packets: Vec<Sent>,
}

impl Case {
    /// From what a failing test printed.
    pub fn read(text: &str) -> Self {
        let (rules, packets) = text.split_once("---").expect("a line between rules and packets");
        let lines = packets.lines().map(str::trim).filter(|line| !line.is_empty());
        Self { rules: interface_rules(rules), packets: lines.map(Sent::read).collect() }
    }

    /// The least that still fails: first fewer packets, then fewer rules, then
    /// simpler packets, until nothing can be left out any more.
    pub fn shrink(mut self, fails: &mut dyn FnMut(&Self) -> bool) -> Self {
        loop {
            let before = self.clone();
            let mut keep = |smaller: Self, now: &mut Self| {
                let does = smaller != *now && fails(&smaller);
                if does {
                    *now = smaller;
                }
                does
            };
            // Halves, quarters, and so on to single packets.
            let mut size = self.packets.len().div_ceil(2);
            while size > 0 {
                let mut at = 0;
                while at < self.packets.len() {
                    let mut smaller = self.clone();
                    let end = (at + size).min(smaller.packets.len());
                    // The time that they took passes nonetheless.
                    let passed: u64 = smaller.packets.drain(at..end).map(|sent| sent.after_ns).sum();
                    if let Some(next) = smaller.packets.get_mut(at) {
                        next.after_ns += passed;
                    }
                    if !keep(smaller, &mut self) {
                        at += size;
                    }
                }
                size /= 2;
            }
            for list in 0..4 {
                let mut at = 0;
                loop {
                    let mut smaller = self.clone();
                    let rules = &mut smaller.rules;
                    let there = match list {
                        0 => remove(&mut rules.acl, at),
                        1 => remove(&mut rules.groups, at),
                        2 => remove(&mut rules.subnet_cidrs, at),
                        _ => {
                            // The n-th peer of all groups together.
                            let mut left = at;
                            rules.groups.iter_mut().any(|group| {
                                let count = group.peers.len();
                                if left < count {
                                    return remove(&mut group.peers, left);
                                }
                                left -= count;
                                false
                            })
                        }
                    };
                    if !there {
                        break;
                    }
                    if !keep(smaller, &mut self) {
                        at += 1;
                    }
                }
            }
            for at in 0..self.packets.len() {
                let mut nth = 0;
                while let Some(simpler) = self.packets[at].simpler().into_iter().nth(nth) {
                    // What reads shorter is simpler: so this ends.
                    let is_shorter = simpler.to_string().len() < self.packets[at].to_string().len();
                    let mut smaller = self.clone();
                    smaller.packets[at] = simpler;
                    if !is_shorter || !keep(smaller, &mut self) {
                        nth += 1;
                    }
                }
            }
            if self == before {
                return self;
            }
        }
    }
}

fn remove<T>(list: &mut Vec<T>, at: usize) -> bool {
    let there = at < list.len();
    if there {
        list.remove(at);
    }
    there
}

fn what(matches: Match) -> String {
    let name = |protocol: Protocol| match protocol {
        Protocol::TCP => "tcp",
        Protocol::UDP => "udp",
        Protocol::SCTP => "sctp",
        Protocol::ICMP => "icmp",
        _ => "icmp6",
    };
    match matches {
        Match::All => "all".to_owned(),
        Match::Ports { protocol, ports: PortRange::ALL } => name(protocol).to_owned(),
        Match::Ports { protocol, ports } => format!("{}:{}-{}", name(protocol), ports.first, ports.last),
        Match::Icmp { protocol, icmp_type, icmp_code } => {
            let one = |number: Option<u8>| number.map_or("*".to_owned(), |number| number.to_string());
            format!("{}:{}/{}", name(protocol), one(icmp_type), one(icmp_code))
        }
        Match::Protocol { protocol } => format!("proto:{}", protocol.0),
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for rule in &self.rules.acl {
            let effect = if rule.allow { "allow" } else { "deny" };
            let (way, what) = (way(rule.direction), what(rule.matches));
            writeln!(f, "acl {} {way} {effect} {what} {}", rule.number, rule.peer)?;
        }
        for rule in &self.rules.groups {
            write!(f, "sg {} {}", way(rule.direction), what(rule.matches))?;
            rule.peers.iter().try_for_each(|peer| write!(f, " {peer}"))?;
            writeln!(f)?;
        }
        self.rules.subnet_cidrs.iter().try_for_each(|block| writeln!(f, "subnet {block}"))?;
        writeln!(f, "---")?;
        self.packets.iter().try_for_each(|sent| writeln!(f, "{sent}"))
    }
}
