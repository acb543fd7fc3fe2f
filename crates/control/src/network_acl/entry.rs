//! Entries of a network ACL: created, replaced, deleted by number.
//!
//! ```text
//! 6 TCP, 17 UDP          PortRange required
//! 1 ICMP                 IcmpTypeCode required, -1 any
//! 58 ICMPv6 with IPv6    IcmpTypeCode required, -1 any
//! -1, others             every packet; ports, type and code are ignored
//! ```
//!
//! Source: EC2 API, `CreateNetworkAclEntry`, `ReplaceNetworkAclEntry`,
//! `DeleteNetworkAclEntry`; VPC user guide, "Network ACL rules".

use super::NetworkAcl;
use crate::error::{ControlError, Result};
use crate::state::Cx;
use weir_types::net::{Direction, IpNet, Ipv4Net, Ipv6Net, PortRange, Protocol};
use weir_types::rule::{AclRule, Match};

/// Entries of an ACL in one direction: the most that AWS grants.
/// Source: VPC user guide, "Amazon VPC quotas", "Rules per network ACL".
pub const LIMIT: usize = 40;

/// The number under which AWS shows the last rule, which denies what no other
/// matched; IPv6 has the next number.
pub const LAST_NUMBER: u16 = 32767;

/// An entry as typed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewEntry {
    pub rule_number: i64,
    pub egress: bool,
    /// A number, `-1`, or one of tcp, udp, icmp, icmpv6.
    pub protocol: String,
    /// `allow` or `deny`.
    pub rule_action: String,
    pub cidr: Option<String>,
    pub ipv6_cidr: Option<String>,
    pub port_from: Option<i64>,
    pub port_to: Option<i64>,
    pub icmp_type: Option<i64>,
    pub icmp_code: Option<i64>,
}

/// Adds an entry.
///
/// Errors: `InvalidParameterValue`, `MissingParameter`,
/// `NetworkAclEntryAlreadyExists`, `NetworkAclEntryLimitExceeded`.
pub fn create(cx: Cx<'_>, mut acl: NetworkAcl, new: &NewEntry) -> Result<()> {
    let rule = read(new)?;
    match place(&acl, rule.direction, rule.number) {
        Ok(_) => {
            let message = format!("The network acl entry identified by {} already exists.", rule.number);
            Err(ControlError::fault("NetworkAclEntryAlreadyExists", message))
        }
        Err(_) if acl.entries.iter().filter(|entry| entry.direction == rule.direction).count() >= LIMIT => {
            let message = format!(
                "The network ACL {} has {LIMIT} {} entries, the most it can have.",
                acl.id, rule.direction
            );
            Err(ControlError::fault("NetworkAclEntryLimitExceeded", message))
        }
        Err(place) => {
            acl.entries.insert(place, rule);
            cx.tx.put(cx.scope, &acl)
        }
    }
}

/// Replaces the entry of this number and direction.
///
/// Errors: `InvalidParameterValue`, `MissingParameter`, `InvalidNetworkAclEntry.NotFound`.
pub fn replace(cx: Cx<'_>, mut acl: NetworkAcl, new: &NewEntry) -> Result<()> {
    let rule = read(new)?;
    match acl
        .entries
        .iter_mut()
        .find(|entry| (entry.direction, entry.number) == (rule.direction, rule.number))
    {
        None => Err(unknown(rule.number)),
        Some(entry) => {
            *entry = rule;
            cx.tx.put(cx.scope, &acl)
        }
    }
}

/// Deletes the entry of this number and direction.
///
/// Errors: `InvalidParameterValue` (the number), `InvalidNetworkAclEntry.NotFound`.
pub fn delete(cx: Cx<'_>, mut acl: NetworkAcl, rule_number: i64, egress: bool) -> Result<()> {
    let number = number(rule_number)?;
    let Ok(place) = place(&acl, direction(egress), number) else { return Err(unknown(number)) };
    acl.entries.remove(place);
    cx.tx.put(cx.scope, &acl)
}

/// The entries as AWS shows them: with the last rule of each direction, for
/// IPv6 too if the VPC has it.
pub fn shown(acl: &NetworkAcl, vpc_has_ipv6: bool) -> Vec<AclRule> {
    let mut shown = acl.entries.clone();
    for direction in Direction::BOTH {
        let deny = |number, peer| AclRule { number, direction, matches: Match::All, peer, allow: false };
        shown.push(deny(LAST_NUMBER, IpNet::V4(Ipv4Net::default())));
        if vpc_has_ipv6 {
            shown.push(deny(LAST_NUMBER + 1, IpNet::V6(Ipv6Net::default())));
        }
    }
    shown.sort_by_key(|rule| (rule.direction, rule.number));
    shown
}

/// The protocol as network ACLs show it: a number or `-1`.
pub fn protocol_number(matches: &Match) -> String {
    match *matches {
        Match::All => "-1".to_owned(),
        Match::Ports { protocol, .. } | Match::Icmp { protocol, .. } | Match::Protocol { protocol } => {
            protocol.to_string()
        }
    }
}

