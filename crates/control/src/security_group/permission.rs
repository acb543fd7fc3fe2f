//! What a rule may say: AWS's `IpPermission` as typed, and as meant.
//!
//! One permission is a protocol with ports and any number of peers; each peer
//! makes one rule. What is as typed is read once, here, with AWS's words for
//! its faults.
//!
//! ```text
//! tcp 6, udp 17   FromPort to ToPort, both required
//! icmp 1          FromPort the type, ToPort the code, -1 any; both required
//! icmpv6 58       the same, both or none
//! -1              every packet; ports are ignored
//! other numbers   every packet of the protocol; ports are ignored
//! ```
//!
//! Source: EC2 API, `IpPermission`, `IpRange`, `Ipv6Range`, `UserIdGroupPair`.

use super::{Peer, SecurityGroup, SecurityGroupRule, find};
use crate::error::{ControlError, Result};
use crate::prefix_list;
use crate::state::Cx;
use weir_types::id::PrefixListId;
use weir_types::net::{IpNet, Ipv4Net, Ipv6Net, PortRange, Protocol};
use weir_types::rule::Match;

/// Characters that names and descriptions may have besides letters and digits.
const PUNCTUATION: &str = ". _-:/()#,@[]+=&;{}!$*";

/// A permission as typed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IpPermission {
    pub protocol: Option<String>,
    pub from_port: Option<i64>,
    pub to_port: Option<i64>,
    pub ipv4: Vec<Range>,
    pub ipv6: Vec<Range>,
    pub groups: Vec<GroupPair>,
    pub prefix_lists: Vec<PrefixListPair>,
}

/// A prefix list as typed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PrefixListPair {
    pub id: String,
    pub description: Option<String>,
}

/// An address range as typed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Range {
    pub cidr: String,
    pub description: Option<String>,
}

/// A security group as typed: by id, or by name in the rule's VPC.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupPair {
    pub id: Option<String>,
    pub name: Option<String>,
    /// The account; only the caller's own has groups here.
    pub user: Option<String>,
    pub description: Option<String>,
}

/// What one rule says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    pub matches: Match,
    pub peer: Peer,
    pub description: Option<String>,
}

impl From<&SecurityGroupRule> for Permission {
    fn from(rule: &SecurityGroupRule) -> Self {
        Self { matches: rule.matches, peer: rule.peer.clone(), description: rule.description.clone() }
    }
}

fn invalid(message: impl Into<String>) -> ControlError {
    ControlError::fault("InvalidParameterValue", message)
}

/// Reads permissions for rules of `group`, one answer a peer.
///
/// Errors: `InvalidParameterValue` (protocol, ports, blocks, descriptions, the
/// same rule twice), `MissingParameter` (no peer), `InvalidGroupId.Malformed`,
/// `InvalidGroup.NotFound`, `InvalidPrefixListID.NotFound`.
pub fn read(cx: Cx<'_>, group: &SecurityGroup, typed: &[IpPermission]) -> Result<Vec<Permission>> {
    let mut read: Vec<Permission> = Vec::new();
    for permission in typed {
        for found in read_one(cx, group, permission)? {
            if read.iter().any(|known| known.matches == found.matches && known.peer == found.peer) {
                return Err(invalid("The same permission must not appear multiple times"));
            }
            read.push(found);
        }
    }
    Ok(read)
}

fn read_one(cx: Cx<'_>, group: &SecurityGroup, typed: &IpPermission) -> Result<Vec<Permission>> {
    let matches = matches(typed.protocol.as_deref(), typed.from_port, typed.to_port)?;
    let mut peers = Vec::new();
    for range in &typed.ipv4 {
        peers.push((Peer::Cidr(IpNet::V4(ipv4_block(&range.cidr)?)), &range.description));
    }
    for range in &typed.ipv6 {
        peers.push((Peer::Cidr(IpNet::V6(ipv6_block(&range.cidr)?)), &range.description));
    }
    for pair in &typed.groups {
        peers.push((Peer::Group(referenced(cx, group, pair)?.id), &pair.description));
    }
    for pair in &typed.prefix_lists {
        peers.push((Peer::PrefixList(prefix_list(cx, &pair.id)?), &pair.description));
    }
    if peers.is_empty() {
        return Err(ControlError::fault(
            "MissingParameter",
            "Each permission must contain an IPv4 range, an IPv6 range, a prefix list or a security group",
        ));
    }
    peers
        .into_iter()
        .map(|(peer, description)| {
            let description = description.clone().filter(|text| !text.is_empty());
            check_text(description.as_deref().unwrap_or_default(), "rule description", "descriptions")?;
            Ok(Permission { matches, peer, description })
        })
        .collect()
}

fn prefix_list(cx: Cx<'_>, id: &str) -> Result<PrefixListId> {
    match prefix_list::amazons(cx).into_iter().find(|list| list.id.as_str() == id) {
        Some(list) => Ok(list.id),
        None => Ok(prefix_list::find(cx, id)?.id),
    }
}

fn referenced(cx: Cx<'_>, group: &SecurityGroup, pair: &GroupPair) -> Result<SecurityGroup> {
    let found = match (&pair.id, &pair.name) {
        (Some(id), _) => find::by_id(cx, id)?,
        (None, Some(name)) => find::by_name(cx, &group.vpc, name)?,
        (None, None) => return Err(ControlError::fault("MissingParameter", "Source group ID missing.")),
    };
    if pair.user.as_ref().is_some_and(|user| *user != cx.scope.account) {
        return Err(find::unknown(found.id.as_str()));
    }
    if found.vpc != group.vpc {
        return Err(ControlError::fault(
            "InvalidGroup.NotFound",
            "You have specified two resources that belong to different networks.",
        ));
    }
    Ok(found)
}

