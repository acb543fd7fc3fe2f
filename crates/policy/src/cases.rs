//! Stories: packets of one interface in their order, and what becomes of each.
//!
//! A story has one step a line:
//!
//! ```text
//! [+SECONDSs] PACKET | VERDICT      time passes, then a packet comes
//! rules: RULE; RULE                 the rules change
//! ```

use crate::evaluate::Tracker;
use crate::notation::{packet, rules};
use crate::oracle::Oracle;
use crate::{CompileError, CompiledRules};

#[track_caller]
fn check(rules_text: &str, story: &str) {
    let mut raw = rules(rules_text);
    let mut compiled = CompiledRules::compile(&raw).unwrap();
    let (mut tracker, mut oracle, mut now_ns) = (Tracker::new(), Oracle::default(), 1_000);
    for line in story.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(changed) = line.strip_prefix("rules:") {
            raw = rules(changed);
            compiled = CompiledRules::compile(&raw).unwrap();
            continue;
        }
        let (mut step, expected) = line.split_once('|').unwrap();
        if let Some((wait, rest)) = step.strip_prefix('+').and_then(|step| step.split_once("s ")) {
            now_ns += (wait.parse::<f64>().unwrap() * 1e9) as u64;
            step = rest;
        }
        let packet = packet(step.trim());
        let verdict = tracker.decide(&compiled, &packet, now_ns);
        assert_eq!(verdict.to_string(), expected.trim(), "{line}\nin{story}");
        assert_eq!(oracle.decide(&raw, &packet, now_ns), verdict, "oracle: {line}\nin{story}");
    }
}

#[test]
fn answers_need_no_rule() {
    check(
        "sg in tcp 22 203.0.113.0/24",
        "tcp 203.0.113.9 -> :22       | ACCEPT sg rule sgr-00000001
         tcp :22 -> 203.0.113.9 SA    | ACCEPT tracked
         tcp 203.0.113.9 -> :22 A     | ACCEPT tracked
         tcp :22 -> 203.0.113.10 SA   | REJECT no security group allows
         tcp :22 -> 203.0.113.9:1 SA  | REJECT no security group allows
         udp :22 -> 203.0.113.9       | REJECT no security group allows
         tcp 198.51.100.9 -> :22      | REJECT no security group allows",
    );
    check(
        "sg out udp 123",
        "udp 203.0.113.9:123 -> :5000 | REJECT no security group allows
         udp :5000 -> 203.0.113.9:123 | ACCEPT sg rule sgr-00000001
         udp 203.0.113.9:123 -> :5000 | ACCEPT tracked",
    );
    check(
        "sg in sctp 7 203.0.113.9/32",
        "sctp 203.0.113.9:9 -> :7 | ACCEPT sg rule sgr-00000001
         sctp :7 -> 203.0.113.9:9 | ACCEPT tracked
         sctp 203.0.113.9:9 -> :8 | REJECT no security group allows",
    );
    check(
        "sg in tcp 22 2001:db8::/64",
        "tcp [2001:db8::9] -> :22    | ACCEPT sg rule sgr-00000001
         tcp :22 -> [2001:db8::9] SA | ACCEPT tracked
         tcp 203.0.113.9 -> :22      | REJECT no security group allows",
    );
}

#[test]
fn groups_are_a_union_and_an_empty_peer_matches_nothing() {
    check(
        "sg in tcp 22 none; sg in tcp 22-23 203.0.113.9/32 198.51.100.0/24; sg in all 192.0.2.0/24",
        "tcp 203.0.113.8 -> :22  | REJECT no security group allows
         tcp 203.0.113.9 -> :23  | ACCEPT sg rule sgr-00000002
         tcp 198.51.100.7 -> :22 | ACCEPT sg rule sgr-00000002
         udp 192.0.2.1 -> :22    | ACCEPT sg rule sgr-00000003",
    );
    check("", "tcp 203.0.113.9 -> :22 | REJECT no security group allows");
}

