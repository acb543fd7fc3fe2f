//! The life of a TCP connection, and what comes after it.

use super::check;

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
fn a_syn_takes_a_number_before_the_fin() {
    check(
        "sg in tcp 22",
        "tcp 203.0.113.9 -> :22 SF seq=99            | ACCEPT sg rule sgr-00000001
         tcp :22 -> 203.0.113.9 FA seq=500 ack=100   | ACCEPT tracked
         tcp 203.0.113.9 -> :22 A seq=101 ack=501    | ACCEPT tracked
         tcp :22 -> 203.0.113.9 A seq=501 ack=101    | ACCEPT tracked
         tcp :22 -> 203.0.113.9 A seq=501 ack=101    | REJECT after close",
    );
}
