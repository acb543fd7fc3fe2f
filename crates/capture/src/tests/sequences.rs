//! Many short sequences of packets, each as if nothing had been before: the
//! programs against the reference evaluator. A sequence that fails is made as
//! short as it can be and printed as text for a test.
//!
//! A million in every run; `WEIR_SEQUENCES=10000` runs fewer, `WEIR_SEED=…` others.

use super::differential::{Flow, Told, flow_of, name, reported, step_ns, tells};
use super::random::{self, Chance, Past};
use super::sequence::{Case, Fragments, Sent};
use super::support::{ENI, drain, is_root, start};
use crate::testrun::{Clock, Outcome, TestInterface, forget_connections};
use crate::{Capture, Sizes};
use std::collections::{BTreeMap, HashMap};
use weir_policy::{CompiledRules, Packet, Tracker, Verdict};
use weir_types::net::Action;
use weir_types::orders::{Mode, Side};
use weir_types::rule::InterfaceRules;

/// Of each of the two tests; six packets and a half each.
const SEQUENCES: usize = 500_000;
/// Sequences that have their rules in common: a change of rules takes the kernel
/// a grace period.
const BATCH: usize = 1000;
const LONGEST: usize = 12;
/// Between sequences: longer than any connection is remembered.
const PAUSE_NS: u64 = 500_000 * 1_000_000_000;
const SIZES: Sizes = Sizes { flows: 32_768, connections: 32_768, interfaces: 16, fragments: 64 };

/// What decides beside the programs: the reference, or in one test a wrong one.
type Judge = fn(&mut Tracker, &CompiledRules, &Packet, u64, Mode) -> Verdict;

fn reference(tracker: &mut Tracker, rules: &CompiledRules, packet: &Packet, now: u64, mode: Mode) -> Verdict {
    match mode {
        Mode::Enforce => tracker.decide(rules, packet, now),
        _ => tracker.evaluate(rules, packet, now),
    }
}

struct Bench {
    capture: Capture,
    interface: TestInterface,
    mode: Mode,
    judge: Judge,
    /// Verdicts by their names, and packets.
    seen: BTreeMap<&'static str, usize>,
    packets: usize,
}

/// Which sequence differed, if that is known, and how.
type Fault = (Option<usize>, String);

impl Bench {
    fn new(mode: Mode, judge: Judge) -> Self {
        let capture = start(SIZES);
        let rules = CompiledRules::default();
        let interface = TestInterface::new(&capture, ENI, Side::Instance, mode, &rules).unwrap();
        Self { capture, interface, mode, judge, seen: BTreeMap::new(), packets: 0 }
    }

