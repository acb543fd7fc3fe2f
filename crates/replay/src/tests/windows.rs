//! Windows, directions and verdicts.

use super::made::{any, capture, replay, replay_with, udp};
use crate::{Ruled, Us, View, made_up_id};
use weir_flow::record::InterfaceFacts;
use weir_policy::CompiledRules;
use weir_types::id::{EniId, SecurityGroupId, SecurityGroupRuleId};
use weir_types::net::{Direction, PortRange, Protocol};
use weir_types::rule::{AclRule, GroupRule, InterfaceRules, Match};

#[test]
fn packets_are_counted_in_their_own_windows() {
    let packet = |at| (at, udp(7, 0));
    let (lines, replay) = replay(capture(&[
        packet(0),
        packet(59),
        // Of the next window, and a second later still some of the first.
        packet(60),
        packet(59),
        packet(61),
        // Too late for its window.
        packet(58),
        packet(400),
        // A clock that was set back.
        packet(0),
    ]));
    let line = |window: i64, span: &str, packets: u64| {
        let bytes = packets * 28;
        format!("{window}: abc {span} 10.0.0.1 7 10.0.0.2 53 17 {packets} {bytes} 0 ingress ACCEPT OK")
    };
    assert_eq!(lines, [line(0, "0-59", 3), line(60, "60-61", 3), line(360, "400-400", 1), line(0, "0-0", 1)]);
    assert_eq!((replay.counts().late, replay.counts().turned_back), (1, 1));
}

#[test]
fn a_window_with_too_many_flows_says_what_it_skipped() {
    let packets: Vec<_> = (0..5).map(|port| (0, udp(port, 2))).chain([(60, udp(9, 0))]).collect();
    let (lines, replay) = replay_with(2, any(), &[capture(&packets)]);
    assert_eq!(
        lines,
        [
            "0: abc 0-0 10.0.0.1 0 10.0.0.2 53 17 1 30 0 ingress ACCEPT OK",
            "0: abc 0-0 10.0.0.1 1 10.0.0.2 53 17 1 30 0 ingress ACCEPT OK",
            "0: abc 0-60 - - - - - - - - - - SKIPDATA",
            "60: abc 60-60 10.0.0.1 9 10.0.0.2 53 17 1 28 0 ingress ACCEPT OK",
        ]
    );
    assert_eq!(replay.counts().skipped, 3);
}

#[test]
fn many_flows_come_in_pieces_and_in_order() {
    let packets: Vec<_> = (0..10_000).map(|port| (i64::from(port) / 1000, udp(port ^ 5, 0))).collect();
    let (lines, _) = replay_with(20_000, any(), &[capture(&packets)]);
    assert_eq!(lines.len(), 10_000);
    let port = |line: &String| line.split(' ').nth(4).unwrap().parse::<u16>().unwrap();
    assert!(lines.iter().map(port).is_sorted());
}

#[test]
fn us_decides_the_direction() {
    let file = capture(&[(0, udp(7, 0))]);
    for (nets, mac, expected) in [
        ("10.0.0.1", None, Some("egress")),
        ("10.0.0.2", None, Some("ingress")),
        ("10.0.0.3", None, None),
        ("10.0.0.3", Some([2, 0, 0, 0, 0, 2]), Some("egress")),
        ("10.0.0.3", Some([2, 0, 0, 0, 0, 1]), Some("ingress")),
    ] {
        let address: std::net::IpAddr = nets.parse().unwrap();
        let us = Us { nets: vec![address.into()], macs: mac.into_iter().collect() };
        let only = Some(EniId::from_random(0xabc));
        let (lines, replay) =
            replay_with(10, View::of_capture("1", "r", only, us), std::slice::from_ref(&file));
        let direction = lines.first().map(|line| if line.contains("egress") { "egress" } else { "ingress" });
        assert_eq!(direction, expected, "{nets} {mac:?}");
        assert_eq!(replay.counts().foreign, u64::from(expected.is_none()));
    }
}

