//! Rules as an agent enforces them: references resolved, texts parsed.
//!
//! The control plane keeps rules as users wrote them (groups that refer to
//! groups, prefix lists, descriptions). What reaches a host is this form, in
//! which every peer is a set of CIDR blocks.

use crate::id::{SecurityGroupId, SecurityGroupRuleId};
use crate::net::{Direction, IpNet, PortRange, Protocol};
use serde::{Deserialize, Serialize};

/// Which packets of a protocol a rule speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Match {
    /// Every protocol and port (`IpProtocol` -1).
    All,
    /// TCP, UDP or SCTP to a run of destination ports.
    Ports { protocol: Protocol, ports: PortRange },
    /// ICMP or ICMPv6; `None` is any type, or any code of the type.
    Icmp { protocol: Protocol, icmp_type: Option<u8>, icmp_code: Option<u8> },
    /// All packets of another protocol.
    Protocol { protocol: Protocol },
}

/// One allow rule of a security group.
///
/// Source: VPC user guide, "Security group rules".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRule {
    pub group: SecurityGroupId,
    pub rule: SecurityGroupRuleId,
    pub direction: Direction,
    pub matches: Match,
    /// The other end: any of these blocks. Empty matches nothing (a referenced
    /// group without members).
    pub peers: Vec<IpNet>,
}

/// One numbered rule of a network ACL. The lowest number that matches decides;
/// if none does, the packet is denied.
///
/// Source: VPC user guide, "Network ACL rules".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AclRule {
    /// 1 to 32766.
    pub number: u16,
    pub direction: Direction,
    pub matches: Match,
    /// The other end.
    pub peer: IpNet,
    pub allow: bool,
}

impl GroupRule {
    /// `sg-…/sgr-…`
    pub fn name(&self) -> String {
        group_rule_name(&self.group, &self.rule)
    }
}

impl AclRule {
    /// `network-acl/90`
    pub fn name(&self) -> String {
        acl_rule_name(self.number)
    }
}

/// `sg-…/sgr-…`: how records name a security group's rule.
pub fn group_rule_name(group: &SecurityGroupId, rule: &SecurityGroupRuleId) -> String {
    format!("{group}/{rule}")
}

/// `network-acl/90`: how records name a rule of the subnet's network ACL.
pub fn acl_rule_name(number: u16) -> String {
    format!("network-acl/{number}")
}

/// A rule's name as a number that kernel maps can hold; never 0.
pub fn name_number(name: &str) -> u32 {
    // FNV-1a with 32 bits.
    let hash =
        name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash.max(1)
}

/// Everything that decides the packets of one network interface.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct InterfaceRules {
    /// The rules of all security groups of the interface: a packet passes if
    /// any of its direction matches.
    pub groups: Vec<GroupRule>,
    /// The rules of the subnet's network ACL, in any order.
    pub acl: Vec<AclRule>,
    /// The subnet's blocks: the ACL does not apply to a peer inside them.
    pub subnet_cidrs: Vec<IpNet>,
}
