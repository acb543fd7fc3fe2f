//! What does not fit: full tables, too many rules, clocks that disagree.

use super::notation::{packet, rules};
use crate::{CompileError, CompiledRules, Tracker, Verdict};
use weir_types::net::{Action, PortRange, Protocol};
use weir_types::rule::Match;

#[test]
fn a_clock_that_is_a_little_behind_expires_nothing() {
    let rules = CompiledRules::compile(&rules("sg in udp 53")).unwrap();
    let mut tracker = Tracker::new();
    tracker.decide(&rules, &packet("udp 203.0.113.9 -> :53"), 2_000);
    let verdict = tracker.decide(&rules, &packet("udp :53 -> 203.0.113.9"), 1_000);
    assert_eq!(verdict.to_string(), "ACCEPT tracked");
}

#[test]
fn a_full_table_remembers_nothing_new_and_counts_it() {
    let rules = CompiledRules::compile(&rules("sg in udp 53")).unwrap();
    let mut tracker = Tracker::with_capacity(2);
    let step = |tracker: &mut Tracker, text: &str, seconds: u64, expected: &str| {
        let verdict = tracker.decide(&rules, &packet(text), seconds * 1_000_000_000);
        assert_eq!(verdict.to_string(), expected, "{text} at {seconds}");
    };
    step(&mut tracker, "udp 203.0.113.1 -> :53", 0, "ACCEPT sg rule sgr-00000001");
    step(&mut tracker, "udp 203.0.113.2 -> :53", 20, "ACCEPT sg rule sgr-00000001");
    step(&mut tracker, "udp 203.0.113.3 -> :53", 20, "ACCEPT sg rule sgr-00000001");
    step(&mut tracker, "udp :53 -> 203.0.113.3", 20, "REJECT no security group allows");
    step(&mut tracker, "udp :53 -> 203.0.113.2", 20, "ACCEPT tracked");
    assert_eq!((tracker.len(), tracker.table_full_packets()), (2, 1));

    tracker.expire(31_000_000_000);
    assert_eq!(tracker.len(), 1);
    step(&mut tracker, "udp 203.0.113.3 -> :53", 31, "ACCEPT sg rule sgr-00000001");
    step(&mut tracker, "udp :53 -> 203.0.113.3", 31, "ACCEPT tracked");
    assert_eq!((tracker.len(), tracker.table_full_packets()), (2, 1));
}

#[test]
fn more_entries_than_the_kernel_holds_are_refused() {
    let blocks = |count: u32| {
        let blocks: Vec<_> = (0..count).map(|n| format!("{}/32", std::net::Ipv4Addr::from(n))).collect();
        CompiledRules::compile(&rules(&format!("sg in tcp 22 {}", blocks.join(" "))))
    };
    assert_eq!(blocks(4096).unwrap().ingress.groups.len(), 4096);
    let error = blocks(4097).unwrap_err();
    assert!(matches!(error, CompileError::TooManyEntries { count: 4097, .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "4097 ingress security group entries (one per rule and address block) are more than the 4096 an \
         interface can hold: use fewer rules, or larger address blocks"
    );
}

#[test]
fn rules_without_sense_are_refused() {
    let refusal = |matches| {
        let mut rules = rules("sg in all; 90 allow all");
        rules.groups[0].matches = matches;
        let by_group = CompiledRules::compile(&rules).unwrap_err().to_string();
        rules.groups.clear();
        rules.acl[0].matches = matches;
        (by_group, CompiledRules::compile(&rules).unwrap_err().to_string())
    };
    let (by_group, by_acl) = refusal(Match::Ports { protocol: Protocol(47), ports: PortRange::ALL });
    let reason = "gives ports for protocol 47, which has none: use all packets of the protocol";
    assert_eq!(by_group, format!("rule sgr-00000001 of security group sg-00000001 {reason}"));
    assert_eq!(by_acl, format!("network ACL rule 90 {reason}"));
    let (_, by_acl) = refusal(Match::Icmp { protocol: Protocol::UDP, icmp_type: Some(8), icmp_code: None });
    assert_eq!(by_acl, "network ACL rule 90 gives an ICMP type for protocol 17: use protocol 1 or 58");
}

/// Where rejected packets pass, they are answered; that must not make them
/// acceptable.
#[test]
fn answers_to_refused_packets_begin_nothing() {
    let rules = CompiledRules::compile(&rules("100 allow all\nout 100 allow all\nsg out all")).unwrap();
    let mut tracker = Tracker::new();
    for (second, text, expected) in [
        (0, "tcp 203.0.113.9:40000 -> :22", Action::Reject),
        (0, "tcp :22 -> 203.0.113.9:40000 SA", Action::Accept),
        (0, "tcp 203.0.113.9:40000 -> :22 A", Action::Reject),
        (3600, "tcp :22 -> 203.0.113.9:40000 A", Action::Accept),
        (3600, "tcp 203.0.113.9:40000 -> :22 A", Action::Reject),
        // The instance's own connection on the same ports.
        (3600, "tcp :22 -> 203.0.113.9:40000", Action::Accept),
        (3600, "tcp 203.0.113.9:40000 -> :22 SA", Action::Accept),
        (3600, "udp 203.0.113.9:123 -> :123", Action::Reject),
        (3600, "udp :123 -> 203.0.113.9:123", Action::Accept),
        (3600, "udp 203.0.113.9:123 -> :123", Action::Reject),
        // Forgotten after the silence of UDP: who speaks next begins.
        (3800, "udp :123 -> 203.0.113.9:123", Action::Accept),
        (3800, "udp 203.0.113.9:123 -> :123", Action::Accept),
    ] {
        let verdict = tracker.evaluate(&rules, &packet(text), second * 1_000_000_000);
        assert_eq!(verdict.action(), expected, "{second} s {text}: {verdict}");
    }
    // Where they are dropped, what was refused is as if never seen.
    let asked = packet("udp 203.0.113.9:500 -> :500");
    assert_eq!(tracker.evaluate(&rules, &asked, 0).action(), Action::Reject);
    assert_eq!(tracker.decide(&rules, &packet("udp :500 -> 203.0.113.9:500"), 0).action(), Action::Accept);
    assert_eq!(tracker.decide(&rules, &asked, 0), Verdict::Tracked);
}
