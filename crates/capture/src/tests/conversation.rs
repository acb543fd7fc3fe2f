//! Tracked connections on the bench: several packets with a known answer each.

use super::frame::{self, ICMP, TCP, UDP, V4, ethernet, ipv4};
use super::support::{ENI, SMALL, drain, flows, is, is_root, line, rules, start, sum};
use crate::testrun::{Outcome, Taken, TestInterface, connections, set_clock, sweep_at, taken};
use crate::{InterfaceNumber, Sizes};
use std::sync::atomic::{AtomicU32, Ordering};
use weir_types::net::Action::Reject;
use weir_types::net::Direction::{Egress, Ingress};
use weir_types::orders::{Mode, Side};

const FIN_ACK: u8 = 0x11;
const ACK: u8 = 0x10;
const SYN: u8 = 0x02;
const SECOND_NS: u64 = 1_000_000_000;

/// A conversation on an interface that lets only `what` out, at given seconds.
struct Bench<'a> {
    interface: TestInterface,
    capture: &'a crate::Capture,
}

impl Bench<'_> {
    fn at(&self, second: u64) -> &Self {
        set_clock(self.capture, (second + 1000) * SECOND_NS).unwrap();
        self
    }

    fn out(&self, protocol: u8, payload: &[u8]) -> bool {
        self.run(Egress, ipv4("10.0.0.2", "10.0.0.1", protocol, V4::default(), payload))
    }

    fn back(&self, protocol: u8, payload: &[u8]) -> bool {
        self.run(Ingress, ipv4("10.0.0.1", "10.0.0.2", protocol, V4::default(), payload))
    }

    fn run(&self, hook: weir_types::net::Direction, ip: Vec<u8>) -> bool {
        self.interface.run(hook, &ethernet(&[], &ip)).unwrap() == Outcome::Next
    }
}

const OUT_ONLY: &str = "
    acl 100 in allow all 0.0.0.0/0
    acl 100 out allow all 0.0.0.0/0
    sg out all 0.0.0.0/0";

fn bench<'a>(capture: &'a crate::Capture, text: &str) -> Bench<'a> {
    let rules = rules(text);
    let interface = TestInterface::new(capture, ENI, Side::Instance, Mode::Enforce, &rules).unwrap();
    Bench { interface, capture }
}

#[test]
fn answers_pass_until_the_connection_falls_silent() {
    if !is_root() {
        return;
    }
    let capture = start(SMALL);
    let b = bench(&capture, OUT_ONLY);
    let (ask, answer) = (frame::udp(5000, 123, 48), frame::udp(123, 5000, 48));
    assert!(!b.at(0).back(UDP, &answer), "nobody asked");
    assert!(b.out(UDP, &ask));
    assert!(b.at(30).back(UDP, &answer));
    assert!(!b.at(61).back(UDP, &answer), "30 s after one question");
    assert!(b.out(UDP, &ask) && b.back(UDP, &answer) && b.out(UDP, &ask));
    assert!(b.at(61 + 180).back(UDP, &answer), "180 s for a stream");
    assert!(!b.at(61 + 180 + 181).back(UDP, &answer));

    assert_eq!(connections(&capture).unwrap().len(), 1);
    let end = (1000 + 61 + 180) * SECOND_NS;
    assert_eq!(sweep_at(&capture, end + 180 * SECOND_NS).unwrap().removed, 0);
    assert_eq!(sweep_at(&capture, end + 180 * SECOND_NS + 1).unwrap().removed, 1);
    assert_eq!(connections(&capture).unwrap().len(), 0);
}

#[test]
fn what_comes_after_the_close_is_rejected() {
    if !is_root() {
        return;
    }
    let capture = start(SMALL);
    let b = bench(&capture, OUT_ONLY);
    let out = |flags, seq, ack| b.out(TCP, &frame::tcp(5000, 80, flags, seq, ack, 0));
    let back = |flags, seq, ack| b.back(TCP, &frame::tcp(80, 5000, flags, seq, ack, 0));
    b.at(0);
    assert!(out(SYN, 10, 0) && back(0x12, 20, 11) && out(ACK, 11, 21));
    assert!(out(FIN_ACK, 11, 21) && back(FIN_ACK, 21, 12), "both say goodbye");
    assert!(out(ACK, 12, 22), "the last acknowledgement");
    assert!(!out(ACK, 12, 22) && !back(FIN_ACK, 21, 12), "late packets");
    assert!(b.at(60).out(TCP, &frame::tcp(5000, 80, SYN, 99, 0, 0)), "the same ports again");
    assert!(back(0x12, 50, 100));
    assert!(back(0x04, 51, 100), "a reset passes once");
    assert!(!back(0x04, 51, 100));
    assert!(b.at(121).out(TCP, &frame::tcp(5000, 80, ACK, 1, 1, 0)), "60 s later all is forgotten");
}

