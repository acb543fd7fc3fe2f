//! Single frames with a known answer.

use super::frame::{self, ICMP, ICMPV6, TCP, UDP, V4, ethernet, ipv4, ipv6};
use super::support::{ENI, SMALL, drain, flows, is_root, line, rules, start};
use crate::testrun::{Outcome, TestInterface, set_clock};
use weir_types::net::Direction::{Egress, Ingress};
use weir_types::orders::{Mode, Side};

const OPEN: &str = "
    acl 100 in allow all 0.0.0.0/0
    acl 101 in allow all ::/0
    acl 100 out allow all 0.0.0.0/0
    acl 101 out allow all ::/0
    sg in all 0.0.0.0/0 ::/0
    sg out all 0.0.0.0/0 ::/0";

/// Runs frames through an open interface and compares what was counted.
fn check(frames: &[Vec<u8>], expected: &[&str]) {
    check_gso(&frames.iter().map(|frame| (frame.clone(), 0, 0)).collect::<Vec<_>>(), expected);
}

fn check_gso(frames: &[(Vec<u8>, u32, u32)], expected: &[&str]) {
    if !is_root() {
        return;
    }
    let capture = start(SMALL);
    let interface = TestInterface::new(&capture, ENI, Side::Instance, Mode::Enforce, &rules(OPEN)).unwrap();
    for (frame, size, segments) in frames {
        let outcome = interface.run_gso(Ingress, frame, *size, *segments).unwrap();
        assert_eq!(outcome, Outcome::Next);
    }
    let window = drain(&capture);
    let lines: Vec<String> = flows(&window, ENI).iter().map(line).collect();
    assert_eq!(lines, expected);
}

#[test]
fn a_plain_packet() {
    check(
        &[ethernet(
            &[],
            &ipv4("10.0.0.1", "10.0.0.2", TCP, V4::default(), &frame::tcp(1000, 80, 2, 5, 0, 7)),
        )],
        &["ingress ACCEPT 10.0.0.1:1000 > 10.0.0.2:80 proto 6 packets 1 bytes 47 flags 2"],
    );
}
