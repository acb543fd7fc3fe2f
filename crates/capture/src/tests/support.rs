//! What the tests share: the root check, rules from text, sums of samples.

use crate::{Capture, ClosedWindow, InterfaceNumber, Sizes};
use std::io::Write;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use weir_flow::sample::FlowSample;
use weir_policy::CompiledRules;
use weir_types::id::{SecurityGroupId, SecurityGroupRuleId};
use weir_types::net::{Action, Direction, IpNet, PortRange, Protocol};
use weir_types::rule::{AclRule, GroupRule, InterfaceRules, Match};

pub const ENI: InterfaceNumber = InterfaceNumber(3);

pub const SMALL: Sizes = Sizes { flows: 4096, connections: 4096, interfaces: 16, fragments: 256 };

/// Whether this process may test against the kernel. If not, says so.
pub fn is_root() -> bool {
    let root = std::fs::read_to_string("/proc/self/status").is_ok_and(|status| {
        status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"))
    });
    if !root {
        // Not by eprintln!, which the test harness hides when a test passes.
        let _ = writeln!(std::io::stderr(), "SKIPPED: needs root");
    }
    root
}

/// Raises a flag when it goes, by a panic too: who waits for the flag goes on.
pub struct Raised<'a>(pub &'a AtomicBool);

impl Drop for Raised<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

pub fn start(sizes: Sizes) -> Capture {
    Capture::start(sizes).expect("capture starts")
}

/// Closes the window, clears it and gives what it counted.
pub fn drain(capture: &Capture) -> ClosedWindow {
    let window = capture.close_window().expect("window closes");
    capture.clear_window(window.id).expect("window is cleared");
    window
}

/// One interface's flows of a window, in a fixed order.
pub fn flows(window: &ClosedWindow, number: InterfaceNumber) -> Vec<FlowSample> {
    let mut flows = window.interfaces[&number].flows.clone();
    flows.sort_by_key(|f| (f.direction, f.action, f.src, f.dst, f.src_port, f.dst_port, f.protocol));
    flows
}

/// `ingress ACCEPT 10.0.0.1:1000 > 10.0.0.2:80 proto 6 packets 1 bytes 40 flags 2`
pub fn line(flow: &FlowSample) -> String {
    let end = |ip: IpAddr, port: u16| match ip {
        IpAddr::V4(ip) => format!("{ip}:{port}"),
        IpAddr::V6(ip) => format!("[{ip}]:{port}"),
    };
    format!(
        "{} {} {} > {} proto {} packets {} bytes {} flags {}",
        flow.direction,
        flow.action,
        end(flow.src, flow.src_port),
        end(flow.dst, flow.dst_port),
        flow.protocol,
        flow.packets,
        flow.bytes,
        flow.tcp_flags
    )
}

/// Packets and bytes of the flows that `wanted` picks.
pub fn sum(window: &ClosedWindow, wanted: impl Fn(&FlowSample) -> bool) -> (u64, u64) {
    let all = window.interfaces.values().flat_map(|samples| &samples.flows);
    all.filter(|flow| wanted(flow)).fold((0, 0), |(p, b), flow| (p + flow.packets, b + flow.bytes))
}

pub fn is(direction: Direction, action: Action) -> impl Fn(&FlowSample) -> bool {
    move |flow| flow.direction == direction && flow.action == action
}

/// Rules from lines:
/// `acl <number> <in|out> <allow|deny> <what> <cidr>`, `sg <in|out> <what> <cidr>...`, `subnet <cidr>`;
/// `what` is `all`, `tcp`, `udp:53`, `tcp:80-90`, `icmp`, `icmp:8`, `icmp6:3/1`, `icmp:*/1`, `proto:47`.
pub fn rules(text: &str) -> CompiledRules {
    CompiledRules::compile(&interface_rules(text)).expect("rules compile")
}

pub fn interface_rules(text: &str) -> InterfaceRules {
    let mut rules = InterfaceRules::default();
    for (index, line) in text.lines().map(str::trim).filter(|line| !line.is_empty()).enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let net = |text: &str| text.parse::<IpNet>().unwrap_or_else(|_| panic!("{line}: {text}"));
        let direction = |text: &str| if text == "in" { Direction::Ingress } else { Direction::Egress };
        match words[0] {
            "subnet" => rules.subnet_cidrs.push(net(words[1])),
            "acl" => rules.acl.push(AclRule {
                number: words[1].parse().unwrap(),
                direction: direction(words[2]),
                allow: words[3] == "allow",
                matches: matches(words[4]),
                peer: net(words[5]),
            }),
            "sg" => rules.groups.push(GroupRule {
                group: SecurityGroupId::from_random(1),
                rule: SecurityGroupRuleId::from_random(index as u128),
                direction: direction(words[1]),
                matches: matches(words[2]),
                peers: words[3..].iter().map(|text| net(text)).collect(),
            }),
            other => panic!("{other}"),
        }
    }
    rules
}

fn matches(text: &str) -> Match {
    let (name, rest) = text.split_once(':').map_or((text, None), |(name, rest)| (name, Some(rest)));
    let protocol = match name {
        "all" => return Match::All,
        "tcp" => Protocol::TCP,
        "udp" => Protocol::UDP,
        "sctp" => Protocol::SCTP,
        "icmp" => Protocol::ICMP,
        "icmp6" => Protocol::ICMPV6,
        "proto" => return Match::Protocol { protocol: Protocol(rest.unwrap().parse().unwrap()) },
        other => panic!("{other}"),
    };
    if protocol.is_icmp() {
        let one = |text: &str| (text != "*").then(|| text.parse().unwrap());
        let (icmp_type, code) = rest.map_or((None, None), |rest| match rest.split_once('/') {
            Some((t, c)) => (one(t), one(c)),
            None => (one(rest), None),
        });
        return Match::Icmp { protocol, icmp_type, icmp_code: code };
    }
    let ports = rest.map_or(PortRange::ALL, |rest| {
        let (first, last) = rest.split_once('-').unwrap_or((rest, rest));
        PortRange { first: first.parse().unwrap(), last: last.parse().unwrap() }
    });
    Match::Ports { protocol, ports }
}