#[test]
fn interfaces_of_a_capture_have_ids_of_their_own() {
    let file = capture(&[(0, udp(7, 0)), (70, udp(7, 0))]);
    let view = View::of_capture("1", "r", None, Us::default());
    let (lines, _) = replay_with(10, view, &[file.clone(), file]);
    // The second file begins before the first one ends: a window of its own.
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert_eq!(lines[..2], lines[2..], "files of one interface are one capture: {lines:?}");
    assert_eq!(made_up_id("eth0"), made_up_id("eth0"));
    assert_ne!(made_up_id("eth0"), made_up_id("eth1"));
    // Once written into somebody's table it must not change.
    assert_eq!(made_up_id("interface 0").as_str(), "eni-968ba9876ecff1af3");
}

fn interface(number: u128, addresses: &[&str], in_ports: &[u16]) -> Ruled {
    let peers: Vec<_> = ["0.0.0.0/0", "::/0"].map(|text| text.parse().unwrap()).to_vec();
    let acl = Direction::BOTH.map(|direction| AclRule {
        number: 100,
        direction,
        matches: Match::All,
        peer: peers[0],
        allow: true,
    });
    let groups = in_ports.iter().map(|&port| GroupRule {
        group: SecurityGroupId::from_random(1),
        rule: SecurityGroupRuleId::from_random(1),
        direction: Direction::Ingress,
        matches: Match::Ports { protocol: Protocol::UDP, ports: PortRange { first: port, last: port } },
        peers: peers.clone(),
    });
    let rules = InterfaceRules { groups: groups.collect(), acl: acl.to_vec(), subnet_cidrs: Vec::new() };
    Ruled {
        facts: InterfaceFacts::new("1", "r", EniId::from_random(number)),
        addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
        rules: CompiledRules::compile(&rules).unwrap(),
    }
}

#[test]
fn rules_judge_both_ends_and_silence_is_no_data() {
    let answer = |ip: Vec<u8>| {
        let mut ip = ip;
        ip[12..20].rotate_left(4);
        ip[20..24].rotate_left(2);
        ip
    };
    let question = udp(7, 0);
    let view = View::of_vpc(vec![
        interface(0xaaa, &["10.0.0.1"], &[]),
        interface(0xbbb, &["10.0.0.2"], &[53]),
        interface(0xccc, &["10.0.0.3"], &[]),
    ]);
    let mut foreign = udp(7, 0);
    (foreign[15], foreign[19]) = (8, 9);
    let file = capture(&[(0, question.clone()), (1, answer(question)), (2, foreign), (130, udp(8, 0))]);
    let (lines, replay) = replay_with(10, view, &[file]);
    assert_eq!(
        lines,
        [
            // Its own rules let nothing out: neither the question nor the answer to it.
            "0: aaa 0-0 10.0.0.1 7 10.0.0.2 53 17 1 28 0 egress REJECT OK",
            "0: aaa 1-1 10.0.0.2 53 10.0.0.1 7 17 1 28 0 ingress REJECT OK",
            "0: bbb 0-0 10.0.0.1 7 10.0.0.2 53 17 1 28 0 ingress ACCEPT OK",
            "0: bbb 1-1 10.0.0.2 53 10.0.0.1 7 17 1 28 0 egress ACCEPT OK",
            "0: ccc 0-60 - - - - - - - - - - NODATA",
            "60: aaa 60-120 - - - - - - - - - - NODATA",
            "60: bbb 60-120 - - - - - - - - - - NODATA",
            "60: ccc 60-120 - - - - - - - - - - NODATA",
            "120: aaa 130-130 10.0.0.1 8 10.0.0.2 53 17 1 28 0 egress REJECT OK",
            "120: bbb 130-130 10.0.0.1 8 10.0.0.2 53 17 1 28 0 ingress ACCEPT OK",
            "120: ccc 120-180 - - - - - - - - - - NODATA",
        ]
    );
    assert_eq!((replay.counts().counted, replay.counts().foreign), (3, 1));
}

#[test]
fn a_clock_that_jumps_centuries_gives_no_records_of_silence() {
    let view = View::of_vpc(vec![interface(0xaaa, &["10.0.0.1"], &[])]);
    let (lines, _) = replay_with(10, view, &[capture(&[(0, udp(7, 0)), (2_000_000_000, udp(7, 0))])]);
    assert_eq!(lines.len(), 2);
}