/// Where the entry is, or where it would go.
fn place(acl: &NetworkAcl, direction: Direction, number: u16) -> std::result::Result<usize, usize> {
    acl.entries.binary_search_by_key(&(direction, number), |entry| (entry.direction, entry.number))
}

fn direction(egress: bool) -> Direction {
    if egress { Direction::Egress } else { Direction::Ingress }
}

fn unknown(number: u16) -> ControlError {
    let message = format!("The network acl entry identified by {number} does not exist.");
    ControlError::fault("InvalidNetworkAclEntry.NotFound", message)
}

fn invalid(what: &str, value: impl std::fmt::Display, why: &str) -> ControlError {
    let message = format!("Value ({value}) for parameter {what} is invalid. {why}");
    ControlError::fault("InvalidParameterValue", message)
}

fn missing(what: &str) -> ControlError {
    ControlError::fault("MissingParameter", format!("The request must contain the parameter {what}"))
}

fn number(typed: i64) -> Result<u16> {
    match u16::try_from(typed) {
        Ok(number) if (1..LAST_NUMBER).contains(&number) => Ok(number),
        _ => Err(invalid("ruleNumber", typed, "Rule numbers are 1 to 32766.")),
    }
}

fn read(typed: &NewEntry) -> Result<AclRule> {
    let number = number(typed.rule_number)?;
    let allow = match typed.rule_action.as_str() {
        "allow" => true,
        "deny" => false,
        other => return Err(invalid("ruleAction", other, "Use allow or deny.")),
    };
    let peer = block(typed)?;
    Ok(AclRule { number, direction: direction(typed.egress), matches: matches(typed, peer)?, peer, allow })
}

/// AWS canonicalises: 100.68.0.18/18 is 100.68.0.0/18.
fn block(typed: &NewEntry) -> Result<IpNet> {
    const WHY: &str = "This is not a valid CIDR block.";
    match (&typed.cidr, &typed.ipv6_cidr) {
        (Some(_), Some(_)) => {
            let message = "The parameters cidrBlock and ipv6CidrBlock cannot be used together";
            Err(ControlError::fault("InvalidParameterCombination", message))
        }
        (None, None) => Err(missing("cidrBlock or ipv6CidrBlock")),
        (Some(text), None) => match text.parse::<Ipv4Net>() {
            Ok(block) => Ok(IpNet::V4(block.trunc())),
            Err(_) => Err(invalid("cidrBlock", text, WHY)),
        },
        (None, Some(text)) => match text.parse::<Ipv6Net>() {
            Ok(block) => Ok(IpNet::V6(block.trunc())),
            Err(_) => Err(invalid("ipv6CidrBlock", text, WHY)),
        },
    }
}

fn matches(typed: &NewEntry, peer: IpNet) -> Result<Match> {
    let protocol =
        match typed.protocol.to_ascii_lowercase().as_str() {
            "-1" => return Ok(Match::All),
            "tcp" => Protocol::TCP,
            "udp" => Protocol::UDP,
            "icmp" => Protocol::ICMP,
            "icmpv6" => Protocol::ICMPV6,
            number => Protocol(number.parse().map_err(|_| {
                invalid("protocol", &typed.protocol, "Use -1 or a protocol number, 0 to 255.")
            })?),
        };
    match (protocol, peer) {
        (Protocol::TCP | Protocol::UDP, _) => Ok(Match::Ports { protocol, ports: ports(typed)? }),
        (Protocol::ICMP, _) | (Protocol::ICMPV6, IpNet::V6(_)) => {
            let icmp_type = icmp("icmpTypeCode.type", typed.icmp_type)?;
            let icmp_code = icmp("icmpTypeCode.code", typed.icmp_code)?;
            if let (None, Some(code)) = (icmp_type, icmp_code) {
                let why = "The code must be -1 (all codes) if the type is -1 (all types).";
                return Err(invalid("icmpTypeCode.code", code, why));
            }
            Ok(Match::Icmp { protocol, icmp_type, icmp_code })
        }
        _ => Ok(Match::Protocol { protocol }),
    }
}

fn ports(typed: &NewEntry) -> Result<PortRange> {
    let port = |what, port: Option<i64>| {
        let port = port.ok_or_else(|| missing(what))?;
        u16::try_from(port).map_err(|_| invalid(what, port, "Ports are 0 to 65535."))
    };
    let first = port("portRange.from", typed.port_from)?;
    let last = port("portRange.to", typed.port_to)?;
    if first > last {
        return Err(invalid("portRange", format!("{first}-{last}"), "The first port is above the last."));
    }
    Ok(PortRange { first, last })
}

fn icmp(what: &str, value: Option<i64>) -> Result<Option<u8>> {
    match value.ok_or_else(|| missing(what))? {
        -1 => Ok(None),
        value => u8::try_from(value).map(Some).map_err(|_| invalid(what, value, "Use -1, or 0 to 255.")),
    }
}
