//! Who may begin a flow, who may answer, and for how long.

use super::check;

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
