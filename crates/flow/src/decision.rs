//! Why a flow's packets were accepted or rejected: the fields
//! `weir-deciding-rule` and `weir-reject-reason`, which AWS does not have.
//!
//! A sample keeps what was decided about the flow's first packet in the window
//! and action: a [`Reason`], and the deciding rule by the 32-bit number of its
//! name ([`weir_types::rule::name_number`]), which kernel maps can hold. The
//! names of an interface's rules stand beside its facts.

use crate::value::Value;
use weir_types::rule::{InterfaceRules, name_number};

/// What decided. The numbers are those of `crates/capture/bpf/types.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum Reason {
    /// Nobody asked for one: a capture without rules, or observe mode's ACCEPT.
    #[default]
    None = 0,
    GroupRule = 1,
    /// A security group rule whose flows are not tracked.
    Untracked = 2,
    Tracked = 3,
    /// An ICMP error about a tracked flow.
    Related = 4,
    AclRule = 5,
    AclDefault = 6,
    NoGroupRule = 7,
    AfterClose = 8,
    /// The host's firewall, by the kernel's reason NETFILTER_DROP; and so on.
    Netfilter = 9,
    Xdp = 10,
    TcIngress = 11,
    TcEgress = 12,
    CgroupEgress = 13,
}

impl Reason {
    const ALL: [Self; 14] = [
        Self::None,
        Self::GroupRule,
        Self::Untracked,
        Self::Tracked,
        Self::Related,
        Self::AclRule,
        Self::AclDefault,
        Self::NoGroupRule,
        Self::AfterClose,
        Self::Netfilter,
        Self::Xdp,
        Self::TcIngress,
        Self::TcEgress,
        Self::CgroupEgress,
    ];

    /// The reason with a number; an unknown one is none.
    pub fn of(number: u8) -> Self {
        Self::ALL.get(usize::from(number)).copied().unwrap_or_default()
    }

    /// `weir-reject-reason`.
    fn reject(self) -> Option<&'static str> {
        Some(match self {
            Self::None | Self::GroupRule | Self::Untracked | Self::Tracked | Self::Related => return None,
            Self::AclRule => "network-acl-rule",
            Self::AclDefault => "network-acl-default",
            Self::NoGroupRule => "no-security-group-rule",
            Self::AfterClose => "after-close",
            Self::Netfilter => "host-firewall:NETFILTER_DROP",
            Self::Xdp => "host-firewall:XDP",
            Self::TcIngress => "host-firewall:TC_INGRESS",
            Self::TcEgress => "host-firewall:TC_EGRESS",
            Self::CgroupEgress => "host-firewall:BPF_CGROUP_EGRESS",
        })
    }
}

/// What decided the first packet of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Decision {
    pub reason: Reason,
    /// The number of the deciding rule's name; 0: none. For a tracked flow that
    /// of the rule that let its first packet pass, if that is known.
    pub rule: u32,
}

/// The names of rules by their numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuleNames(Vec<(u32, String)>);

impl RuleNames {
    /// The names of an interface's rules.
    pub fn of(rules: &InterfaceRules) -> Self {
        let mut names = Self::default();
        names.add(rules);
        names
    }

    /// Adds the names of rules; those that are there already stay.
    pub fn add(&mut self, rules: &InterfaceRules) {
        let groups = rules.groups.iter().map(|rule| rule.name());
        self.0.extend(
            groups.chain(rules.acl.iter().map(|rule| rule.name())).map(|name| (name_number(&name), name)),
        );
        self.0.sort_unstable();
        self.0.dedup_by_key(|(number, _)| *number);
    }

    fn get(&self, number: u32) -> Option<&str> {
        let at = self.0.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        self.0.get(at).map(|(_, name)| name.as_str())
    }
}

impl Decision {
    /// `weir-deciding-rule`.
    pub(crate) fn rule(self, names: &RuleNames) -> Value<'_> {
        Value::text(names.get(self.rule).or(match self.reason {
            Reason::Tracked => Some("tracked"),
            Reason::Related => Some("related"),
            Reason::AclDefault => Some("network-acl/*"),
            _ => None,
        }))
    }

    /// `weir-reject-reason`.
    pub(crate) fn reject_reason<'a>(self) -> Value<'a> {
        Value::text(self.reason.reject())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_types::id::{SecurityGroupId, SecurityGroupRuleId};
    use weir_types::net::Direction;
    use weir_types::rule::{AclRule, GroupRule, Match};

    #[test]
    fn numbers_are_found_again() {
        for number in 0..=u8::MAX {
            let reason = Reason::of(number);
            assert!(reason as u8 == number || (number > 13 && reason == Reason::None));
        }
    }

    #[test]
    fn every_decision_has_its_texts() {
        let rules = InterfaceRules {
            groups: vec![GroupRule {
                group: SecurityGroupId::from_random(1),
                rule: SecurityGroupRuleId::from_random(2),
                direction: Direction::Ingress,
                matches: Match::All,
                peers: Vec::new(),
            }],
            acl: vec![AclRule {
                number: 90,
                direction: Direction::Ingress,
                matches: Match::All,
                peer: "0.0.0.0/0".parse().unwrap(),
                allow: false,
            }],
            subnet_cidrs: Vec::new(),
        };
        let names = RuleNames::of(&rules);
        let (group, acl) = (rules.groups[0].name(), rules.acl[0].name());
        assert_eq!(acl, "network-acl/90");
        for (reason, rule, text, why) in [
            (Reason::GroupRule, name_number(&group), group.as_str(), "-"),
            (Reason::Tracked, name_number(&group), group.as_str(), "-"),
            (Reason::Tracked, 0, "tracked", "-"),
            (Reason::Tracked, 77, "tracked", "-"),
            (Reason::AclRule, name_number(&acl), acl.as_str(), "network-acl-rule"),
            (Reason::AclDefault, 0, "network-acl/*", "network-acl-default"),
            (Reason::NoGroupRule, 0, "-", "no-security-group-rule"),
            (Reason::Netfilter, 0, "-", "host-firewall:NETFILTER_DROP"),
            (Reason::None, 0, "-", "-"),
        ] {
            let decision = Decision { reason, rule };
            assert_eq!(decision.rule(&names).as_text().unwrap_or("-"), text, "{decision:?}");
            assert_eq!(decision.reject_reason().as_text().unwrap_or("-"), why, "{decision:?}");
        }
    }
}
