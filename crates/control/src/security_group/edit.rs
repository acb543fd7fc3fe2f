//! Rules change in place: what they say, or only their descriptions. A rule
//! keeps its id, direction, tags and kind of peer.
//!
//! Source: EC2 API, `ModifySecurityGroupRules`,
//! `UpdateSecurityGroupRuleDescriptionsIngress` and `…Egress`.

use super::permission::{self, GroupPair, IpPermission, PrefixListPair, Range};
use super::{Peer, SecurityGroup, SecurityGroupRule, find, rule};
use crate::error::{ControlError, Result};
use crate::state::Cx;
use std::mem::discriminant;
use weir_types::net::{Direction, IpNet};

/// A rule as typed: everything that it shall say from now on. One of the four
/// peers is given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuleRequest {
    pub protocol: Option<String>,
    pub from_port: Option<i64>,
    pub to_port: Option<i64>,
    pub cidr_ipv4: Option<String>,
    pub cidr_ipv6: Option<String>,
    pub prefix_list_id: Option<String>,
    pub referenced_group_id: Option<String>,
    /// `None` removes the description.
    pub description: Option<String>,
}

impl RuleRequest {
    /// The permission that says the same.
    ///
    /// Errors: `MissingParameter` for no peer, `InvalidParameterCombination` for several.
    fn permission(&self) -> Result<IpPermission> {
        let description = self.description.clone();
        let range = |cidr: &String| Range { cidr: cidr.clone(), description: description.clone() };
        let group = |id: &String| GroupPair {
            id: Some(id.clone()),
            description: description.clone(),
            ..GroupPair::default()
        };
        let list = |id: &String| PrefixListPair { id: id.clone(), description: description.clone() };
        let permission = IpPermission {
            protocol: self.protocol.clone(),
            from_port: self.from_port,
            to_port: self.to_port,
            ipv4: self.cidr_ipv4.iter().map(range).collect(),
            ipv6: self.cidr_ipv6.iter().map(range).collect(),
            groups: self.referenced_group_id.iter().map(group).collect(),
            prefix_lists: self.prefix_list_id.iter().map(list).collect(),
        };
        let peers = permission.ipv4.len()
            + permission.ipv6.len()
            + permission.groups.len()
            + permission.prefix_lists.len();
        let named = "CidrIpv4, CidrIpv6, PrefixListId or ReferencedGroupId";
        match peers {
            0 => {
                let message = format!("The rule must contain one of {named}");
                Err(ControlError::fault("MissingParameter", message))
            }
            1 => Ok(permission),
            _ => {
                let message = format!("The rule must contain only one of {named}");
                Err(ControlError::fault("InvalidParameterCombination", message))
            }
        }
    }
}

/// Replaces what rules of a group say, all of them or none.
///
/// Errors: `InvalidSecurityGroupRuleId.Malformed`,
/// `InvalidSecurityGroupRuleId.NotFound`, those of [`permission::read`],
/// `InvalidParameterCombination`, `InvalidParameterValue` (another kind of
/// peer, a rule twice), `InvalidPermission.Duplicate`.
pub fn modify(cx: Cx<'_>, group: &SecurityGroup, changes: &[(String, RuleRequest)]) -> Result<()> {
    let invalid = |message: String| Err(ControlError::fault("InvalidParameterValue", message));
    let mut rules = rule::of_group(cx, group)?;
    let mut changed: Vec<SecurityGroupRule> = Vec::new();
    for (id, request) in changes {
        let mut rule = of_group(cx, group, id)?;
        if changed.iter().any(|other| other.id == rule.id) {
            return invalid(format!("The security group rule ID '{id}' must not appear multiple times"));
        }
        for wanted in permission::read(cx, group, &[request.permission()?])? {
            if kind(&wanted.peer) != kind(&rule.peer) {
                return invalid(format!(
                    "The source type of the security group rule '{id}' cannot be changed"
                ));
            }
            (rule.matches, rule.peer, rule.description) = (wanted.matches, wanted.peer, wanted.description);
        }
        rules.retain(|other| other.id != rule.id);
        changed.push(rule);
    }
    for rule in changed {
        let same = |other: &SecurityGroupRule| {
            other.direction == rule.direction && other.matches == rule.matches && other.peer == rule.peer
        };
        if rules.iter().any(same) {
            let said = rule::in_words(&rule.matches, &rule.peer);
            let message = format!("the specified rule \"{said}\" already exists");
            return Err(ControlError::fault("InvalidPermission.Duplicate", message));
        }
        cx.tx.put(cx.scope, &rule)?;
        rules.push(rule);
    }
    Ok(())
}

/// IPv4 block, IPv6 block, group or prefix list.
fn kind(peer: &Peer) -> (std::mem::Discriminant<Peer>, bool) {
    (discriminant(peer), matches!(peer, Peer::Cidr(IpNet::V6(_))))
}

/// Gives the rules that say what `typed` says the descriptions of `typed`; a
/// peer without one loses its description.
///
/// Errors: those of [`permission::read`], `InvalidPermission.NotFound`.
pub fn set_descriptions(
    cx: Cx<'_>,
    group: &SecurityGroup,
    direction: Direction,
    typed: &[IpPermission],
) -> Result<()> {
    let rules = rule::of_direction(cx, group, direction)?;
    for wanted in permission::read(cx, group, typed)? {
        let found = rules.iter().find(|rule| rule.matches == wanted.matches && rule.peer == wanted.peer);
        let Some(rule) = found else {
            let message = "The specified rule does not exist in this security group.";
            return Err(ControlError::fault("InvalidPermission.NotFound", message));
        };
        cx.tx.put(cx.scope, &SecurityGroupRule { description: wanted.description, ..rule.clone() })?;
    }
    Ok(())
}

/// [`set_descriptions`] of rules by their ids.
///
/// Errors: `InvalidSecurityGroupRuleId.Malformed`,
/// `InvalidSecurityGroupRuleId.NotFound`, `InvalidParameterValue`.
pub fn set_descriptions_by_id(
    cx: Cx<'_>,
    group: &SecurityGroup,
    direction: Direction,
    descriptions: &[(String, Option<String>)],
) -> Result<()> {
    for (id, description) in descriptions {
        let rule = of_group(cx, group, id)?;
        if rule.direction != direction {
            return Err(find::unknown_rule(id));
        }
        permission::check_text(
            description.as_deref().unwrap_or_default(),
            "rule description",
            "descriptions",
        )?;
        cx.tx.put(cx.scope, &SecurityGroupRule { description: description.clone(), ..rule })?;
    }
    Ok(())
}

fn of_group(cx: Cx<'_>, group: &SecurityGroup, id: &str) -> Result<SecurityGroupRule> {
    let rule = find::rule_by_id(cx, id)?;
    if rule.group == group.id { Ok(rule) } else { Err(find::unknown_rule(id)) }
}
