//! Security groups: creation, description, deletion.
//!
//! A group and its rules are resources of their own (`sg-…`, `sgr-…`), so that
//! a rule has tags and is found by its id.
//!
//! Invariants: each VPC has one group named `default`, which lives as long as
//! the VPC; names are unique in a VPC, whatever their case; a group that
//! interfaces carry, or that rules of other groups name, cannot go.
//!
//! Source: EC2 API, `CreateSecurityGroup`, `DeleteSecurityGroup`; VPC user
//! guide, "Security groups" and "Default security groups".

use crate::error::Result;
use crate::random;
use crate::state::{Cx, Resource};
use crate::vpc::Vpc;
use serde::{Deserialize, Serialize};
use weir_types::id::{SecurityGroupId, SecurityGroupRuleId, VpcId};
use weir_types::net::{Direction, IpNet, Ipv4Net, Ipv6Net};
use weir_types::rule::Match;

/// The name of the group that every VPC has, which nobody else may use.
pub const DEFAULT_NAME: &str = "default";

/// A security group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityGroup {
    pub id: SecurityGroupId,
    pub vpc: VpcId,
    pub name: String,
    pub description: String,
}

impl SecurityGroup {
    /// Whether it is its VPC's default group.
    pub fn is_default(&self) -> bool {
        self.name == DEFAULT_NAME
    }
}

/// The parent of a group is its VPC.
impl Resource for SecurityGroup {
    const KIND: &'static str = "security-group";
    fn id(&self) -> &str {
        self.id.as_str()
    }
    fn parent(&self) -> Option<&str> {
        Some(self.vpc.as_str())
    }
}

/// One rule of a security group, as the user wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityGroupRule {
    pub id: SecurityGroupRuleId,
    pub group: SecurityGroupId,
    pub direction: Direction,
    pub matches: Match,
    pub peer: Peer,
    pub description: Option<String>,
}

/// The other end that a rule names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Peer {
    /// A block in canonical form: no bits beyond the prefix.
    Cidr(IpNet),
    /// All interfaces that carry the group.
    Group(SecurityGroupId),
}

/// The parent of a rule is its group.
impl Resource for SecurityGroupRule {
    const KIND: &'static str = "security-group-rule";
    fn id(&self) -> &str {
        self.id.as_str()
    }
    fn parent(&self) -> Option<&str> {
        Some(self.group.as_str())
    }
}

/// Makes the default group of a new VPC: everything in from its members,
/// everything out.
pub fn create_default(cx: Cx<'_>, vpc: &Vpc) -> Result<SecurityGroup> {
    let group = SecurityGroup {
        id: SecurityGroupId::from_random(random::bits()?),
        vpc: vpc.id.clone(),
        name: DEFAULT_NAME.to_owned(),
        description: "default VPC security group".to_owned(),
    };
    cx.tx.put(cx.scope, &group)?;
    put_rule(cx, &group, Direction::Ingress, Peer::Group(group.id.clone()))?;
    allow_all_egress(cx, &group, vpc)?;
    Ok(group)
}

/// The rules that every new group gets: everything out, by IPv6 if the VPC has it.
fn allow_all_egress(cx: Cx<'_>, group: &SecurityGroup, vpc: &Vpc) -> Result<()> {
    put_rule(cx, group, Direction::Egress, Peer::Cidr(IpNet::V4(Ipv4Net::default())))?;
    if vpc.ipv6.is_some() {
        put_rule(cx, group, Direction::Egress, Peer::Cidr(IpNet::V6(Ipv6Net::default())))?;
    }
    Ok(())
}

fn put_rule(cx: Cx<'_>, group: &SecurityGroup, direction: Direction, peer: Peer) -> Result<()> {
    let rule = SecurityGroupRule {
        id: SecurityGroupRuleId::from_random(random::bits()?),
        group: group.id.clone(),
        direction,
        matches: Match::All,
        peer,
        description: None,
    };
    cx.tx.put(cx.scope, &rule)
}

/// Removes the default group of a VPC that goes, with its rules.
///
/// Errors: `DependencyViolation` if the VPC has other groups.
pub fn vpc_deleted(cx: Cx<'_>, vpc: &Vpc) -> Result<()> {
    let groups: Vec<SecurityGroup> = cx.tx.list_in(cx.scope, vpc.id.as_str())?;
    if groups.iter().any(|group| !group.is_default()) {
        return Err(crate::ControlError::fault(
            "DependencyViolation",
            format!("The vpc '{}' has dependencies and cannot be deleted.", vpc.id),
        ));
    }
    for group in &groups {
        remove(cx, group)?;
    }
    Ok(())
}

/// Removes a group and its rules, unasked.
fn remove(cx: Cx<'_>, group: &SecurityGroup) -> Result<()> {
    for rule in cx.tx.list_in::<SecurityGroupRule>(cx.scope, group.id.as_str())? {
        cx.tx.delete::<SecurityGroupRule>(cx.scope, rule.id.as_str())?;
    }
    cx.tx.delete::<SecurityGroup>(cx.scope, group.id.as_str())?;
    Ok(())
}
