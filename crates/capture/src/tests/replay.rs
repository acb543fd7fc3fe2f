//! The programs beside the user-space decoder and table of `weir replay`: the
//! same frames, good and damaged, give the same flows and the same number of
//! malformed packets.

use super::frame::ethernet;
use super::random::{self, Chance, Past};
use super::support::{ENI, SMALL, drain, is_root, start};
use crate::Sizes;
use crate::testrun::{Outcome, TestInterface, set_clock};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::IpAddr;
use weir_flow::record::InterfaceFacts;
use weir_flow::sample::{FlowSample, InterfaceSamples};
use weir_flow::window::Window;
use weir_policy::CompiledRules;
use weir_replay::file::CaptureInterface;
use weir_replay::link::Link;
use weir_replay::{Captured, Replay, Ruled, Sink, View};
use weir_types::id::EniId;
use weir_types::net::{Action, Direction};
use weir_types::orders::{Mode, Side};

const RUNS: u64 = 12;
const FRAMES: usize = 3000;
const SECOND_NS: u64 = 1_000_000_000;

type Key = (Direction, Action, IpAddr, IpAddr, u16, u16, u8);

/// Packets, bytes and flags of each flow, whichever window they are of.
#[derive(Default)]
struct Sums(BTreeMap<Key, (u64, u64, u8)>);

impl Sums {
    fn add(&mut self, flows: &[FlowSample]) {
        for f in flows {
            let key = (f.direction, f.action, f.src, f.dst, f.src_port, f.dst_port, f.protocol.0);
            let sum = self.0.entry(key).or_default();
            *sum = (sum.0 + f.packets, sum.1 + f.bytes, sum.2 | f.tcp_flags);
        }
    }
}

impl Sink for Sums {
    type Error = Infallible;

    fn samples(
        &mut self,
        _: Window,
        _: &InterfaceFacts,
        samples: &InterfaceSamples,
    ) -> Result<(), Infallible> {
        self.add(&samples.flows);
        Ok(())
    }
}

/// Changes a byte, or cuts the frame; within what the kernel's test run takes.
fn damage(chance: &mut Chance, frame: &mut Vec<u8>) {
    match chance.below(6) {
        0 => frame.truncate(54 + chance.below(60)),
        1 | 2 => {
            let last = frame.len().min(100);
            let at = 14 + chance.below(last - 14);
            frame[at] = chance.next() as u8;
        }
        _ => {}
    }
    if frame.len() < 54 {
        frame.resize(54, 0);
    }
}

#[test]
fn the_programs_agree_with_the_decoder_of_replay() {
    if !is_root() {
        return;
    }
    for seed in 0..RUNS {
        let mut chance = Chance(seed);
        let rules = CompiledRules::compile(&random::rules(&mut chance)).unwrap();
        agree(&mut chance, rules);
    }
}