    /// Runs sequences one after the other and compares verdicts, then counts.
    fn run(&mut self, rules: &InterfaceRules, sequences: &[&[Sent]]) -> Result<(), Fault> {
        let rules = CompiledRules::compile(rules).unwrap();
        self.capture.set_rules(ENI, &rules).unwrap();
        forget_connections(&self.capture, true).unwrap();
        let mut expected: HashMap<Flow, Told> = HashMap::new();
        let mut clock = Clock::of(&self.capture).unwrap();
        let mut now_ns = PAUSE_NS;
        for (index, sequence) in sequences.iter().enumerate() {
            let (mut tracker, mut fragments) = (Tracker::new(), Fragments::new());
            now_ns += PAUSE_NS;
            for (at, sent) in sequence.iter().enumerate() {
                now_ns += sent.after_ns;
                clock.set(now_ns).unwrap();
                let made = sent.make(&mut fragments);
                let verdict = (self.judge)(&mut tracker, &rules, &made.packet, now_ns, self.mode);
                let outcome = self.interface.run_gso(sent.direction, &made.frame, made.gso.0, made.gso.1);
                let passes = verdict.action() == Action::Accept || self.mode != Mode::Enforce;
                let wanted = if passes { Outcome::Next } else { Outcome::Drop };
                let outcome = outcome.unwrap();
                if outcome != wanted {
                    let _ = drain(&self.capture);
                    return Err((Some(index), format!("packet {at}: {verdict}, but {outcome:?}")));
                }
                *self.seen.entry(name(&verdict)).or_default() += 1;
                self.packets += 1;
                if verdict.is_counted() {
                    let told = expected
                        .entry(flow_of(&made.packet, verdict.action()))
                        .or_insert_with(|| Told { sum: (0, 0, 0), first: verdict });
                    let (packets, bytes, flags) = told.sum;
                    told.sum = (packets + made.packets, bytes + made.bytes, flags | reported(&made.packet));
                }
            }
            if sequence.iter().any(|sent| sent.fragment != Default::default()) {
                forget_connections(&self.capture, false).unwrap();
            }
        }
        let window = drain(&self.capture);
        let mut differ = Vec::new();
        for f in &window.interfaces[&ENI].flows {
            let key: Flow = (f.direction, f.action, f.src, f.dst, f.src_port, f.dst_port, f.protocol.0);
            match expected.remove(&key) {
                Some(told) if told.sum != (f.packets, f.bytes, f.tcp_flags) => {
                    differ.push(format!("{f:?}, but expected {:?}", told.sum));
                }
                Some(told) if !tells(f.decision, &told.first, f.direction) => {
                    differ.push(format!("{f:?}, but first decided: {}", told.first));
                }
                Some(_) => {}
                None => differ.push(format!("{f:?}, but nothing was expected")),
            }
        }
        differ
            .extend(expected.iter().map(|(flow, told)| format!("no {flow:?}, but expected {:?}", told.sum)));
        // A batch has the flows of many sequences: who it was shows when each runs alone.
        if differ.is_empty() { Ok(()) } else { Err((None, differ.join("\n"))) }
    }

    /// The first sequence that fails when it runs alone.
    fn culprit(&mut self, rules: &InterfaceRules, sequences: &[&[Sent]], fault: &Fault) -> Option<Case> {
        let suspects = match fault.0 {
            Some(index) => &sequences[index..=index],
            None => sequences,
        };
        let guilty = suspects.iter().find(|sequence| self.run(rules, &[sequence]).is_err())?;
        Some(Case { rules: rules.clone(), packets: guilty.to_vec() })
    }

    fn fails(&mut self, case: &Case) -> bool {
        self.run(&case.rules, &[&case.packets]).is_err()
    }
}

fn drawn(chance: &mut Chance) -> Vec<Sent> {
    let mut past = Past::default();
    let length = 1 + chance.below(LONGEST);
    let mut next = |_| {
        let after_ns = if chance.once_in(2) { 0 } else { step_ns(chance) };
        Sent { after_ns, ..random::sent(chance, &mut past) }
    };
    (0..length).map(&mut next).collect()
}

/// Draws sequences until one fails: that one, as short as it can be, and why.
fn search(bench: &mut Bench, seed: u64, count: usize) -> Option<(Case, Fault)> {
    let mut chance = Chance(seed);
    for _ in 0..count.div_ceil(BATCH) {
        let rules = random::rules(&mut chance);
        let sequences: Vec<Vec<Sent>> = (0..BATCH).map(|_| drawn(&mut chance)).collect();
        let sequences: Vec<&[Sent]> = sequences.iter().map(Vec::as_slice).collect();
        let Err(fault) = bench.run(&rules, &sequences) else { continue };
        let Some(case) = bench.culprit(&rules, &sequences, &fault) else {
            panic!("only together do these sequences fail (seed {seed}): {}", fault.1);
        };
        return Some((case.shrink(&mut |case| bench.fails(case)), fault));
    }
    None
}

fn number(variable: &str, otherwise: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")),
        Err(_) => otherwise,
    }
}