#[test]
fn icmp_errors_about_a_tracked_connection_pass() {
    if !is_root() {
        return;
    }
    let capture = start(SMALL);
    let b = bench(&capture, OUT_ONLY);
    b.at(0);
    let question = ipv4("10.0.0.2", "10.0.0.1", UDP, V4::default(), &frame::udp(5000, 123, 48));
    let other = ipv4("10.0.0.2", "10.0.0.1", UDP, V4::default(), &frame::udp(5001, 123, 48));
    let unreachable = |quoted: &[u8]| frame::icmp(3, 3, 0, &quoted[..28]);
    assert!(!b.back(ICMP, &unreachable(&question)), "before");
    assert!(b.out(UDP, &frame::udp(5000, 123, 48)));
    assert!(b.back(ICMP, &unreachable(&question)));
    assert!(!b.back(ICMP, &unreachable(&other)));
    assert!(!b.back(ICMP, &frame::icmp(8, 0, 0, &question[..28])), "an echo quotes nothing");
    // A router on the way may report, too.
    let router = ipv4("192.0.2.1", "10.0.0.2", ICMP, V4::default(), &unreachable(&question));
    assert!(b.run(Ingress, router));
    assert_eq!(connections(&capture).unwrap().len(), 1, "errors begin nothing");
}

/// The classic example of the flow log documentation: a ping that a security
/// group lets in, and an ACL that lets no answer out.
#[test]
fn a_ping_whose_answer_the_acl_refuses() {
    if !is_root() {
        return;
    }
    let capture = start(SMALL);
    let b = bench(&capture, "acl 100 in allow icmp 0.0.0.0/0\nsg in icmp 0.0.0.0/0");
    assert!(b.at(0).back(ICMP, &frame::icmp(8, 0, 1, &[0; 56])));
    assert!(!b.out(ICMP, &frame::icmp(0, 0, 1, &[0; 56])));
    let lines: Vec<String> = flows(&drain(&capture), ENI).iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "ingress ACCEPT 10.0.0.1:0 > 10.0.0.2:0 proto 1 packets 1 bytes 84 flags 0",
            "egress REJECT 10.0.0.2:0 > 10.0.0.1:0 proto 1 packets 1 bytes 84 flags 0",
        ]
    );
    // The ACL changes: the tracked ping obeys at once.
    capture.set_rules(ENI, &rules("acl 1 out allow all 0.0.0.0/0\nacl 1 in allow all 0.0.0.0/0")).unwrap();
    assert!(b.out(ICMP, &frame::icmp(0, 0, 1, &[0; 56])), "and outlives its group rule");
    assert!(!b.back(ICMP, &frame::icmp(8, 0, 2, &[0; 56])));
}

#[test]
fn a_full_connection_table_is_told() {
    if !is_root() {
        return;
    }
    let capture = start(Sizes { connections: 8, ..SMALL });
    let b = bench(&capture, OUT_ONLY);
    b.at(0);
    for port in 0..20 {
        assert!(b.out(UDP, &frame::udp(1000 + port, 53, 0)), "the rules allow it all the same");
    }
    let answered = (0..20).filter(|port| b.back(UDP, &frame::udp(53, 1000 + port, 0))).count();
    assert_eq!(answered, connections(&capture).unwrap().len());
    let window = drain(&capture);
    assert_eq!(window.losses[&ENI].untracked_connections, 20 - answered as u64);
    assert_eq!(sum(&window, is(Ingress, Reject)).0, 20 - answered as u64);
}

#[test]
fn interfaces_do_not_share_connections_and_detaching_forgets_them() {
    if !is_root() {
        return;
    }
    let capture = start(SMALL);
    let b = bench(&capture, OUT_ONLY);
    let other = InterfaceNumber(5);
    let neighbour = TestInterface::new(&capture, other, Side::Host, Mode::Enforce, &rules(OUT_ONLY)).unwrap();
    b.at(0);
    assert!(b.out(UDP, &frame::udp(1000, 53, 0)));
    // On the host's end the device's egress is the interface's ingress.
    let answer = ethernet(&[], &ipv4("10.0.0.1", "10.0.0.2", UDP, V4::default(), &frame::udp(53, 1000, 0)));
    assert_eq!(neighbour.run(Egress, &answer).unwrap(), Outcome::Drop);
    assert!(b.back(UDP, &frame::udp(53, 1000, 0)));
    capture.detach(ENI).unwrap();
    assert!(connections(&capture).unwrap().is_empty());
    assert_eq!(capture.attached(), [other]);
}