/// AWS canonicalises: 100.68.0.18/18 is 100.68.0.0/18. An address without
/// length is malformed.
fn ipv4_block(text: &str) -> Result<Ipv4Net> {
    text.parse::<Ipv4Net>().map(|block| block.trunc()).map_err(|_| malformed(text))
}

fn ipv6_block(text: &str) -> Result<Ipv6Net> {
    text.parse::<Ipv6Net>().map(|block| block.trunc()).map_err(|_| malformed(text))
}

fn malformed(text: &str) -> ControlError {
    invalid(format!("CIDR block {text} is malformed"))
}

/// Reads protocol and ports. Errors: `InvalidParameterValue`.
pub fn matches(protocol: Option<&str>, from: Option<i64>, to: Option<i64>) -> Result<Match> {
    let Some(text) = protocol else {
        let message = "Invalid value 'null' for protocol. \
                       VPC security group rules must specify protocols explicitly.";
        return Err(invalid(message));
    };
    let protocol =
        match text.to_ascii_lowercase().as_str() {
            "-1" => return Ok(Match::All),
            "tcp" => Protocol::TCP,
            "udp" => Protocol::UDP,
            "icmp" => Protocol::ICMP,
            "icmpv6" => Protocol::ICMPV6,
            number => Protocol(number.parse().map_err(|_| {
                invalid(format!("Invalid value '{text}' for IP protocol. Unknown protocol."))
            })?),
        };
    match protocol {
        Protocol::TCP | Protocol::UDP => Ok(Match::Ports { protocol, ports: ports(from, to)? }),
        Protocol::ICMP | Protocol::ICMPV6 => icmp(protocol, from, to),
        _ => Ok(Match::Protocol { protocol }),
    }
}

fn ports(from: Option<i64>, to: Option<i64>) -> Result<PortRange> {
    let (Some(from), Some(to)) = (from, to) else {
        let message = "Invalid value for portRange. Must specify both from and to ports with TCP/UDP.";
        return Err(invalid(message));
    };
    let port = |which, port: i64| {
        u16::try_from(port).map_err(|_| invalid(format!("TCP/UDP ({which}) port ({port}) out of range")))
    };
    let (first, last) = (port("from", from)?, port("to", to)?);
    if first > last {
        return Err(invalid(format!("Invalid TCP/UDP port range ({first}:{last})")));
    }
    Ok(PortRange { first, last })
}

fn icmp(protocol: Protocol, from: Option<i64>, to: Option<i64>) -> Result<Match> {
    let (icmp_type, icmp_code) = match (from, to) {
        (Some(icmp_type), Some(icmp_code)) => (icmp_type, icmp_code),
        (None, None) if protocol == Protocol::ICMPV6 => (-1, -1),
        _ => return Err(invalid("Invalid value for portRange. Must specify both type and code with ICMP.")),
    };
    let byte = |what, value: i64| match value {
        -1 => Ok(None),
        _ => {
            u8::try_from(value).map(Some).map_err(|_| invalid(format!("ICMP {what} ({value}) out of range")))
        }
    };
    let (icmp_type, icmp_code) = (byte("type", icmp_type)?, byte("code", icmp_code)?);
    if let (None, Some(code)) = (icmp_type, icmp_code) {
        return Err(invalid(format!(
            "ICMP code ({code}) must be -1 (all codes) if the type is -1 (all types)"
        )));
    }
    Ok(Match::Icmp { protocol, icmp_type, icmp_code })
}

/// The protocol as security groups show it: a name, a number or `-1`.
pub fn protocol_name(matches: &Match) -> String {
    match *matches {
        Match::All => "-1".to_owned(),
        Match::Ports { protocol, .. } | Match::Icmp { protocol, .. } | Match::Protocol { protocol } => {
            match protocol {
                Protocol::TCP => "tcp".to_owned(),
                Protocol::UDP => "udp".to_owned(),
                Protocol::ICMP => "icmp".to_owned(),
                Protocol::ICMPV6 => "icmpv6".to_owned(),
                other => other.to_string(),
            }
        }
    }
}

/// `FromPort` and `ToPort`: ports, or ICMP type and code with -1 for any;
/// `None` if the match has neither.
pub fn port_pair(matches: &Match) -> Option<(i32, i32)> {
    let or_any = |value: Option<u8>| value.map_or(-1, i32::from);
    match *matches {
        Match::Ports { ports, .. } => Some((ports.first.into(), ports.last.into())),
        Match::Icmp { icmp_type, icmp_code, .. } => Some((or_any(icmp_type), or_any(icmp_code))),
        Match::All | Match::Protocol { .. } => None,
    }
}

/// Refuses a text that is too long or has other characters than AWS allows;
/// `what` and `plural` name it in the message.
pub(super) fn check_text(text: &str, what: &str, plural: &str) -> Result<()> {
    if text.len() <= 255 && text.chars().all(|c| c.is_ascii_alphanumeric() || PUNCTUATION.contains(c)) {
        return Ok(());
    }
    Err(invalid(format!(
        "Invalid {what}. Valid {plural} are strings less than 256 characters from the following set:  \
         a-zA-Z0-9{PUNCTUATION}"
    )))
}