#[test]
fn the_acl_is_asked_first_on_ingress_and_last_on_egress() {
    check("90 deny all", "tcp 203.0.113.9 -> :22 | REJECT acl rule 90");
    check("out 90 deny all", "tcp :22 -> 203.0.113.9 | REJECT no security group allows");
    check("out 90 deny all; sg out all", "tcp :22 -> 203.0.113.9 | REJECT acl rule 90");
    check("out 90 allow udp; sg out all", "tcp :22 -> 203.0.113.9 | REJECT acl default deny");
    check(
        "90 deny all; out 90 deny all; subnet 172.31.16.0/20; sg in tcp 22",
        "tcp 172.31.16.21 -> :22    | ACCEPT sg rule sgr-00000001
         tcp :22 -> 172.31.16.21 SA | ACCEPT tracked",
    );
}

/// The table of the VPC user guide, "Flow log record examples", "Security group
/// and network ACL rules".
#[test]
fn ping_from_outside() {
    let (request, reply) = ("icmp 203.0.113.12 -> me 8/0 id=7", "icmp me -> 203.0.113.12 0/0 id=7");
    let allowed = format!("{request} | ACCEPT sg rule sgr-00000001\n");
    check("sg in icmp; out 90 deny icmp", &format!("{allowed}{reply} | REJECT acl rule 90"));
    check("sg in icmp", &format!("{allowed}{reply} | ACCEPT tracked"));
    for acl in ["", "out 90 deny icmp"] {
        check(acl, &format!("{request} | REJECT no security group allows"));
        check(&format!("sg in icmp; 90 deny icmp; {acl}"), &format!("{request} | REJECT acl rule 90"));
    }
}

#[test]
fn an_acl_change_holds_for_running_flows_at_once() {
    check(
        "sg in icmp",
        "icmp 203.0.113.12 -> me 8/0 id=7     | ACCEPT sg rule sgr-00000001
         icmp me -> 203.0.113.12 0/0 id=7     | ACCEPT tracked
         rules: sg in icmp; out 90 deny icmp
         +1s icmp 203.0.113.12 -> me 8/0 id=7 | ACCEPT tracked
         icmp me -> 203.0.113.12 0/0 id=7     | REJECT acl rule 90
         rules: sg in icmp
         icmp me -> 203.0.113.12 0/0 id=7     | ACCEPT tracked",
    );
}

#[test]
fn a_group_change_leaves_tracked_flows_alone() {
    check(
        "sg in tcp 22",
        "tcp 203.0.113.9 -> :22         | ACCEPT sg rule sgr-00000001
         tcp :22 -> 203.0.113.9 SA      | ACCEPT tracked
         rules:
         +400000s tcp 203.0.113.9 -> :22 A  | ACCEPT tracked
         +432000s tcp :22 -> 203.0.113.9 A  | ACCEPT tracked
         tcp 203.0.113.9:1 -> :22       | REJECT no security group allows
         +432000.1s tcp :22 -> 203.0.113.9 A | REJECT no security group allows",
    );
}

#[test]
fn what_the_egress_acl_denies_leaves_no_trace() {
    // Neither a new flow, nor a refresh, nor a change of state.
    check(
        "sg out udp 53; out 90 deny udp",
        "udp :5000 -> 203.0.113.9:53  | REJECT acl rule 90
         udp 203.0.113.9:53 -> :5000  | REJECT no security group allows",
    );
    check(
        "sg in udp 53",
        "udp 203.0.113.9 -> :53        | ACCEPT sg rule sgr-00000001
         rules: out 90 deny udp
         +29s udp :53 -> 203.0.113.9   | REJECT acl rule 90
         +2s udp 203.0.113.9 -> :53    | REJECT no security group allows",
    );
    check(
        "sg in tcp 22",
        "tcp 203.0.113.9 -> :22     | ACCEPT sg rule sgr-00000001
         rules: out 90 deny tcp
         tcp :22 -> 203.0.113.9 RA  | REJECT acl rule 90
         tcp 203.0.113.9 -> :22 S   | ACCEPT tracked",
    );
}

