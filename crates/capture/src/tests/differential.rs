//! The programs against the reference evaluator: the same rules, the same
//! packets, the same clock; verdicts, counts and tracked connections must agree.

use super::random::{self, Chance, Past};
use super::sequence::Made;
use super::support::{ENI, drain, is_root, start};
use crate::testrun::{Outcome, TestInterface, connections, set_clock, sweep_at};
use crate::{Sizes, abi};
use std::collections::BTreeMap;
use std::net::IpAddr;
use weir_flow::decision::{Decision, Reason};
use weir_policy::{CompiledRules, Origin, Packet, Tracker, Verdict};
use weir_types::id::{SecurityGroupId, SecurityGroupRuleId};
use weir_types::net::{Action, Direction};
use weir_types::orders::{Mode, Side};

const SECOND_NS: u64 = 1_000_000_000;
/// Fewer where the counts are read often, which takes a grace period each time.
const PACKETS: [usize; 2] = [60_000, 15_000];

/// Direction, action, source, destination, ports, protocol.
pub(super) type Flow = (Direction, Action, IpAddr, IpAddr, u16, u16, u8);

pub(super) fn flow_of(packet: &Packet, action: Action) -> Flow {
    let p = packet;
    (p.direction, action, p.src, p.dst, p.src_port, p.dst_port, p.protocol.0)
}

/// What a flow must come to: packets, bytes and flags, and the verdict on its
/// first packet.
pub(super) struct Told {
    pub sum: (u64, u64, u8),
    pub first: Verdict,
}

/// AWS's sum of one packet's flags.
pub(super) fn reported(packet: &Packet) -> u8 {
    let flags = packet.tcp.map_or(0, |tcp| tcp.flags);
    flags & 7 | if flags & 0x12 == 0x12 { 16 } else { 0 }
}

/// Mostly moments; now and then just short of, just at, or past a timeout.
pub(super) fn step_ns(chance: &mut Chance) -> u64 {
    if chance.below(50) > 0 {
        return chance.below(10_000_000) as u64;
    }
    let timeout = chance.pick(&[30, 60, 120, 180, 600, 432_000]) * SECOND_NS;
    timeout - 1 + chance.below(3) as u64
}

#[test]
fn the_programs_agree_with_the_reference() {
    if is_root() {
        agree(1, &[Mode::Enforce]);
    }
}

#[test]
fn the_programs_agree_with_the_reference_when_rejected_packets_pass() {
    if is_root() {
        agree(3, &[Mode::Evaluate]);
    }
}

#[test]
fn the_programs_agree_with_the_reference_when_the_mode_changes() {
    if is_root() {
        agree(4, &[Mode::Evaluate, Mode::Enforce]);
    }
}

fn agree(seed: u64, modes: &[Mode]) {
    let sizes = Sizes { flows: 65_536, connections: 65_536, interfaces: 16, fragments: 8192 };
    let capture = start(sizes);
    let mut chance = Chance(seed);
    let mut rules = CompiledRules::default();
    let mut mode = modes[0];
    let interface = TestInterface::new(&capture, ENI, Side::Instance, mode, &rules).unwrap();
    let mut refused = 0;
    let (mut tracker, mut past) = (Tracker::new(), Past::default());
    let mut expected: BTreeMap<Flow, (u64, u64, u8)> = BTreeMap::new();
    let mut decided: BTreeMap<Flow, Verdict> = BTreeMap::new();
    let mut seen: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut now_ns = 1_000_000 * SECOND_NS;
    let packets = PACKETS[usize::from(modes.contains(&Mode::Evaluate))];
    for index in 0..packets {
        if index % 100 == 0 {
            rules = CompiledRules::compile(&random::rules(&mut chance)).unwrap();
            capture.set_rules(ENI, &rules).unwrap();
            mode = chance.pick(modes);
            capture.set_mode(ENI, mode).unwrap();
        }
        now_ns += step_ns(&mut chance);
        set_clock(&capture, now_ns).unwrap();
        let made = random::packet(&mut chance, &mut past);
        let Made { packet, frame, gso, packets, bytes } = &made;
        let enforced = mode == Mode::Enforce;
        let verdict = match enforced {
            true => tracker.decide(&rules, packet, now_ns),
            false => tracker.evaluate(&rules, packet, now_ns),
        };
        let outcome = interface.run_gso(packet.direction, frame, gso.0, gso.1).unwrap();
        let passes = verdict.action() == Action::Accept || !enforced;
        let wanted = if passes { Outcome::Next } else { Outcome::Drop };
        assert_eq!(outcome, wanted, "packet {index}: {verdict}\n{made:?}");
        *seen.entry(name(&verdict)).or_default() += 1;
        if verdict.is_counted() {
            decided.entry(flow_of(packet, verdict.action())).or_insert_with(|| verdict.clone());
            let count = expected.entry(flow_of(packet, verdict.action())).or_default();
            *count = (count.0 + packets, count.1 + bytes, count.2 | reported(packet));
        }
        // A verdict that changes nothing for the packet shows in the counts only.
        if index % (if enforced { 1000 } else { 50 }) == 49 {
            compare_counts(&capture, &mut expected, &mut decided);
            let connections = connections(&capture).unwrap();
            assert_eq!(connections.len(), tracker.len(), "packet {index}");
            refused += connections.iter().filter(|(_, found)| found.flags & abi::flag::REFUSED != 0).count();
        }
        if index % 5000 == 4999 {
            let before = tracker.len();
            tracker.expire(now_ns);
            let swept = sweep_at(&capture, now_ns).unwrap();
            assert_eq!((swept.live, swept.removed), (tracker.len(), before - tracker.len()));
        }
    }
    assert_eq!(refused > 0, modes.contains(&Mode::Evaluate));
    // Every verdict came up, often enough to mean something.
    for verdict in [
        "acl rule",
        "acl default",
        "rule",
        "untracked",
        "tracked",
        "related",
        "after close",
        "no group",
        "not judged",
    ] {
        assert!(seen.get(verdict).is_some_and(|&count| count > 20), "{verdict}: {seen:?}");
    }
}

