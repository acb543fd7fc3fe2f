//! Single frames with a known answer.

use super::frame::{self, ICMP, ICMPV6, TCP, UDP, V4, ethernet, extension, fragment_header, ipv4, ipv6};
use super::support::{ENI, SMALL, drain, flows, is_root, line, rules, start, sum};
use crate::testrun::{Outcome, TestInterface};
use weir_types::net::Direction::{Egress, Ingress};
use weir_types::orders::{Mode, Side};

const OPEN: &str = "
    acl 100 in allow all 0.0.0.0/0
    acl 101 in allow all ::/0
    acl 100 out allow all 0.0.0.0/0
    acl 101 out allow all ::/0
    sg in all 0.0.0.0/0 ::/0
    sg out all 0.0.0.0/0 ::/0";

const ACK: u8 = 0x10;
const SYN: u8 = 0x02;

/// Runs frames through the ingress of an open interface and compares what was counted.
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
    assert!(window.losses.is_empty());
}

fn v4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    ethernet(&[], &ipv4("10.0.0.1", "10.0.0.2", protocol, V4::default(), payload))
}

#[test]
fn plain_packets_of_every_kind() {
    check(
        &[
            v4(TCP, &frame::tcp(1000, 80, SYN, 5, 0, 7)),
            v4(UDP, &frame::udp(53, 5353, 4)),
            v4(132, &[&frame::udp(7, 8, 0)[..], &[0; 8]].concat()),
            v4(ICMP, &frame::icmp(8, 0, 77, &[0; 56])),
            v4(47, &[0; 10]),
            // ESP, and a tunnel: what is on the interface is counted, not what is inside.
            v4(50, &[9; 24]),
            v4(4, &ipv4("192.0.2.1", "192.0.2.2", UDP, V4::default(), &frame::udp(1, 2, 0))),
            ethernet(&[], &ipv6("fd00::1", "fd00::2", TCP, &frame::tcp(1000, 80, 0x12, 5, 0, 0))),
            ethernet(&[], &ipv6("fd00::1", "fd00::2", ICMPV6, &frame::icmp(128, 0, 77, &[0; 56]))),
        ],
        &[
            "ingress ACCEPT 10.0.0.1:0 > 10.0.0.2:0 proto 1 packets 1 bytes 84 flags 0",
            "ingress ACCEPT 10.0.0.1:0 > 10.0.0.2:0 proto 4 packets 1 bytes 48 flags 0",
            "ingress ACCEPT 10.0.0.1:0 > 10.0.0.2:0 proto 47 packets 1 bytes 30 flags 0",
            "ingress ACCEPT 10.0.0.1:0 > 10.0.0.2:0 proto 50 packets 1 bytes 44 flags 0",
            "ingress ACCEPT 10.0.0.1:7 > 10.0.0.2:8 proto 132 packets 1 bytes 36 flags 0",
            "ingress ACCEPT 10.0.0.1:53 > 10.0.0.2:5353 proto 17 packets 1 bytes 32 flags 0",
            "ingress ACCEPT 10.0.0.1:1000 > 10.0.0.2:80 proto 6 packets 1 bytes 47 flags 2",
            "ingress ACCEPT [fd00::1]:0 > [fd00::2]:0 proto 58 packets 1 bytes 104 flags 0",
            "ingress ACCEPT [fd00::1]:1000 > [fd00::2]:80 proto 6 packets 1 bytes 60 flags 18",
        ],
    );
}

#[test]
fn vlan_tags_are_looked_through() {
    let ip = ipv4("10.0.0.1", "10.0.0.2", UDP, V4::default(), &frame::udp(1, 2, 100));
    check(
        &[ethernet(&[], &ip), ethernet(&[7], &ip), ethernet(&[7, 8], &ip)],
        &["ingress ACCEPT 10.0.0.1:1 > 10.0.0.2:2 proto 17 packets 3 bytes 384 flags 0"],
    );
}