#[test]
fn a_tcp_connection_closes_with_the_last_acknowledgement() {
    check(
        "sg in tcp 22",
        "tcp 203.0.113.9 -> :22 S seq=99         | ACCEPT sg rule sgr-00000001
         tcp :22 -> 203.0.113.9 SA seq=499 ack=100 | ACCEPT tracked
         tcp 203.0.113.9 -> :22 A seq=100 ack=500 len=10 | ACCEPT tracked
         tcp 203.0.113.9 -> :22 FA seq=110 ack=500 len=5 | ACCEPT tracked
         tcp :22 -> 203.0.113.9 A seq=500 ack=115  | ACCEPT tracked
         tcp :22 -> 203.0.113.9 A seq=500 ack=116 len=20 | ACCEPT tracked
         tcp :22 -> 203.0.113.9 FA seq=520 ack=116 | ACCEPT tracked
         tcp 203.0.113.9 -> :22 A seq=116 ack=520  | ACCEPT tracked
         tcp 203.0.113.9 -> :22 A seq=116 ack=521  | ACCEPT tracked
         +1s tcp 203.0.113.9 -> :22 A seq=116 ack=521 | REJECT after close
         tcp :22 -> 203.0.113.9 FA seq=520 ack=116 | REJECT after close
         tcp 203.0.113.9 -> :22 R seq=116          | REJECT after close
         tcp 203.0.113.9 -> :22 SA seq=9           | REJECT after close",
    );
}

#[test]
fn a_fin_can_acknowledge_the_other_fin() {
    check(
        "sg in tcp 22",
        "tcp 203.0.113.9 -> :22 S seq=99           | ACCEPT sg rule sgr-00000001
         tcp :22 -> 203.0.113.9 SA seq=499 ack=100 | ACCEPT tracked
         tcp 203.0.113.9 -> :22 FA seq=100 ack=500 | ACCEPT tracked
         tcp :22 -> 203.0.113.9 FA seq=500 ack=101 | ACCEPT tracked
         tcp 203.0.113.9 -> :22 A seq=101 ack=501  | ACCEPT tracked
         tcp 203.0.113.9 -> :22 A seq=101 ack=501  | REJECT after close",
    );
}

#[test]
fn simultaneous_close_and_sequence_numbers_that_wrap() {
    check(
        "sg in tcp 22",
        "tcp 203.0.113.9 -> :22 S seq=4294967293    | ACCEPT sg rule sgr-00000001
         tcp :22 -> 203.0.113.9 SA seq=499 ack=4294967294 | ACCEPT tracked
         tcp 203.0.113.9 -> :22 FA seq=4294967294 ack=500 len=4 | ACCEPT tracked
         tcp :22 -> 203.0.113.9 FA seq=500 ack=4294967294 | ACCEPT tracked
         tcp :22 -> 203.0.113.9 A seq=501 ack=2 | ACCEPT tracked
         tcp :22 -> 203.0.113.9 A seq=501 ack=3 | ACCEPT tracked
         tcp 203.0.113.9 -> :22 A seq=3 ack=501 | ACCEPT tracked
         tcp 203.0.113.9 -> :22 A seq=3 ack=501 | REJECT after close",
    );
}

#[test]
fn an_early_acknowledgement_does_not_close() {
    // The ACK field counts only with the ACK flag, and only after the FIN was seen.
    check(
        "sg in tcp 22",
        "tcp 203.0.113.9 -> :22 S seq=99           | ACCEPT sg rule sgr-00000001
         tcp :22 -> 203.0.113.9 SA seq=499 ack=102 | ACCEPT tracked
         tcp 203.0.113.9 -> :22 FA seq=100 ack=500 | ACCEPT tracked
         tcp :22 -> 203.0.113.9 F seq=500 ack=101  | ACCEPT tracked
         tcp 203.0.113.9 -> :22 A seq=101 ack=501  | ACCEPT tracked
         tcp 203.0.113.9 -> :22 A seq=101 ack=501  | ACCEPT tracked
         tcp :22 -> 203.0.113.9 A seq=501 ack=101  | ACCEPT tracked
         tcp :22 -> 203.0.113.9 A seq=501 ack=101  | REJECT after close",
    );
}

#[test]
fn a_repeated_fin_keeps_the_first_number() {
    check(
        "sg in tcp 22",
        "tcp 203.0.113.9 -> :22 S seq=99           | ACCEPT sg rule sgr-00000001
         tcp 203.0.113.9 -> :22 FA seq=100 ack=500 | ACCEPT tracked
         tcp 203.0.113.9 -> :22 FA seq=100 ack=500 len=50 | ACCEPT tracked
         tcp :22 -> 203.0.113.9 FA seq=500 ack=101 | ACCEPT tracked
         tcp 203.0.113.9 -> :22 A ack=501          | ACCEPT tracked
         tcp 203.0.113.9 -> :22 A ack=501          | REJECT after close",
    );
}