pub(super) fn name(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::AclRule { .. } => "acl rule",
        Verdict::AclDefault => "acl default",
        Verdict::GroupRule { .. } => "rule",
        Verdict::Untracked { .. } => "untracked",
        Verdict::Tracked => "tracked",
        Verdict::Related => "related",
        Verdict::AfterClose => "after close",
        Verdict::NoGroupAllows => "no group",
        Verdict::NotJudged => "not judged",
    }
}

/// Whether records tell the verdict on the first packet. They name the rule by
/// which a tracked flow began, the reference does not; and a late packet that
/// both the ACL and its connection's end refuse has two true reasons.
pub(super) fn tells(decision: Decision, verdict: &Verdict, direction: Direction) -> bool {
    let acl = |number: u16| Origin::Acl { number }.name_number();
    let group = |group: &SecurityGroupId, rule: &SecurityGroupRuleId| {
        Origin::Group { group: group.clone(), rule: rule.clone() }.name_number()
    };
    let expected = match verdict {
        Verdict::Tracked => return decision.reason == Reason::Tracked,
        Verdict::AclRule { .. } | Verdict::AclDefault
            if decision.reason == Reason::AfterClose && direction == Direction::Ingress =>
        {
            return true;
        }
        Verdict::AclRule { number } => (Reason::AclRule, acl(*number)),
        Verdict::AclDefault => (Reason::AclDefault, 0),
        Verdict::GroupRule { group: id, rule } => (Reason::GroupRule, group(id, rule)),
        Verdict::Untracked { group: id, rule } => (Reason::Untracked, group(id, rule)),
        Verdict::Related => (Reason::Related, 0),
        Verdict::AfterClose => (Reason::AfterClose, 0),
        Verdict::NoGroupAllows => (Reason::NoGroupRule, 0),
        Verdict::NotJudged => (Reason::None, 0),
    };
    (decision.reason, decision.rule) == expected
}

fn compare_counts(
    capture: &crate::Capture,
    expected: &mut BTreeMap<Flow, (u64, u64, u8)>,
    decided: &mut BTreeMap<Flow, Verdict>,
) {
    let window = drain(capture);
    let samples = &window.interfaces[&ENI];
    assert_eq!(samples.skipped_packets, 0);
    assert!(window.losses.is_empty(), "{:?}", window.losses);
    let counted: BTreeMap<Flow, (u64, u64, u8)> = samples
        .flows
        .iter()
        .map(|f| {
            let key = (f.direction, f.action, f.src, f.dst, f.src_port, f.dst_port, f.protocol.0);
            (key, (f.packets, f.bytes, f.tcp_flags))
        })
        .collect();
    assert_eq!(counted.len(), samples.flows.len(), "one sample a flow");
    // Only what differs: a thousand flows are nothing to read.
    let missing: Vec<_> = expected.iter().filter(|&(flow, sum)| counted.get(flow) != Some(sum)).collect();
    let surplus: Vec<_> = counted.iter().filter(|&(flow, sum)| expected.get(flow) != Some(sum)).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "expected {missing:?}\ncounted {surplus:?}");
    expected.clear();
    for flow in &samples.flows {
        let key =
            (flow.direction, flow.action, flow.src, flow.dst, flow.src_port, flow.dst_port, flow.protocol.0);
        let verdict = &decided[&key];
        assert!(tells(flow.decision, verdict, flow.direction), "{flow:?}\n{verdict}");
    }
    decided.clear();
}

/// The lowest bits of the keys are zero padding: two keys that look alike are one.
#[test]
fn padding_is_zero() {
    if !is_root() {
        return;
    }
    let capture = start(super::support::SMALL);
    let rules = super::support::rules("acl 1 in allow all 0.0.0.0/0\nsg in all 0.0.0.0/0");
    let interface = TestInterface::new(&capture, ENI, Side::Instance, Mode::Enforce, &rules).unwrap();
    let mut chance = Chance(2);
    let mut past = Past::default();
    for _ in 0..200 {
        let made = random::packet(&mut chance, &mut past);
        interface.run(made.packet.direction, &made.frame).unwrap();
    }
    let all: Vec<(abi::ConnectionKey, abi::Connection)> = connections(&capture).unwrap();
    assert!(!all.is_empty());
    assert!(all.iter().all(|(key, _)| key.zero == 0));
}