#[test]
fn link_padding_is_not_counted() {
    let mut frame = v4(TCP, &frame::tcp(1, 2, ACK, 0, 0, 0));
    frame.resize(60, 0);
    let mut frame6 = ethernet(&[], &ipv6("fd00::1", "fd00::2", 59, &[]));
    frame6.resize(60, 0);
    check(
        &[frame, frame6],
        &[
            "ingress ACCEPT 10.0.0.1:1 > 10.0.0.2:2 proto 6 packets 1 bytes 40 flags 0",
            "ingress ACCEPT [fd00::1]:0 > [fd00::2]:0 proto 59 packets 1 bytes 40 flags 0",
        ],
    );
}

#[test]
fn ports_are_found_behind_ipv4_options() {
    let options = [1u8; 40];
    let header = V4 { options: &options, ..V4::default() };
    check(
        &[ethernet(&[], &ipv4("10.0.0.1", "10.0.0.2", TCP, header, &frame::tcp(1, 2, SYN, 0, 0, 0)))],
        &["ingress ACCEPT 10.0.0.1:1 > 10.0.0.2:2 proto 6 packets 1 bytes 80 flags 2"],
    );
}

#[test]
fn ports_are_found_behind_eight_ipv6_extension_headers() {
    let chain = |count: u8| {
        let mut payload = Vec::new();
        for index in 0..count {
            let next = if index + 1 == count { UDP } else { 60 };
            payload.extend(extension(next, index % 3 + 1));
        }
        payload.extend(frame::udp(1, 2, 0));
        ethernet(&[], &ipv6("fd00::1", "fd00::2", 0, &payload))
    };
    check(&[chain(8)], &["ingress ACCEPT [fd00::1]:1 > [fd00::2]:2 proto 17 packets 1 bytes 168 flags 0"]);
    // An authentication header counts its length in units of 4 bytes, less 2.
    let mut payload = vec![UDP, 4, 0, 0];
    payload.resize(24, 0);
    payload.extend(frame::udp(1, 2, 0));
    check(
        &[ethernet(&[], &ipv6("fd00::1", "fd00::2", 51, &payload))],
        &["ingress ACCEPT [fd00::1]:1 > [fd00::2]:2 proto 17 packets 1 bytes 72 flags 0"],
    );
    refused(&[chain(9)]);
}

/// Frames that enforce mode drops as malformed, and that no record shows.
fn refused(frames: &[Vec<u8>]) {
    if !is_root() {
        return;
    }
    let capture = start(SMALL);
    let interface = TestInterface::new(&capture, ENI, Side::Instance, Mode::Enforce, &rules(OPEN)).unwrap();
    for frame in frames {
        assert_eq!(interface.run(Ingress, frame).unwrap(), Outcome::Drop, "{frame:x?}");
    }
    capture.set_mode(ENI, Mode::Evaluate).unwrap();
    for frame in frames {
        assert_eq!(interface.run(Ingress, frame).unwrap(), Outcome::Next, "{frame:x?}");
    }
    let window = drain(&capture);
    assert_eq!(window.losses[&ENI].malformed_packets, frames.len() as u64 * 2);
    assert!(window.interfaces[&ENI].flows.is_empty());
    assert!(drain(&capture).losses.is_empty(), "losses are of their window");
}

#[test]
fn cut_off_and_contradictory_headers_are_malformed() {
    let whole = v4(TCP, &frame::tcp(1, 2, SYN, 0, 0, 0));
    let change = |at: usize, byte: u8| {
        let mut frame = whole.clone();
        frame[at] = byte;
        frame
    };
    let mut short_datagram = whole.clone();
    short_datagram[16..18].copy_from_slice(&30u16.to_be_bytes());
    refused(&[
        whole[..34 + 19].to_vec(),
        v4(UDP, &[0; 7]),
        v4(ICMP, &[8, 0, 0, 0]),
        change(14, 0x65),
        change(14, 0x44),
        change(14, 0x4f),
        // A TCP header of 16 bytes.
        change(14 + 20 + 12, 0x40),
        // The datagram ends inside its TCP header.
        short_datagram,
        ethernet(&[], &ipv6("fd00::1", "fd00::2", 60, &[UDP, 0, 0, 0])),
        ethernet(&[], &ipv6("fd00::1", "fd00::2", 60, &extension(UDP, 1))),
    ]);
}

