//! Nanoseconds a packet, by the kernel's own clock around test runs: the best
//! and the middle of many, taken in turns so that a busy machine disturbs all
//! alike.

use crate::frame::{self, TCP, V4, ethernet, ipv4};
use crate::usage::median;
use crate::{Answer, frame::UDP};
use std::fmt::Write as _;
use weir_capture::testrun::{EmptyProgram, NewFlows, TestInterface};
use weir_capture::{Capture, InterfaceNumber, Sizes};
use weir_policy::CompiledRules;
use weir_types::id::{SecurityGroupId, SecurityGroupRuleId};
use weir_types::net::{Direction, IpNet, PortRange, Protocol};
use weir_types::orders::{Mode, Side};
use weir_types::rule::{AclRule, GroupRule, InterfaceRules, Match};

const INTERFACE: InterfaceNumber = InterfaceNumber(1);
const ROUNDS: usize = 41;
const REPEAT: u32 = 100_000;
/// First packets, each run once.
const FIRST: u32 = 20_000;
/// First packets in one go, by an entry that gives each run another source.
const FIRST_HOT: u32 = 2_500;
const MODES: [(&str, Mode); 3] =
    [("observe", Mode::Observe), ("evaluate", Mode::Evaluate), ("enforce", Mode::Enforce)];

/// Groups of rules that all ask for TCP ports of some network, and an ACL: the
/// last rule of the last group allows what comes from 10.0.0.0/8.
pub fn rules(groups: u32, each: u32, acl: u16) -> Result<CompiledRules, Box<dyn std::error::Error>> {
    let mut rules = InterfaceRules::default();
    let tcp = |first, last| Match::Ports { protocol: Protocol::TCP, ports: PortRange { first, last } };
    let everywhere: IpNet = "0.0.0.0/0".parse()?;
    for direction in Direction::BOTH {
        for number in 1..=acl {
            let last = number == acl;
            let peer = if last { everywhere } else { format!("198.51.100.{number}/32").parse()? };
            let matches = if last { Match::All } else { tcp(20, 90) };
            rules.acl.push(AclRule { number, direction, allow: last, matches, peer });
        }
        for group in 0..groups {
            for index in 0..each {
                let last = (group, index) == (groups - 1, each - 1);
                let peer: IpNet = if last { "10.0.0.0/8" } else { "172.16.0.0/12" }.parse()?;
                let port = 1000 + (group * each + index) as u16;
                rules.groups.push(GroupRule {
                    group: SecurityGroupId::from_random(group.into()),
                    rule: SecurityGroupRuleId::from_random((group * each + index).into()),
                    direction,
                    matches: if last { Match::All } else { tcp(port, port) },
                    peers: vec![peer],
                });
            }
        }
    }
    Ok(CompiledRules::compile(&rules)?)
}

/// A segment from outside to port 80.
pub fn segment(src: &str, src_port: u16, flags: u8) -> Vec<u8> {
    let tcp = frame::tcp(src_port, 80, flags, 1, 1, 0);
    let mut frame = ethernet(&[], &ipv4(src, "10.0.0.2", TCP, V4::default(), &tcp));
    frame.resize(60, 0);
    frame
}

fn nth(n: u32) -> (String, u16) {
    (format!("10.{}.{}.{}", 1 + (n >> 14), (n >> 7) & 127, n & 127), 1024 + (n % 50_000) as u16)
}

