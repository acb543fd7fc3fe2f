//! Rules to flat lists: the one form that the kernel's maps and the reference
//! evaluator both read, so that what a packet meets is decided in one place.
//!
//! ```text
//! per direction   acl:    one AclSkip entry per block of the subnet,
//!                         then the ACL's rules, lowest number first
//!                 groups: untracked entries, then all others;
//!                         in each part rule by rule, peer block by peer block
//! origins         what the entries' `origin` points to, to name it in a verdict
//! ```
//!
//! In both lists the first entry that matches decides. Nothing matching: the
//! ACL denies, the groups reject.
//!
//! Untracked flows. AWS does not track a TCP or UDP flow if a rule permits it
//! from or to everywhere (0.0.0.0/0 or ::/0) and the other direction permits
//! every answer, that is all ports of the protocol to or from everywhere
//! (EC2 user guide, "Security group connection tracking", "Untracked
//! connections"). Whether that holds depends on the rules alone, so it is
//! settled here: an entry with `untracked` always names TCP or UDP; a rule for
//! all protocols becomes up to two such entries and its ordinary one.

use crate::packet::{Packet, family, mapped};
use crate::verdict::Verdict;
use std::net::IpAddr;
use weir_types::id::{SecurityGroupId, SecurityGroupRuleId};
use weir_types::net::{Direction, IpNet, PortRange, Protocol};
use weir_types::rule::{GroupRule, InterfaceRules, Match, acl_rule_name, group_rule_name, name_number};

/// Entries that one list may hold: the size of the kernel's arrays.
pub const MAX_ENTRIES: usize = 4096;

/// Rules that cannot be brought into the flat form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// A list is longer than [`MAX_ENTRIES`].
    #[error(
        "{count} {direction} {list} entries (one per rule and address block) are more than the {MAX_ENTRIES} \
         an interface can hold: use fewer rules, or larger address blocks"
    )]
    TooManyEntries {
        direction: Direction,
        /// `network ACL` or `security group`.
        list: &'static str,
        count: usize,
    },
    /// A rule gives ports for a protocol that has none.
    #[error("{origin} gives ports for protocol {protocol}, which has none: use all packets of the protocol")]
    PortsOfPortlessProtocol { origin: Origin, protocol: Protocol },
    /// A rule gives an ICMP type for a protocol that is not ICMP or ICMPv6.
    #[error("{origin} gives an ICMP type for protocol {protocol}: use protocol 1 or 58")]
    IcmpTypeOfOtherProtocol { origin: Origin, protocol: Protocol },
}

/// Where an entry came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A block of the interface's subnet.
    Subnet(IpNet),
    /// The network ACL rule of this number.
    Acl { number: u16 },
    /// A security group's rule.
    Group { group: SecurityGroupId, rule: SecurityGroupRuleId },
}

impl Origin {
    /// The number of the rule's name in records; 0 for what is no rule.
    pub fn name_number(&self) -> u32 {
        match self {
            Self::Subnet(_) => 0,
            Self::Acl { number } => name_number(&acl_rule_name(*number)),
            Self::Group { group, rule } => name_number(&group_rule_name(group, rule)),
        }
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Subnet(block) => write!(f, "subnet block {block}"),
            Self::Acl { number } => write!(f, "network ACL rule {number}"),
            Self::Group { group, rule } => write!(f, "rule {rule} of security group {group}"),
        }
    }
}

/// What a matching entry does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Allow,
    Deny,
    /// The peer is in the interface's own subnet: the network ACL does not apply.
    AclSkip,
}

/// One test of a packet. Fixed-size fields only, so that it can be copied into
/// a kernel map as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleEntry {
    /// The peer's block; IPv4 as `::ffff:a.b.c.d`. Bits outside `mask` are 0.
    pub addr: [u8; 16],
    /// Ones for the bits that must agree; an IPv4 /n has 96 + n.
    pub mask: [u8; 16],
    /// 4 or 6: the packet's and the block's.
    pub family: u8,
    /// 0 if `any_protocol`.
    pub protocol: u8,
    pub any_protocol: bool,
    /// Destination ports, both ends included; 0..=65535 matches also packets
    /// without ports and those whose ports are unknown.
    pub port_first: u16,
    pub port_last: u16,
    /// -1: any.
    pub icmp_type: i16,
    /// -1: any.
    pub icmp_code: i16,
    pub effect: Effect,
    /// Only in group lists: flows that this entry allows are not tracked.
    pub untracked: bool,
    /// Index into [`CompiledRules::origins`].
    pub origin: u32,
}

/// The lists of one direction. In each the first match decides.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DirectionRules {
    pub acl: Vec<RuleEntry>,
    pub groups: Vec<RuleEntry>,
}

/// The rules of one network interface, ready for use.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CompiledRules {
    pub ingress: DirectionRules,
    pub egress: DirectionRules,
    pub origins: Vec<Origin>,
}

