//! Security groups: creation, description, deletion.
//!
//! A group and its rules are resources of their own (`sg-…`, `sgr-…`), so that
//! a rule has tags and is found by its id. What rules may say is in
//! [`permission`], how they come and go in [`rule`], how
//! they change in [`edit`].
//!
//! Invariants: each VPC has one group named `default`, which lives as long as
//! the VPC; names are unique in a VPC, whatever their case; a group that
//! interfaces carry, or that rules of other groups name, cannot go.
//!
//! Source: EC2 API, `CreateSecurityGroup`, `DeleteSecurityGroup`; VPC user
//! guide, "Security groups" and "Default security groups".

pub mod edit;
pub mod find;
pub mod permission;
pub mod rule;

use crate::error::{ControlError, Result};
use crate::interface_index;
use crate::state::{Cx, Resource};
use crate::vpc::{self, Vpc};
use crate::{random, tags};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use weir_types::id::{PrefixListId, SecurityGroupId, SecurityGroupRuleId, VpcId};
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
    const INDEX: crate::state::Index =
        crate::state::Index { id: "group-id", parent: "vpc-id", keys: &["group-name"] };
    fn keys(&self) -> Vec<(&'static str, String)> {
        vec![("group-name", self.name.clone())]
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
    /// All blocks of the list's newest version.
    PrefixList(PrefixListId),
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
    const INDEX: crate::state::Index = crate::state::Index {
        id: "security-group-rule-id",
        parent: "group-id",
        keys: &["referenced-group", "referenced-prefix-list"],
    };
    fn keys(&self) -> Vec<(&'static str, String)> {
        match &self.peer {
            Peer::Group(group) => vec![("referenced-group", group.to_string())],
            Peer::PrefixList(list) => vec![("referenced-prefix-list", list.to_string())],
            Peer::Cidr(_) => Vec::new(),
        }
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
    if !vpc.ipv6.is_empty() {
        put_rule(cx, group, Direction::Egress, Peer::Cidr(IpNet::V6(Ipv6Net::default())))?;
    }
    Ok(())
}

/// A VPC has got its first IPv6 block: groups that still let out everything, as
/// they were made, do so by IPv6 too.
///
/// Source: VPC user guide, "Default security groups", "Security group rules".
pub(crate) fn ipv6_came(cx: Cx<'_>, vpc: &Vpc) -> Result<()> {
    let everywhere = |peer| (Match::All, Peer::Cidr(peer));
    let as_made = [everywhere(IpNet::V4(Ipv4Net::default()))];
    for group in cx.tx.list_in::<SecurityGroup>(cx.scope, vpc.id.as_str())? {
        let egress = rule::of_direction(cx, &group, Direction::Egress)?;
        let egress: Vec<_> = egress.into_iter().map(|rule| (rule.matches, rule.peer)).collect();
        if egress == as_made {
            put_rule(cx, &group, Direction::Egress, Peer::Cidr(IpNet::V6(Ipv6Net::default())))?;
        }
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

/// What `CreateSecurityGroup` is given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewSecurityGroup {
    pub name: String,
    pub description: String,
    /// `None`: the default VPC.
    pub vpc: Option<String>,
    pub tags: Vec<(String, String)>,
}

/// Makes a group, which lets everything out and nothing in.
///
/// Errors: `InvalidParameterValue` (name, description), `InvalidGroup.Reserved`
/// (`default`), `InvalidGroup.Duplicate`, `InvalidVpcID.Malformed`, `InvalidVpcID.NotFound`,
/// `VPCIdNotSpecified` (no VPC given, no default one), those of [`tags::set`].
pub fn create(cx: Cx<'_>, new: &NewSecurityGroup) -> Result<SecurityGroup> {
    let name = new.name.trim();
    if name.is_empty() || name.len() > 255 {
        let message = format!(
            "Value ({}) for parameter GroupName is invalid. Names have 1 to 255 characters.",
            new.name
        );
        return Err(ControlError::fault("InvalidParameterValue", message));
    }
    if name.to_ascii_lowercase().starts_with("sg-") {
        let message = format!(
            "Value ({name}) for parameter GroupName is invalid. Group names may not be in the format sg-*."
        );
        return Err(ControlError::fault("InvalidParameterValue", message));
    }
    permission::check_text(name, "security group name", "names")?;
    permission::check_text(&new.description, "security group description", "descriptions")?;
    if name.eq_ignore_ascii_case(DEFAULT_NAME) {
        let message = "The security group 'default' is reserved";
        return Err(ControlError::fault("InvalidGroup.Reserved", message));
    }
    let vpc = match &new.vpc {
        Some(id) => vpc::FAULTS.find(cx, id)?,
        None => find::default_vpc(cx)?
            .ok_or_else(|| ControlError::fault("VPCIdNotSpecified", "No default VPC for this user"))?,
    };
    if find::named(cx, &vpc.id, name)?.is_some() {
        let message = format!("The security group '{name}' already exists for VPC '{}'", vpc.id);
        return Err(ControlError::fault("InvalidGroup.Duplicate", message));
    }
    let group = SecurityGroup {
        id: SecurityGroupId::from_random(random::bits()?),
        vpc: vpc.id.clone(),
        name: name.to_owned(),
        description: new.description.clone(),
    };
    cx.tx.put(cx.scope, &group)?;
    allow_all_egress(cx, &group, &vpc)?;
    tags::set(cx, group.id.as_str(), &new.tags)?;
    Ok(group)
}

/// Groups with their rules, these ordered by id.
pub fn with_rules(
    cx: Cx<'_>,
    groups: Vec<SecurityGroup>,
) -> Result<Vec<(SecurityGroup, Vec<SecurityGroupRule>)>> {
    let mut rules: BTreeMap<SecurityGroupId, Vec<SecurityGroupRule>> = BTreeMap::new();
    let all: Vec<SecurityGroupRule> = match groups.len() {
        // One by one for a few, all at once for many.
        0..=8 => {
            let each = groups.iter().map(|group| cx.tx.list_in(cx.scope, group.id.as_str()));
            each.collect::<Result<Vec<_>>>()?.concat()
        }
        _ => cx.tx.list(cx.scope)?,
    };
    for rule in all {
        rules.entry(rule.group.clone()).or_default().push(rule);
    }
    let with_rules = |group: SecurityGroup| {
        let rules = rules.remove(&group.id).unwrap_or_default();
        (group, rules)
    };
    Ok(groups.into_iter().map(with_rules).collect())
}

/// Removes a group and its rules.
///
/// Errors: `CannotDelete` for a default group, `DependencyViolation` while
/// interfaces carry it or rules of other groups name it.
pub fn delete(cx: Cx<'_>, group: &SecurityGroup) -> Result<()> {
    if group.is_default() {
        let message = format!(
            "the specified group: \"{}\" name: \"{}\" cannot be deleted by a user",
            group.id, group.name
        );
        return Err(ControlError::fault("CannotDelete", message));
    }
    let carried = interface_index::any_in_group(cx, &group.id)?;
    let rules: Vec<SecurityGroupRule> = cx.tx.list_by(cx.scope, "referenced-group", &[group.id.as_str()])?;
    let named = rules.iter().any(|rule| rule.group != group.id);
    if carried || named {
        let message = format!("resource {} has a dependent object", group.id);
        return Err(ControlError::fault("DependencyViolation", message));
    }
    remove(cx, group)
}

/// Removes the default group of a VPC that goes, with its rules.
///
/// Errors: `DependencyViolation` if the VPC has other groups.
pub fn vpc_deleted(cx: Cx<'_>, vpc: &Vpc) -> Result<()> {
    let groups: Vec<SecurityGroup> = cx.tx.list_in(cx.scope, vpc.id.as_str())?;
    if groups.iter().any(|group| !group.is_default()) {
        return Err(ControlError::fault(
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

#[cfg(test)]
mod tests;