pub fn cost() -> Answer {
    let sizes = Sizes { flows: 1 << 18, connections: 1 << 19, interfaces: 16, fragments: 64 };
    let capture = Capture::start(sizes)?;
    let empty = EmptyProgram::new(&capture)?;
    let few = rules(1, 1, 1)?;
    let many = rules(5, 60, 40)?;
    let interface = TestInterface::with_real_clock(&capture, INTERFACE, Side::Instance, Mode::Enforce, &few)?;
    let known = segment("10.0.0.1", 40_000, 0x10);
    let datagram = ethernet(&[], &ipv4("10.0.0.1", "10.0.0.2", UDP, V4::default(), &frame::udp(53, 53, 18)));
    let refused = segment("192.0.2.1", 40_000, 0x10);

    // What is measured, and its nanoseconds round by round.
    let mut found: Vec<(String, Vec<f64>)> = Vec::new();
    let mut note = |name: String, ns: u32| match found.iter_mut().find(|(known, _)| *known == name) {
        Some((_, values)) => values.push(f64::from(ns)),
        None => found.push((name, vec![f64::from(ns)])),
    };
    for _ in 0..ROUNDS {
        note("empty program".to_owned(), empty.time(&known, REPEAT)?);
        capture.set_rules(INTERFACE, &few)?;
        for (mode_name, mode) in MODES {
            capture.set_mode(INTERFACE, mode)?;
            note(format!("hit, {mode_name}"), interface.time(Direction::Ingress, &known, REPEAT)?);
            note(format!("hit UDP, {mode_name}"), interface.time(Direction::Ingress, &datagram, REPEAT)?);
        }
        capture.set_rules(INTERFACE, &many)?;
        note(
            "340 rules, refused by all".to_owned(),
            interface.time(Direction::Ingress, &refused, REPEAT / 10)?,
        );
    }
    let new = NewFlows::of(&capture, INTERFACE)?;
    let mut next = 0;
    for round in 0..7 {
        for (mode_name, mode) in MODES {
            capture.set_mode(INTERFACE, mode)?;
            // Short enough to be run without a pause.
            for _ in 0..4 {
                // Of networks that no other frame here is from.
                let (src, port) = (format!("10.{}.0.0", 128 + next), 40_000);
                next += 1;
                let ns = new.time(&segment(&src, port, 2), FIRST_HOT)?;
                note(format!("first packet, 340 rules, {mode_name}"), ns);
            }
        }
        let window = capture.close_window()?;
        assert!(window.losses.is_empty(), "the tables hold the flows of round {round}");
        let flows = &window.interfaces[&INTERFACE].flows;
        assert!(flows.len() >= MODES.len() * 4 * FIRST_HOT as usize, "each run was a flow: {}", flows.len());
        capture.clear_window(window.id)?;
    }
    let mut next = 0;
    for round in 0..3 {
        for (mode_name, mode) in MODES {
            capture.set_mode(INTERFACE, mode)?;
            let mut ns = [Vec::new(), Vec::new()];
            for _ in 0..FIRST {
                let (src, port) = nth(next);
                next += 1;
                let frame = segment(&src, port, 2);
                ns[0].push(f64::from(interface.time(Direction::Ingress, &frame, 1)?));
                // The second packet of the same flow, by the same method.
                ns[1].push(f64::from(interface.time(Direction::Ingress, &frame, 1)?));
            }
            let [first, second] = ns.map(median);
            note(format!("first packet, 340 rules, {mode_name} (single runs)"), first as u32);
            note(format!("second packet, {mode_name} (single runs)"), second as u32);
        }
        let window = capture.close_window()?;
        assert!(window.losses.is_empty(), "the tables hold {next} flows in round {round}");
        capture.clear_window(window.id)?;
        let alone =
            (0..FIRST).map(|_| empty.time(&known, 1).map(f64::from)).collect::<Result<Vec<_>, _>>()?;
        note("empty program (single runs)".to_owned(), median(alone) as u32);
    }
    let mut line = String::from("{");
    for (index, (name, values)) in found.into_iter().enumerate() {
        let best = values.iter().copied().fold(f64::INFINITY, f64::min);
        let comma = if index == 0 { "" } else { ", " };
        write!(line, "{comma}\"{name}\": [{best}, {}]", median(values))?;
    }
    line.push('}');
    Ok(line)
}

/// Some seconds of the known packet alone.
pub fn spin(mode: &str) -> Answer {
    let mode = MODES.iter().find(|(name, _)| *name == mode).ok_or("no such mode")?.1;
    let capture = Capture::start(Sizes::default())?;
    let interface =
        TestInterface::with_real_clock(&capture, INTERFACE, Side::Instance, mode, &rules(1, 1, 1)?)?;
    let known = segment("10.0.0.1", 40_000, 0x10);
    let rounds = (0..20).map(|_| interface.time(Direction::Ingress, &known, 1_000_000));
    let all = rounds.map(|ns| ns.map(f64::from)).collect::<Result<Vec<_>, _>>()?;
    Ok(format!("{:?}", all))
}
