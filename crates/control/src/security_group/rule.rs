//! Rules come and go: authorize and revoke, in either direction.
//!
//! Invariants: no two rules of a group and direction say the same; a group has
//! at most [`LIMIT`] rules a direction and IP version.
//!
//! Source: EC2 API, `AuthorizeSecurityGroupIngress` and its three relatives;
//! VPC user guide, "Amazon VPC quotas", "Security groups".

use super::permission::{self, IpPermission, Permission};
use super::{Peer, SecurityGroup, SecurityGroupRule, find};
use crate::error::{ControlError, Result};
use crate::prefix_list::PrefixList;
use crate::state::Cx;
use crate::{random, tags};
use weir_types::id::SecurityGroupRuleId;
use weir_types::net::{Direction, IpNet};
use weir_types::rule::Match;

/// Rules of a group in one direction, counted apart for IPv4 and IPv6; a rule
/// that names a group counts in both.
pub const LIMIT: usize = 60;

/// The outcome of a revocation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Revoked {
    /// The rules that went.
    pub rules: Vec<SecurityGroupRule>,
    /// What was named and was not there. Only for groups of the default VPC;
    /// for others that is an error.
    pub unknown: Vec<Permission>,
}

/// Adds rules to a group, with the same tags on each.
///
/// Errors: those of [`permission::read`], `InvalidPermission.Duplicate`,
/// `RulesPerSecurityGroupLimitExceeded`, those of [`tags::set`].
pub fn authorize(
    cx: Cx<'_>,
    group: &SecurityGroup,
    direction: Direction,
    typed: &[IpPermission],
    tags: &[(String, String)],
) -> Result<Vec<SecurityGroupRule>> {
    let wanted = permission::read(cx, group, typed)?;
    let mut rules = of_direction(cx, group, direction)?;
    let before = rules.len();
    for Permission { matches, peer, description } in wanted {
        if rules.iter().any(|rule| rule.matches == matches && rule.peer == peer) {
            let message = format!("the specified rule \"{}\" already exists", in_words(&matches, &peer));
            return Err(ControlError::fault("InvalidPermission.Duplicate", message));
        }
        let id = SecurityGroupRuleId::from_random(random::bits()?);
        rules.push(SecurityGroupRule { id, group: group.id.clone(), direction, matches, peer, description });
    }
    check_limit(cx, &rules)?;
    let added = rules.split_off(before);
    for rule in &added {
        cx.tx.put(cx.scope, rule)?;
        tags::set(cx, rule.id.as_str(), tags)?;
    }
    Ok(added)
}

/// Whether a group may have these rules. A rule that names a prefix list counts
/// as many as the list may have entries.
///
/// Errors: `RulesPerSecurityGroupLimitExceeded`.
pub(crate) fn check_limit(cx: Cx<'_>, rules: &[SecurityGroupRule]) -> Result<()> {
    // Of each direction: IPv4, IPv6.
    let mut counts = [[0_usize; 2]; 2];
    for rule in rules {
        let (ipv4, ipv6) = match &rule.peer {
            Peer::Cidr(IpNet::V4(_)) => (1, 0),
            Peer::Cidr(IpNet::V6(_)) => (0, 1),
            Peer::Group(_) => (1, 1),
            Peer::PrefixList(id) => {
                let list: Option<PrefixList> = cx.tx.get(cx.scope, id.as_str())?;
                let size = |family: &str| match &list {
                    Some(list) if list.family != family => 0,
                    Some(list) => usize::try_from(list.max_entries).unwrap_or(LIMIT),
                    None => 1,
                };
                (size("IPv4"), size("IPv6"))
            }
        };
        let [of_ipv4, of_ipv6] = &mut counts[usize::from(rule.direction == Direction::Egress)];
        *of_ipv4 += ipv4;
        *of_ipv6 += ipv6;
    }
    if counts.iter().flatten().any(|count| *count > LIMIT) {
        let message = "The maximum number of rules per security group has been reached.";
        return Err(ControlError::fault("RulesPerSecurityGroupLimitExceeded", message));
    }
    Ok(())
}

/// Removes the rules that say what `typed` says; descriptions do not matter.
///
/// Errors: those of [`permission::read`], `InvalidPermission.NotFound` if the
/// VPC is not the default one.
pub fn revoke(
    cx: Cx<'_>,
    group: &SecurityGroup,
    direction: Direction,
    typed: &[IpPermission],
) -> Result<Revoked> {
    let rules = of_direction(cx, group, direction)?;
    let mut revoked = Revoked::default();
    for wanted in permission::read(cx, group, typed)? {
        match rules.iter().find(|rule| rule.matches == wanted.matches && rule.peer == wanted.peer) {
            Some(rule) => revoked.rules.push(rule.clone()),
            None => revoked.unknown.push(wanted),
        }
    }
    let in_default_vpc = find::default_vpc(cx)?.is_some_and(|vpc| vpc.id == group.vpc);
    if !revoked.unknown.is_empty() && !in_default_vpc {
        let message = "The specified rule does not exist in this security group.";
        return Err(ControlError::fault("InvalidPermission.NotFound", message));
    }
    for rule in &revoked.rules {
        cx.tx.delete::<SecurityGroupRule>(cx.scope, rule.id.as_str())?;
    }
    Ok(revoked)
}

/// Removes rules of a group and direction by their ids.
///
/// Errors: `InvalidSecurityGroupRuleId.Malformed`, `InvalidSecurityGroupRuleId.NotFound`.
pub fn revoke_by_id(
    cx: Cx<'_>,
    group: &SecurityGroup,
    direction: Direction,
    ids: &[&str],
) -> Result<Revoked> {
    let mut revoked = Revoked::default();
    for id in ids {
        let rule = find::rule_by_id(cx, id)?;
        if rule.group != group.id || rule.direction != direction {
            return Err(find::unknown_rule(id));
        }
        // False for an id that was given twice.
        if cx.tx.delete::<SecurityGroupRule>(cx.scope, id)? {
            revoked.rules.push(rule);
        }
    }
    Ok(revoked)
}

/// All rules of a group, ordered by id.
pub fn of_group(cx: Cx<'_>, group: &SecurityGroup) -> Result<Vec<SecurityGroupRule>> {
    cx.tx.list_in(cx.scope, group.id.as_str())
}

pub(super) fn of_direction(
    cx: Cx<'_>,
    group: &SecurityGroup,
    direction: Direction,
) -> Result<Vec<SecurityGroupRule>> {
    let mut rules = of_group(cx, group)?;
    rules.retain(|rule| rule.direction == direction);
    Ok(rules)
}

/// A rule as AWS words it in its errors.
pub(super) fn in_words(matches: &Match, peer: &Peer) -> String {
    let peer = match peer {
        Peer::Cidr(block) => block.to_string(),
        Peer::Group(group) => group.to_string(),
        Peer::PrefixList(list) => list.to_string(),
    };
    let or_all = |value: Option<u8>| value.map_or("ALL".to_owned(), |value| value.to_string());
    let protocol = permission::protocol_name(matches).to_ascii_uppercase();
    let what = match *matches {
        Match::All => "ALL".to_owned(),
        Match::Ports { ports, .. } => {
            format!("{protocol}, from port: {}, to port: {}", ports.first, ports.last)
        }
        Match::Icmp { icmp_type, icmp_code, .. } => {
            format!("{protocol}, type: {}, code: {}", or_all(icmp_type), or_all(icmp_code))
        }
        Match::Protocol { .. } => protocol,
    };
    format!("peer: {peer}, {what}, ALLOW")
}