/// Two processors begin the same flows and connections at the same moment, and
/// then share one: nothing is lost, nothing is there twice.
#[test]
fn two_processors_meet_on_the_same_flows() {
    if !is_root() {
        return;
    }
    const FLOWS: u16 = 3000;
    const REPEAT: u32 = 300_000;
    let capture = start(SMALL);
    let b = bench(&capture, OUT_ONLY);
    b.at(0);
    let frame = |port| {
        let tcp = frame::tcp(1000 + port, 80, SYN, 0, 0, 0);
        ethernet(&[], &ipv4("10.0.0.2", "10.0.0.1", TCP, V4::default(), &tcp))
    };
    let gate = std::sync::Barrier::new(2);
    // Told at the end: who panicked would leave the other at the gate.
    let wrong = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for port in 0..FLOWS {
                    if port % 100 == 0 {
                        gate.wait();
                    }
                    if !matches!(b.interface.run(Egress, &frame(port)), Ok(Outcome::Next)) {
                        wrong.fetch_add(1, Ordering::Relaxed);
                    }
                }
                gate.wait();
                b.interface.time(Egress, &frame(FLOWS), REPEAT).unwrap();
            });
        }
    });
    assert_eq!(wrong.into_inner(), 0);
    let all = u64::from(FLOWS) + 1;
    assert_eq!(connections(&capture).unwrap().len() as u64, all);
    // Who came second has given back what it had taken.
    let common = all - u64::from(SMALL.connections / 2);
    assert_eq!(taken(&capture, ENI).unwrap(), Taken { connections: all, pools: [common, 0, common] });
    let window = drain(&capture);
    let counted = flows(&window, ENI);
    assert_eq!(counted.len(), usize::from(FLOWS) + 1);
    for flow in counted {
        let packets = if flow.src_port == 1000 + FLOWS { u64::from(REPEAT) * 2 } else { 2 };
        assert_eq!((flow.packets, flow.bytes, flow.tcp_flags), (packets, packets * 40, 2), "{flow:?}");
    }
    assert!(window.losses.is_empty());
}

/// What the interface's flows say, in short: direction, action, packets.
fn said(capture: &crate::Capture) -> Vec<String> {
    let words = |flow: &weir_flow::sample::FlowSample| {
        format!("{} {} {} {}", flow.direction, flow.action, flow.protocol, flow.packets)
    };
    flows(&drain(capture), ENI).iter().map(words).collect()
}

#[test]
fn answers_to_what_would_have_been_dropped_do_not_make_it_acceptable() {
    if !is_root() {
        return;
    }
    let capture = start(SMALL);
    let b = bench(&capture, OUT_ONLY);
    capture.set_mode(ENI, Mode::Evaluate).unwrap();
    // A connection from outside that nothing allows, from beginning to end.
    b.at(0).back(TCP, &frame::tcp(80, 5000, SYN, 10, 0, 0));
    b.out(TCP, &frame::tcp(5000, 80, 0x12, 20, 11, 0));
    b.back(TCP, &frame::tcp(80, 5000, ACK, 11, 21, 0));
    b.out(TCP, &frame::tcp(5000, 80, ACK, 21, 11, 100));
    b.at(3600).out(TCP, &frame::tcp(5000, 80, ACK, 121, 11, 100));
    b.back(TCP, &frame::tcp(80, 5000, ACK, 11, 221, 0));
    // The same in UDP; and an error about it is related to nothing.
    let (question, answer) = (frame::udp(123, 5000, 48), frame::udp(5000, 123, 48));
    b.back(UDP, &question);
    b.out(UDP, &answer);
    b.back(UDP, &question);
    let quoted = ipv4("10.0.0.2", "10.0.0.1", UDP, V4::default(), &answer);
    b.back(ICMP, &frame::icmp(3, 3, 0, &quoted[..28]));
    let expected = [
        "ingress REJECT 1 1",
        "ingress REJECT 17 2",
        "ingress REJECT 6 3",
        "egress ACCEPT 17 1",
        "egress ACCEPT 6 3",
    ];
    let mut found = said(&capture);
    found.sort_by_key(|line| (line.starts_with("egress"), line.clone()));
    assert_eq!(found, expected);

    // What the instance begins itself is tracked, refused before or not.
    b.out(TCP, &frame::tcp(5000, 80, SYN, 500, 0, 0));
    b.back(TCP, &frame::tcp(80, 5000, 0x12, 600, 501, 0));
    assert_eq!(said(&capture), ["ingress ACCEPT 6 1", "egress ACCEPT 6 1"]);
    // Where packets are dropped nothing is refused by memory: an answer from inside begins a flow.
    capture.set_mode(ENI, Mode::Enforce).unwrap();
    assert!(!b.back(UDP, &question) && b.out(UDP, &answer) && b.back(UDP, &question));
}