#[test]
fn a_reset_closes_at_once() {
    for reset in ["tcp 203.0.113.9 -> :22 R", "tcp :22 -> 203.0.113.9 RA"] {
        check(
            "sg in tcp 22",
            &format!(
                "tcp 203.0.113.9 -> :22 S    | ACCEPT sg rule sgr-00000001
                 {reset}                     | ACCEPT tracked
                 {reset}                     | REJECT after close
                 tcp 203.0.113.9 -> :22 A    | REJECT after close
                 tcp :22 -> 203.0.113.9 SA   | REJECT after close"
            ),
        );
    }
    // A reset of an unknown connection begins none.
    check(
        "sg in tcp 22",
        "tcp 203.0.113.9 -> :22 R    | ACCEPT sg rule sgr-00000001
         tcp 203.0.113.9 -> :22 R    | ACCEPT sg rule sgr-00000001
         tcp :22 -> 203.0.113.9 A    | REJECT no security group allows",
    );
}

#[test]
fn closed_ports_can_be_used_again() {
    let closed = "tcp 203.0.113.9 -> :22 S    | ACCEPT sg rule sgr-00000001
                  tcp 203.0.113.9 -> :22 R    | ACCEPT tracked\n";
    let open = |story: &str| check("sg in tcp 22", &format!("{closed}{story}"));
    open(
        "+1s tcp 203.0.113.9 -> :22 S | ACCEPT sg rule sgr-00000001
         tcp :22 -> 203.0.113.9 SA    | ACCEPT tracked
         tcp 203.0.113.9 -> :22 A     | ACCEPT tracked",
    );
    // Against the rules it stays closed, and its time is not prolonged.
    open(
        "+40s tcp :22 -> 203.0.113.9 S  | REJECT no security group allows
         tcp 203.0.113.9 -> :22 A       | REJECT after close
         +20s tcp 203.0.113.9 -> :22 A  | REJECT after close
         +0.1s tcp 203.0.113.9 -> :22 A | ACCEPT sg rule sgr-00000001",
    );
    // So it does if the ACL stops the new connection.
    open(
        "rules: sg in tcp 22; sg out tcp 1-60000; out 90 deny tcp
         tcp :22 -> 203.0.113.9 S   | REJECT acl rule 90
         tcp 203.0.113.9 -> :22 A   | REJECT after close",
    );
    // A new connection that is not tracked replaces it by nothing.
    open(
        "rules: sg in tcp 22; sg out all
         tcp 203.0.113.9 -> :22 A   | REJECT after close
         tcp 203.0.113.9 -> :22 S   | ACCEPT untracked sg rule sgr-00000001
         tcp 203.0.113.9 -> :22 A   | ACCEPT untracked sg rule sgr-00000001",
    );
}

#[test]
fn tcp_timeouts() {
    let syn = "tcp 203.0.113.9 -> :22 S | ACCEPT sg rule sgr-00000001\nrules:\n";
    let syn_ack = "tcp :22 -> 203.0.113.9 SA | ACCEPT tracked\n";
    let fin = "tcp 203.0.113.9 -> :22 FA seq=5 | ACCEPT tracked\n";
    let rst = "tcp 203.0.113.9 -> :22 R | ACCEPT tracked\n";
    for (before, alive, expired) in [
        (syn.to_string(), "+120s", "+120.1s"),
        (format!("{syn}{syn_ack}"), "+432000s", "+432000.1s"),
        (format!("{syn}{fin}"), "+120s", "+120.1s"),
        (format!("{syn}{syn_ack}{fin}"), "+120s", "+120.1s"),
    ] {
        let packet = "tcp 203.0.113.9 -> :22 A";
        check("sg in tcp 22", &format!("{before}{alive} {packet} | ACCEPT tracked"));
        check("sg in tcp 22", &format!("{before}{expired} {packet} | REJECT no security group allows"));
    }
    let closed = format!("{syn}{syn_ack}{rst}rules: sg in tcp 22\n");
    check("sg in tcp 22", &format!("{closed}+60s tcp 203.0.113.9 -> :22 A | REJECT after close"));
    check("sg in tcp 22", &format!("{closed}+60.1s tcp 203.0.113.9 -> :22 A | ACCEPT sg rule sgr-00000001"));
}