fn agree(mode: Mode, seed: u64) {
    if !is_root() {
        return;
    }
    let count = number("WEIR_SEQUENCES", 2 * SEQUENCES as u64).div_ceil(2) as usize;
    let mut bench = Bench::new(mode, reference);
    if let Some((case, fault)) = search(&mut bench, number("WEIR_SEED", 0) * 16 + seed, count) {
        let why = bench.run(&case.rules, &[&case.packets]).err().unwrap_or(fault).1;
        panic!("in {mode:?} mode the programs and the reference differ: {why}\n{case}");
    }
    assert!(bench.packets > count * LONGEST / 2, "{}", bench.packets);
    if count < 50_000 {
        return;
    }
    // Every verdict came up, often enough to mean something.
    assert_eq!(bench.seen.len(), 9, "{:?}", bench.seen);
    let rarest = bench.seen.values().min();
    assert!(rarest.is_some_and(|&rarest| rarest > count / 1000), "{:?}", bench.seen);
}

#[test]
fn short_sequences_agree_where_rejected_packets_are_dropped() {
    agree(Mode::Enforce, 1);
}

#[test]
fn short_sequences_agree_where_rejected_packets_pass() {
    agree(Mode::Evaluate, 2);
}

/// A reference that knows no FIN: its connections never close.
fn no_fin(tracker: &mut Tracker, rules: &CompiledRules, packet: &Packet, now: u64, mode: Mode) -> Verdict {
    let mut packet = *packet;
    if let Some(tcp) = &mut packet.tcp {
        tcp.flags &= !1;
    }
    reference(tracker, rules, &packet, now, mode)
}

/// What a close needs: a beginning that is its FIN as well, the other FIN with
/// its acknowledgement, the last acknowledgement, and one packet too many. (Or a
/// reset, and a beginning with FIN that another group would allow.)
fn is_a_close(case: &Case) -> bool {
    case.packets.len() <= 4
        && case.rules.acl.len() <= 2
        && (1..=2).contains(&case.rules.groups.len())
        && case.packets.iter().all(|sent| sent.tags == 0 && sent.payload == 0 && sent.gso.is_none())
}

#[test]
fn a_wrong_reference_is_found_and_told_shortly() {
    if !is_root() {
        return;
    }
    let mut bench = Bench::new(Mode::Enforce, no_fin);
    let (case, _) = search(&mut bench, 5, 20_000).expect("connections that never close are found out");
    assert!(is_a_close(&case), "{case}");
    assert!(bench.fails(&Case::read(&case.to_string())), "what is printed fails as well: {case}");
    bench.judge = reference;
    assert!(!bench.fails(&case), "{case}");
}

/// The shrinker by itself, without a kernel: one reference against the other.
#[test]
fn a_failing_sequence_is_made_short() {
    let fails = |case: &Case| {
        let rules = CompiledRules::compile(&case.rules).unwrap();
        let (mut right, mut wrong) = (Tracker::new(), Tracker::new());
        let (mut fragments, mut now_ns) = (Fragments::new(), PAUSE_NS);
        case.packets.iter().any(|sent| {
            now_ns += sent.after_ns;
            let packet = sent.make(&mut fragments).packet;
            let verdict = reference(&mut right, &rules, &packet, now_ns, Mode::Enforce);
            verdict.action() != no_fin(&mut wrong, &rules, &packet, now_ns, Mode::Enforce).action()
        })
    };
    let mut chance = Chance(7);
    let case = (0..20_000).find_map(|_| {
        let case = Case { rules: random::rules(&mut chance), packets: drawn(&mut chance) };
        fails(&case).then_some(case)
    });
    let long = case.expect("connections that never close are found out");
    let case = long.clone().shrink(&mut |case| fails(case));
    assert!(case.packets.len() < long.packets.len() && is_a_close(&case), "{case}");
    let again = Case::read(&case.to_string());
    assert_eq!(again.packets, case.packets);
    assert!(fails(&again), "{again}");
}
