//! Network ACLs: stateless, numbered, first match decides.
//!
//! Rules are read from the lowest number up; the first that matches decides,
//! and if none does the packet is denied. Inbound and outbound rules are
//! separate, nothing is remembered between packets, and a change of the rules
//! holds from the next packet on, also for flows that run already. The ACL
//! belongs to the subnet's border: packets between hosts of one subnet never
//! meet it.
//!
//! Source: VPC user guide, "Network ACL basics" and "Network ACL rules".

use crate::compile::{CompiledRules, Effect, Probe, RuleEntry};
use crate::packet::Packet;
use crate::verdict::Verdict;

/// Reads the ACL list of the packet's direction; `None`: it lets the packet pass.
pub(crate) fn denial(rules: &CompiledRules, packet: &Packet) -> Option<Verdict> {
    match deciding_entry(rules, packet) {
        Some(entry) => match entry.effect {
            Effect::Allow | Effect::AclSkip => None,
            Effect::Deny => Some(rules.acl_denial(Some(entry.origin))),
        },
        None => Some(rules.acl_denial(None)),
    }
}

/// The first entry that matches; `None`: only the implicit deny is left.
fn deciding_entry<'r>(rules: &'r CompiledRules, packet: &Packet) -> Option<&'r RuleEntry> {
    let probe = Probe::of(packet);
    rules.direction(packet.direction).acl.iter().find(|entry| entry.matches(&probe))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::Origin;
    use crate::tests::notation::{packet, rules};

    /// What the ACL alone says.
    #[track_caller]
    fn check(acl: &str, packet_text: &str, expected: &str) {
        let rules = CompiledRules::compile(&rules(acl)).unwrap();
        let packet = packet(packet_text);
        let said = match deciding_entry(&rules, &packet).map(|entry| &rules.origins[entry.origin as usize]) {
            _ if denial(&rules, &packet).is_some() => denial(&rules, &packet).unwrap().to_string(),
            Some(Origin::Acl { number }) => format!("ACCEPT acl rule {number}"),
            Some(Origin::Subnet(block)) => format!("ACCEPT subnet {block}"),
            other => format!("{other:?}"),
        };
        assert_eq!(said, expected, "{packet_text} by\n{acl}");
    }

    #[test]
    fn the_lowest_number_that_matches_decides() {
        check("90 allow tcp 22\n100 deny tcp 22", "tcp 203.0.113.9 -> :22", "ACCEPT acl rule 90");
        check("100 deny tcp 22\n90 allow tcp 22", "tcp 203.0.113.9 -> :22", "ACCEPT acl rule 90");
        check("90 deny tcp 22\n100 allow all", "tcp 203.0.113.9 -> :22", "REJECT acl rule 90");
        check("90 deny tcp 22\n100 allow all", "tcp 203.0.113.9 -> :23", "ACCEPT acl rule 100");
        check("90 allow tcp 22", "udp 203.0.113.9 -> :22", "REJECT acl default deny");
        check("9 deny all\n10 allow all", "tcp 203.0.113.9 -> :22", "REJECT acl rule 9");
    }

    #[test]
    fn directions_are_apart_and_the_destination_port_counts_in_both() {
        let acl = "90 allow tcp 22\nout 95 allow tcp 1024-65535";
        check(acl, "tcp 203.0.113.9:40000 -> :22", "ACCEPT acl rule 90");
        check(acl, "tcp :22 -> 203.0.113.9:40000 SA", "ACCEPT acl rule 95");
        check(acl, "tcp :40000 -> 203.0.113.9:22", "REJECT acl default deny");
    }

    #[test]
    fn blocks_ports_and_families() {
        let acl = "90 deny all 203.0.113.0/25\n100 allow tcp 80-443\n110 allow udp 53 2001:db8::/32";
        check(acl, "tcp 203.0.113.127 -> :80", "REJECT acl rule 90");
        check(acl, "tcp 203.0.113.128 -> :80", "ACCEPT acl rule 100");
        check(acl, "tcp 203.0.113.128 -> :443", "ACCEPT acl rule 100");
        check(acl, "tcp 203.0.113.128 -> :444", "REJECT acl default deny");
        check(acl, "tcp 203.0.113.128 -> :79", "REJECT acl default deny");
        check(acl, "tcp [2001:db8::9] -> :80", "REJECT acl default deny");
        check(acl, "udp [2001:db8::9] -> :53", "ACCEPT acl rule 110");
        check(acl, "udp [2001:db9::9] -> :53", "REJECT acl default deny");
        check("100 allow all ::/0", "tcp 203.0.113.9 -> :80", "REJECT acl default deny");
        check("100 allow all 203.0.113.9/32", "tcp 203.0.113.9 -> :80", "ACCEPT acl rule 100");
        check("100 allow all 203.0.113.9/8", "tcp 203.1.2.3 -> :80", "ACCEPT acl rule 100");
        check("100 allow all ::ffff:203.0.113.9/128", "tcp 203.0.113.9 -> :80", "REJECT acl default deny");
    }

    #[test]
    fn icmp_by_type_and_code() {
        for (acl, packet_text, expected) in [
            ("90 allow icmp", "icmp 203.0.113.9 -> me 8/0", "ACCEPT acl rule 90"),
            ("90 allow icmp 8", "icmp 203.0.113.9 -> me 8/0", "ACCEPT acl rule 90"),
            ("90 allow icmp 8/0", "icmp 203.0.113.9 -> me 8/0", "ACCEPT acl rule 90"),
            ("90 allow icmp 8/1", "icmp 203.0.113.9 -> me 8/0", "REJECT acl default deny"),
            ("90 allow icmp 0", "icmp 203.0.113.9 -> me 8/0", "REJECT acl default deny"),
            ("90 allow icmp 255/255", "icmp 203.0.113.9 -> me 255/255", "ACCEPT acl rule 90"),
            ("90 allow icmp6 128", "icmp6 [2001:db8::9] -> me 128/0", "ACCEPT acl rule 90"),
            ("90 allow icmp6 128", "icmp 203.0.113.9 -> me 128/0", "REJECT acl default deny"),
            ("90 allow proto 1", "icmp 203.0.113.9 -> me 8/0", "ACCEPT acl rule 90"),
        ] {
            check(acl, packet_text, expected);
        }
    }

    #[test]
    fn other_protocols_by_number() {
        check("90 allow proto 47", "proto 47 203.0.113.9 -> me", "ACCEPT acl rule 90");
        check("90 allow proto 47", "proto 50 203.0.113.9 -> me", "REJECT acl default deny");
        check("90 allow all", "proto 50 203.0.113.9 -> me", "ACCEPT acl rule 90");
    }

    #[test]
    fn neighbours_in_the_subnet_never_meet_the_acl() {
        let acl = "90 deny all\nout 90 deny all\nsubnet 172.31.16.0/20\nsubnet 2001:db8::/64";
        check(acl, "tcp 172.31.16.21 -> :22", "ACCEPT subnet 172.31.16.0/20");
        check(acl, "tcp :22 -> 172.31.16.21 SA", "ACCEPT subnet 172.31.16.0/20");
        check(acl, "tcp [2001:db8::9] -> :22", "ACCEPT subnet 2001:db8::/64");
        check(acl, "tcp 172.31.32.21 -> :22", "REJECT acl rule 90");
        check(acl, "tcp [2001:db8:0:1::9] -> :22", "REJECT acl default deny");
    }

    #[test]
    fn a_fragment_of_unknown_ports_matches_only_all_ports() {
        check("90 allow udp 0-65535", "udp 203.0.113.9 -> me fragment", "ACCEPT acl rule 90");
        check("90 allow udp", "udp 203.0.113.9 -> me fragment", "ACCEPT acl rule 90");
        check("90 allow udp 0-65534\n95 allow all", "udp 203.0.113.9 -> me fragment", "ACCEPT acl rule 95");
        check("90 deny udp 0\n95 allow all", "udp 203.0.113.9 -> me fragment", "ACCEPT acl rule 95");
        check("90 allow icmp 8", "icmp 203.0.113.9 -> me fragment", "REJECT acl default deny");
        check("90 allow icmp", "icmp 203.0.113.9 -> me fragment", "ACCEPT acl rule 90");
    }
}