#[test]
fn fragments_take_the_ports_of_the_first() {
    let part = |id: u16, offset: u16, more: bool, payload: &[u8]| {
        ethernet(&[], &ipv4("10.0.0.1", "10.0.0.2", UDP, V4 { id, offset, more, options: &[] }, payload))
    };
    check(
        &[
            part(1, 0, true, &frame::udp(5, 6, 16)),
            part(1, 24, true, &[0; 24]),
            part(1, 48, false, &[0; 8]),
            // Nobody saw the first of these.
            part(2, 24, false, &[0; 8]),
        ],
        &[
            "ingress ACCEPT 10.0.0.1:0 > 10.0.0.2:0 proto 17 packets 1 bytes 28 flags 0",
            "ingress ACCEPT 10.0.0.1:5 > 10.0.0.2:6 proto 17 packets 3 bytes 116 flags 0",
        ],
    );
    // IPv6: later fragments know only the header that follows theirs.
    let part = |offset: u16, more: bool, payload: &[u8]| {
        let chain = [&fragment_header(60, 9, offset, more)[..], payload].concat();
        ethernet(&[], &ipv6("fd00::1", "fd00::2", 44, &chain))
    };
    let first = [extension(TCP, 1), frame::tcp(5, 6, SYN, 0, 0, 12)].concat();
    check(
        &[part(0, true, &first), part(40, false, &[0; 8])],
        &["ingress ACCEPT [fd00::1]:5 > [fd00::2]:6 proto 6 packets 2 bytes 144 flags 2"],
    );
}

#[test]
fn offload_is_unfolded() {
    let tcp = v4(TCP, &frame::tcp(1, 2, ACK, 0, 0, 2500));
    let udp = v4(UDP, &frame::udp(1, 2, 2500));
    check_gso(
        // Three segments of up to 1000 bytes: stated, and computed.
        &[(tcp.clone(), 1000, 3), (tcp, 1000, 0), (udp, 1000, 3)],
        &[
            "ingress ACCEPT 10.0.0.1:1 > 10.0.0.2:2 proto 6 packets 6 bytes 5240 flags 0",
            "ingress ACCEPT 10.0.0.1:1 > 10.0.0.2:2 proto 17 packets 3 bytes 2584 flags 0",
        ],
    );
}

#[test]
fn what_is_not_ip_and_neighbour_discovery_pass_uncounted() {
    if !is_root() {
        return;
    }
    let capture = start(SMALL);
    // No rules at all: every judged packet is rejected.
    let interface = TestInterface::new(&capture, ENI, Side::Instance, Mode::Enforce, &rules("")).unwrap();
    let mut arp = ethernet(&[], &[0; 46]);
    arp[12..14].copy_from_slice(&[0x08, 0x06]);
    let icmp6 = |kind| ethernet(&[], &ipv6("fe80::1", "ff02::1", ICMPV6, &frame::icmp(kind, 0, 0, &[0; 16])));
    for hook in [Ingress, Egress] {
        assert_eq!(interface.run(hook, &arp).unwrap(), Outcome::Next);
        for kind in 132..=138 {
            let wanted = if (133..=137).contains(&kind) { Outcome::Next } else { Outcome::Drop };
            assert_eq!(interface.run(hook, &icmp6(kind)).unwrap(), wanted, "{kind}");
        }
        // The same type numbers mean nothing in IPv4.
        assert_eq!(interface.run(hook, &v4(ICMPV6, &frame::icmp(135, 0, 0, &[]))).unwrap(), Outcome::Drop);
    }
    // Twice: the two ICMPv6 messages beside neighbour discovery, and the IPv4 packet.
    assert_eq!(sum(&drain(&capture), |_| true), (6, 4 * 64 + 2 * 28));
}