/// Frames from the corpus of fuzz/targets/frame.rs, as they are and damaged: what
/// the decoder is fuzzed with in user space goes through the programs as well.
#[test]
fn the_programs_agree_with_the_decoder_on_its_fuzzing_corpus() {
    if !is_root() {
        return;
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/frame");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    let (mut chance, mut frames) = (Chance(99), Vec::new());
    for path in paths {
        let input = std::fs::read(path).unwrap();
        // The target's first two bytes choose a link type and a cut.
        let frame = match input[0] % 5 {
            1 => input[2..].to_vec(),
            // Link types whose header is other than Ethernet's: what they carry.
            other => ethernet(&[], input.get([6, 0, 2, 18, 22][usize::from(other)]..).unwrap_or_default()),
        };
        for round in 0..500 {
            let mut frame = frame.clone();
            if round > 0 {
                for _ in 0..1 + chance.below(3) {
                    let at = 12 + chance.below(frame.len().max(16) - 12);
                    if let Some(byte) = frame.get_mut(at) {
                        *byte = chance.next() as u8;
                    }
                }
            }
            // The kernel's test run takes no shorter ones.
            if frame.len() < 54 {
                frame.resize(54, 0);
            }
            frames.push((chance.pick(&Direction::BOTH), frame));
        }
    }
    let rules = CompiledRules::compile(&random::rules(&mut chance)).unwrap();
    let (flows, malformed) = both(&mut chance, rules, &frames);
    assert!(flows > 100 && malformed > 100, "{flows} {malformed}");
}

fn agree(chance: &mut Chance, rules: CompiledRules) {
    let mut past = Past::default();
    let mut frames: Vec<(Direction, Vec<u8>)> = Vec::new();
    for _ in 0..FRAMES {
        let made = random::packet(chance, &mut past);
        let mut frame = made.frame;
        damage(chance, &mut frame);
        frames.push((made.packet.direction, frame));
    }
    // Bytes that were never a packet.
    for _ in 0..FRAMES / 10 {
        let mut ip: Vec<u8> = (0..60 + chance.below(200)).map(|_| chance.next() as u8).collect();
        ip[0] = chance.pick(&[0x45, 0x46, 0x4f, 0x60, 0x61]);
        // Often a protocol that is read further.
        let at = if ip[0] >> 4 == 6 { 6 } else { 9 };
        ip[at] = chance.pick(&[0, 1, 6, 17, 43, 44, 51, 58, 60, 132]);
        frames.push((Direction::Ingress, ethernet(&[], &ip)));
    }
    let (flows, malformed) = both(chance, rules, &frames);
    assert!(malformed > 50, "{malformed}");
    assert!(flows > 500, "{flows}");
}

/// Frames through the programs and through replay: the same flows, of which it
/// answers the number, and the same number of malformed packets.
fn both(chance: &mut Chance, rules: CompiledRules, frames: &[(Direction, Vec<u8>)]) -> (usize, u64) {
    let capture = start(Sizes { fragments: 8192, ..SMALL });
    let interface = TestInterface::new(&capture, ENI, Side::Instance, Mode::Evaluate, &rules).unwrap();
    let facts = InterfaceFacts::new("123456789012", "us-east-1", EniId::from_random(3));
    let view = View::of_vpc(vec![Ruled { facts, addresses: Vec::new(), rules }]);
    let mut replay = Replay::new(60.try_into().unwrap(), 1 << 20, view);
    let on = CaptureInterface { name: None, link_type: 1, link: Link::of(1) };
    let (mut replayed, mut counted) = (Sums::default(), Sums::default());
    let mut now_ns = 1_000_000 * SECOND_NS;
    for (direction, data) in frames {
        now_ns += chance.below(3) as u64 * SECOND_NS;
        set_clock(&capture, now_ns).unwrap();
        assert_eq!(interface.run(*direction, data).unwrap(), Outcome::Next);
        let time_ns = i64::try_from(now_ns).unwrap();
        let (interface, wire_len, direction) = (0, data.len(), Some(*direction));
        let captured = Captured { time_ns, interface, on: &on, data, wire_len, direction };
        replay.push(captured, &mut replayed).unwrap();
    }
    replay.finish(&mut replayed).unwrap();
    let window = drain(&capture);
    counted.add(&window.interfaces[&ENI].flows);
    assert_eq!(window.interfaces[&ENI].skipped_packets, 0);
    let malformed = window.losses.get(&ENI).map_or(0, |losses| losses.malformed_packets);
    let missing: Vec<_> = counted.0.iter().filter(|&(flow, sum)| replayed.0.get(flow) != Some(sum)).collect();
    let surplus: Vec<_> = replayed.0.iter().filter(|&(flow, sum)| counted.0.get(flow) != Some(sum)).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "kernel {missing:?}\nreplay {surplus:?}");
    assert_eq!(replay.counts().malformed, malformed);
    (counted.0.len(), malformed)
}