/// A packet as entries test it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Probe {
    family: u8,
    peer: [u8; 16],
    protocol: u8,
    /// `None`: unknown.
    port: Option<u16>,
    /// Type and code; `None`: not ICMP, or unknown.
    icmp: Option<(u8, u8)>,
}

impl Probe {
    /// The packet itself, tested by its destination port.
    pub(crate) fn of(packet: &Packet) -> Self {
        Self::with_port(packet, packet.dst_port)
    }

    /// The packet's answer, tested by rules of the opposite direction: the peer
    /// stays, and the answer's destination port is the packet's source port.
    pub(crate) fn of_answer(packet: &Packet) -> Self {
        Self::with_port(packet, packet.src_port)
    }

    fn with_port(packet: &Packet, port: u16) -> Self {
        let peer = packet.peer();
        Self {
            family: family(peer),
            peer: mapped(peer),
            protocol: packet.protocol.0,
            port: (!packet.lacks_transport()).then_some(port),
            icmp: packet.icmp.map(|icmp| (icmp.icmp_type, icmp.icmp_code)),
        }
    }
}

impl RuleEntry {
    pub(crate) fn matches(&self, probe: &Probe) -> bool {
        self.family == probe.family
            && (0..16).all(|i| probe.peer[i] & self.mask[i] == self.addr[i])
            && (self.any_protocol || self.protocol == probe.protocol)
            && match probe.port {
                Some(port) => self.ports().contains(port),
                None => self.ports() == PortRange::ALL,
            }
            && (self.icmp_type == -1 || probe.icmp.is_some_and(|(t, _)| i16::from(t) == self.icmp_type))
            && (self.icmp_code == -1 || probe.icmp.is_some_and(|(_, c)| i16::from(c) == self.icmp_code))
    }

    fn ports(&self) -> PortRange {
        PortRange { first: self.port_first, last: self.port_last }
    }

    /// The entry for a block before its match is filled in: everything to or from it.
    fn of_block(block: IpNet, effect: Effect, origin: u32) -> Self {
        let (addr, ones) = match block {
            IpNet::V4(v4) => (mapped(IpAddr::V4(v4.network())), 96 + u32::from(v4.prefix_len())),
            IpNet::V6(v6) => (mapped(IpAddr::V6(v6.network())), u32::from(v6.prefix_len())),
        };
        // A shift by 128 (prefix length 0) has no value in u128: no ones.
        let mask = u128::MAX.checked_shl(128 - ones).unwrap_or(0).to_be_bytes();
        Self {
            addr,
            mask,
            family: family(block.addr()),
            protocol: 0,
            any_protocol: true,
            port_first: 0,
            port_last: u16::MAX,
            icmp_type: -1,
            icmp_code: -1,
            effect,
            untracked: false,
            origin,
        }
    }

    fn narrowed_to(mut self, matches: Match) -> Self {
        let protocol = match matches {
            Match::All => return self,
            Match::Ports { protocol, ports } => {
                (self.port_first, self.port_last) = (ports.first, ports.last);
                protocol
            }
            Match::Icmp { protocol, icmp_type, icmp_code } => {
                self.icmp_type = icmp_type.map_or(-1, i16::from);
                self.icmp_code = icmp_code.map_or(-1, i16::from);
                protocol
            }
            Match::Protocol { protocol } => protocol,
        };
        self.any_protocol = false;
        self.protocol = protocol.0;
        self
    }

    /// Whether it lets pass every packet of `protocol`, TCP or UDP, to or from
    /// everywhere in the address family.
    fn permits_all(&self, protocol: Protocol, family: u8) -> bool {
        self.family == family
            && self.is_everywhere()
            && (self.any_protocol || self.protocol == protocol.0)
            && self.ports() == PortRange::ALL
    }

    /// 0.0.0.0/0 or ::/0.
    fn is_everywhere(&self) -> bool {
        let ones: u32 = self.mask.iter().map(|byte| byte.count_ones()).sum();
        ones == if self.family == 4 { 96 } else { 0 }
    }
}

impl CompiledRules {
    /// Brings the rules of an interface into the flat form.
    ///
    /// # Errors
    /// A list longer than [`MAX_ENTRIES`], or a rule that makes no sense.
    pub fn compile(rules: &InterfaceRules) -> Result<Self, CompileError> {
        let mut compiled = Self::default();
        compiled.add_acl(rules)?;
        compiled.add_groups(&rules.groups)?;
        for direction in Direction::BOTH {
            let lists = compiled.direction(direction);
            for (list, entries) in [("network ACL", &lists.acl), ("security group", &lists.groups)] {
                if entries.len() > MAX_ENTRIES {
                    return Err(CompileError::TooManyEntries { direction, list, count: entries.len() });
                }
            }
        }
        Ok(compiled)
    }

    /// The lists for packets of a direction.
    pub fn direction(&self, direction: Direction) -> &DirectionRules {
        match direction {
            Direction::Ingress => &self.ingress,
            Direction::Egress => &self.egress,
        }
    }