#[test]
fn a_tcp_flow_is_picked_up_in_its_middle() {
    check(
        "sg in tcp 22",
        "tcp 203.0.113.9 -> :22 A         | ACCEPT sg rule sgr-00000001
         rules:
         +120s tcp 203.0.113.9 -> :22 A   | ACCEPT tracked
         +120s tcp :22 -> 203.0.113.9 A   | ACCEPT tracked
         +9999s tcp 203.0.113.9 -> :22 A  | ACCEPT tracked",
    );
    check(
        "sg in tcp 22",
        "tcp 203.0.113.9 -> :22 FA seq=7 ack=3 | ACCEPT sg rule sgr-00000001
         tcp :22 -> 203.0.113.9 FA seq=3 ack=8 | ACCEPT tracked
         tcp 203.0.113.9 -> :22 A seq=8 ack=4  | ACCEPT tracked
         tcp 203.0.113.9 -> :22 A seq=8 ack=4  | REJECT after close",
    );
}

#[test]
fn udp_timeouts() {
    let request = "udp 203.0.113.9:5 -> :53";
    let answer = "udp :53 -> 203.0.113.9:5";
    let new = format!("{request} | ACCEPT sg rule sgr-00000001\nrules:\n");
    let answered = format!("{new}{answer} | ACCEPT tracked\n");
    let stream = format!("{answered}{request} | ACCEPT tracked\n");
    let many_requests = format!("{new}{request} | ACCEPT tracked\n");
    let many_answers = format!("{answered}{answer} | ACCEPT tracked\n");
    for (before, seconds) in
        [(new, 30), (many_requests, 30), (answered, 30), (many_answers, 30), (stream, 180)]
    {
        check("sg in udp 53", &format!("{before}+{seconds}s {answer} | ACCEPT tracked"));
        check("sg in udp 53", &format!("{before}+{seconds}.1s {answer} | REJECT no security group allows"));
    }
}

#[test]
fn icmp_and_other_protocols() {
    check(
        "sg in icmp; sg in proto 47",
        "icmp 203.0.113.9 -> me 8/0 id=1 | ACCEPT sg rule sgr-00000001
         icmp me -> 203.0.113.9 0/0 id=2 | REJECT no security group allows
         icmp me -> 203.0.113.9 0/0 id=1 | ACCEPT tracked
         +30s icmp me -> 203.0.113.9 0/0 id=1 | ACCEPT tracked
         +30.1s icmp me -> 203.0.113.9 0/0 id=1 | REJECT no security group allows
         proto 47 me -> 203.0.113.9      | REJECT no security group allows
         proto 47 203.0.113.9 -> me      | ACCEPT sg rule sgr-00000002
         +600s proto 47 me -> 203.0.113.9 | ACCEPT tracked
         +600.1s proto 47 me -> 203.0.113.9 | REJECT no security group allows
         icmp 203.0.113.9 -> me 13/0     | ACCEPT sg rule sgr-00000001
         icmp me -> 203.0.113.9 14/0     | ACCEPT tracked
         icmp me -> 203.0.113.9 0/0 id=9 | REJECT no security group allows",
    );
    check(
        "sg in icmp6",
        "icmp6 [2001:db8::9] -> me 128/0 id=1 | ACCEPT sg rule sgr-00000001
         icmp6 me -> [2001:db8::9] 129/0 id=1 | ACCEPT tracked
         icmp6 me -> [2001:db8::9] 129/0 id=2 | REJECT no security group allows",
    );
}

#[test]
fn untracked_flows_live_and_die_with_their_rules() {
    // Both directions are judged by rules; the answer does not begin a flow either.
    check(
        "sg in tcp 22; sg out all",
        "tcp 203.0.113.9 -> :22    | ACCEPT untracked sg rule sgr-00000001
         tcp :22 -> 203.0.113.9 SA | ACCEPT untracked sg rule sgr-00000002
         tcp 203.0.113.9 -> :22 R  | ACCEPT untracked sg rule sgr-00000001
         tcp 203.0.113.9 -> :22 A  | ACCEPT untracked sg rule sgr-00000001
         rules: sg in tcp 23
         tcp 203.0.113.9 -> :22 A  | REJECT no security group allows
         tcp :22 -> 203.0.113.9 A  | REJECT no security group allows",
    );
    // Other flows of the same rules are tracked.
    check(
        "sg in tcp 22; sg out all",
        "tcp :50000 -> 203.0.113.9:443    | ACCEPT sg rule sgr-00000002
         tcp 203.0.113.9:443 -> :50000 SA | ACCEPT tracked
         udp :50000 -> 203.0.113.9:443    | ACCEPT sg rule sgr-00000002
         udp 203.0.113.9:443 -> :50000    | ACCEPT tracked
         icmp me -> 203.0.113.9 8/0 id=1  | ACCEPT sg rule sgr-00000002
         icmp 203.0.113.9 -> me 0/0 id=1  | ACCEPT tracked
         sctp :50000 -> 203.0.113.9:443   | ACCEPT sg rule sgr-00000002
         sctp 203.0.113.9:443 -> :50000   | ACCEPT tracked",
    );
}

#[test]
fn when_a_flow_is_untracked() {
    let check = |rules: &str, first: &str| check(rules, &format!("udp 203.0.113.9 -> :53 | {first}"));
    for (rules, first) in [
        ("sg in udp 53; sg out udp", "ACCEPT untracked sg rule sgr-00000001"),
        ("sg in udp 53; sg out proto 17", "ACCEPT untracked sg rule sgr-00000001"),
        ("sg in all; sg out all", "ACCEPT untracked sg rule sgr-00000001"),
        ("sg in udp 53; sg out tcp", "ACCEPT sg rule sgr-00000001"),
        ("sg in udp 53; sg out udp 1-65535", "ACCEPT sg rule sgr-00000001"),
        ("sg in udp 53; sg out udp 0.0.0.0/1", "ACCEPT sg rule sgr-00000001"),
        ("sg in udp 53; sg out all ::/0", "ACCEPT sg rule sgr-00000001"),
        ("sg in udp 53 203.0.113.0/24; sg out all", "ACCEPT sg rule sgr-00000001"),
        // Any rule that makes it untracked does, and is named.
        ("sg in udp 53 203.0.113.0/24; sg in udp 0-100; sg out all", "ACCEPT untracked sg rule sgr-00000002"),
    ] {
        check(rules, first);
    }
}

#[test]
fn a_flow_tracked_before_the_rules_changed_stays_tracked() {
    check(
        "sg in tcp 22",
        "tcp 203.0.113.9 -> :22    | ACCEPT sg rule sgr-00000001
         rules: sg in tcp 22; sg out all
         tcp :22 -> 203.0.113.9 SA | ACCEPT tracked
         rules:
         tcp :22 -> 203.0.113.9 A  | ACCEPT tracked",
    );
}

#[test]
fn fragments() {
    // Ports unknown: the rules alone, and no flow begins or is found.
    check(
        "sg in udp 53; sg in udp 203.0.113.9/32",
        "udp 203.0.113.9 -> :53         | ACCEPT sg rule sgr-00000001
         udp 203.0.113.9 -> me fragment | ACCEPT sg rule sgr-00000002
         udp me -> 203.0.113.9 fragment | REJECT no security group allows
         udp 203.0.113.8 -> me fragment | REJECT no security group allows",
    );
    check("sg in all; sg out all", "udp 203.0.113.9 -> me fragment | ACCEPT untracked sg rule sgr-00000001");
    // Ports known from the first fragment: part of the flow, also after its close.
    check(
        "sg in tcp 22",
        "tcp 203.0.113.9 -> :22 S     | ACCEPT sg rule sgr-00000001
         tcp 203.0.113.9 -> :22 later | ACCEPT tracked
         tcp 203.0.113.9 -> :22 R     | ACCEPT tracked
         tcp 203.0.113.9 -> :22 later | REJECT after close",
    );
    // A protocol without ports has nothing to miss.
    check(
        "sg in proto 47",
        "proto 47 203.0.113.9 -> me fragment | ACCEPT sg rule sgr-00000001
         proto 47 me -> 203.0.113.9 fragment | ACCEPT tracked",
    );
}