    fn direction_mut(&mut self, direction: Direction) -> &mut DirectionRules {
        match direction {
            Direction::Ingress => &mut self.ingress,
            Direction::Egress => &mut self.egress,
        }
    }

    /// The verdict on a packet that the network ACL denied: by the entry from
    /// `origin`, or by none.
    pub fn acl_denial(&self, origin: Option<u32>) -> Verdict {
        match origin.and_then(|index| self.origins.get(index as usize)) {
            Some(Origin::Acl { number }) => Verdict::AclRule { number: *number },
            _ => Verdict::AclDefault,
        }
    }

    /// The verdict on a packet that the group entry from `origin` allowed.
    pub fn group_allowance(&self, origin: u32, untracked: bool) -> Verdict {
        match self.origins.get(origin as usize) {
            Some(Origin::Group { group, rule }) if untracked => {
                Verdict::Untracked { group: group.clone(), rule: rule.clone() }
            }
            Some(Origin::Group { group, rule }) => {
                Verdict::GroupRule { group: group.clone(), rule: rule.clone() }
            }
            // An index that no group entry of these rules has: nobody allowed it.
            _ => Verdict::NoGroupAllows,
        }
    }

    fn add_origin(&mut self, origin: Origin) -> u32 {
        self.origins.push(origin);
        // Rules come in requests of bounded size; the count stays far below u32.
        (self.origins.len() - 1) as u32
    }

    fn add_acl(&mut self, rules: &InterfaceRules) -> Result<(), CompileError> {
        for &block in &rules.subnet_cidrs {
            let origin = self.add_origin(Origin::Subnet(block));
            let entry = RuleEntry::of_block(block, Effect::AclSkip, origin);
            self.ingress.acl.push(entry);
            self.egress.acl.push(entry);
        }
        let mut by_number: Vec<_> = rules.acl.iter().collect();
        by_number.sort_by_key(|rule| rule.number);
        for rule in by_number {
            let origin = Origin::Acl { number: rule.number };
            check(rule.matches, &origin)?;
            let effect = if rule.allow { Effect::Allow } else { Effect::Deny };
            let origin = self.add_origin(origin);
            let entry = RuleEntry::of_block(rule.peer, effect, origin).narrowed_to(rule.matches);
            self.direction_mut(rule.direction).acl.push(entry);
        }
        Ok(())
    }

    fn add_groups(&mut self, rules: &[GroupRule]) -> Result<(), CompileError> {
        for rule in rules {
            let origin = Origin::Group { group: rule.group.clone(), rule: rule.rule.clone() };
            check(rule.matches, &origin)?;
            let origin = self.add_origin(origin);
            let entries = rule
                .peers
                .iter()
                .map(|&block| RuleEntry::of_block(block, Effect::Allow, origin).narrowed_to(rule.matches));
            self.direction_mut(rule.direction).groups.extend(entries);
        }
        let ingress = with_untracked_first(&self.ingress.groups, &self.egress.groups);
        let egress = with_untracked_first(&self.egress.groups, &self.ingress.groups);
        (self.ingress.groups, self.egress.groups) = (ingress, egress);
        Ok(())
    }
}

fn check(matches: Match, origin: &Origin) -> Result<(), CompileError> {
    match matches {
        Match::Ports { protocol, .. } if !protocol.has_ports() => {
            Err(CompileError::PortsOfPortlessProtocol { origin: origin.clone(), protocol })
        }
        Match::Icmp { protocol, .. } if !protocol.is_icmp() => {
            Err(CompileError::IcmpTypeOfOtherProtocol { origin: origin.clone(), protocol })
        }
        _ => Ok(()),
    }
}

/// The group list of one direction in its final order, given the other's.
///
/// An entry all of whose flows are untracked moves to the front. One for all
/// protocols stays, for what else it allows, and sends TCP and UDP copies ahead.
fn with_untracked_first(entries: &[RuleEntry], opposite: &[RuleEntry]) -> Vec<RuleEntry> {
    let mut answered = Vec::new();
    for protocol in [Protocol::TCP, Protocol::UDP] {
        for family in [4, 6] {
            if opposite.iter().any(|entry| entry.permits_all(protocol, family)) {
                answered.push((protocol, family));
            }
        }
    }
    let (mut untracked, mut others) = (Vec::new(), Vec::new());
    for &entry in entries {
        let mut moved = false;
        for &(protocol, family) in &answered {
            if entry.is_everywhere()
                && entry.family == family
                && (entry.any_protocol || entry.protocol == protocol.0)
            {
                untracked.push(RuleEntry {
                    protocol: protocol.0,
                    any_protocol: false,
                    untracked: true,
                    ..entry
                });
                moved |= !entry.any_protocol;
            }
        }
        if !moved {
            others.push(entry);
        }
    }
    untracked.append(&mut others);
    untracked
}