#[test]
fn icmp_errors_about_tracked_flows_pass() {
    check(
        "sg in tcp 22; sg out udp 53; sg in icmp 8",
        "tcp 203.0.113.9 -> :22           | ACCEPT sg rule sgr-00000001
         udp :5 -> 203.0.113.9:53         | ACCEPT sg rule sgr-00000002
         icmp 203.0.113.9 -> me 8/0 id=3  | ACCEPT sg rule sgr-00000003
         icmp 203.0.113.1 -> me 3/4 about tcp :22 -> 203.0.113.9    | ACCEPT related
         icmp me -> 203.0.113.1 11/0 about tcp 203.0.113.9 -> :22   | ACCEPT related
         icmp 203.0.113.1 -> me 3/3 about udp :5 -> 203.0.113.9:53  | ACCEPT related
         icmp 203.0.113.1 -> me 12/0 about icmp me -> 203.0.113.9 0/0 id=3 | ACCEPT related
         icmp 203.0.113.1 -> me 12/0 about icmp me -> 203.0.113.9 0/0 id=4 | REJECT no security group allows
         icmp 203.0.113.1 -> me 3/4 about tcp :23 -> 203.0.113.9    | REJECT no security group allows
         icmp 203.0.113.1 -> me 3/4 about udp :22 -> 203.0.113.9    | REJECT no security group allows
         icmp 203.0.113.1 -> me 13/0 about tcp :22 -> 203.0.113.9   | REJECT no security group allows
         icmp 203.0.113.1 -> me 3/4                                 | REJECT no security group allows",
    );
    check(
        "sg in tcp 22",
        "tcp [2001:db8::9] -> :22 | REJECT no security group allows
         rules: sg in tcp 22 ::/0
         tcp [2001:db8::9] -> :22 | ACCEPT sg rule sgr-00000001
         icmp6 [2001:db8::1] -> me 2/0 about tcp :22 -> [2001:db8::9] | ACCEPT related
         icmp6 [2001:db8::1] -> me 5/0 about tcp :22 -> [2001:db8::9] | REJECT no security group allows",
    );
}

#[test]
fn icmp_errors_change_nothing() {
    check(
        "sg in udp 53",
        "udp 203.0.113.9 -> :53 | ACCEPT sg rule sgr-00000001
         rules:
         +20s icmp 203.0.113.9 -> me 3/3 about udp :53 -> 203.0.113.9  | ACCEPT related
         icmp me -> 203.0.113.9 3/3                                    | REJECT no security group allows
         +11s icmp 203.0.113.9 -> me 3/3 about udp :53 -> 203.0.113.9  | REJECT no security group allows
         udp 203.0.113.9 -> :53 | REJECT no security group allows",
    );
    // The ACL is not impressed, and a closed connection still counts.
    check(
        "sg in tcp 22; out 90 deny icmp",
        "tcp 203.0.113.9 -> :22   | ACCEPT sg rule sgr-00000001
         icmp me -> 203.0.113.9 3/3 about tcp 203.0.113.9 -> :22 | REJECT acl rule 90
         tcp 203.0.113.9 -> :22 R | ACCEPT tracked
         icmp 203.0.113.9 -> me 3/3 about tcp :22 -> 203.0.113.9 | ACCEPT related",
    );
}

#[test]
fn ipv6_neighbour_discovery_always_passes() {
    check(
        "90 deny all ::/0; out 90 deny all ::/0",
        "icmp6 [2001:db8::9] -> me 135/0 | ACCEPT not judged
         icmp6 me -> [2001:db8::9] 136/0 | ACCEPT not judged
         icmp6 [2001:db8::9] -> me 128/0 | REJECT acl rule 90
         icmp6 [2001:db8::9] -> me 132/0 | REJECT acl rule 90
         icmp6 [2001:db8::9] -> me 138/0 | REJECT acl rule 90",
    );
}

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
    let mut step = |tracker: &mut Tracker, text: &str, seconds: u64, expected: &str| {
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
fn rules_that_cannot_be_held_are_refused() {
    for (text, expected) in [("100 allow icmp", ""), ("sg in proto 6", "")] {
        assert_eq!(
            CompiledRules::compile(&rules(text)).err().map_or(String::new(), |e| e.to_string()),
            expected
        );
    }
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
