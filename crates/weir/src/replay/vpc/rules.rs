//! Groups and ACLs to the form that is compiled: references resolved, texts parsed.

use super::shapes::{Acl, Document, Entry, Group, Interface, Permission};
use anyhow::{Context, Result, anyhow, bail};
use weir_types::id::{SecurityGroupId, SecurityGroupRuleId};
use weir_types::net::{Direction, IpNet, PortRange, Protocol};
use weir_types::rule::{AclRule, GroupRule, InterfaceRules, Match};

/// Rule numbers from here on are the `*` at the end of every ACL.
const LAST_NUMBER: u32 = 32_766;

const EVERYWHERE: [&str; 2] = ["0.0.0.0/0", "::/0"];

pub(super) struct Resolver<'a> {
    document: &'a Document,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(document: &'a Document) -> Self {
        Self { document }
    }

    pub(super) fn rules(&self, interface: &Interface) -> Result<InterfaceRules> {
        let mut groups = Vec::new();
        match &interface.groups {
            None => groups.extend(Direction::BOTH.map(everything).into_iter().collect::<Result<Vec<_>>>()?),
            Some(names) => {
                for name in names {
                    let group = self.group(&name.group_id)?;
                    self.add_group(group, &mut groups).with_context(|| name.group_id.clone())?;
                }
            }
        }
        Ok(InterfaceRules { groups, acl: self.acl(interface)?, subnet_cidrs: self.subnet_cidrs(interface)? })
    }

    fn group(&self, id: &str) -> Result<&'a Group> {
        let mut groups = self.document.security_groups.iter();
        groups.find(|group| group.group_id == id).ok_or_else(|| {
            anyhow!("no file describes its security group {id}: add 'aws ec2 describe-security-groups'")
        })
    }

    fn add_group(&self, group: &Group, rules: &mut Vec<GroupRule>) -> Result<()> {
        let id: SecurityGroupId = group.group_id.parse()?;
        let directions =
            [(Direction::Ingress, &group.ip_permissions), (Direction::Egress, &group.ip_permissions_egress)];
        for (direction, permissions) in directions {
            for permission in permissions {
                rules.push(GroupRule {
                    group: id.clone(),
                    // DescribeSecurityGroups does not tell the rules' ids.
                    rule: SecurityGroupRuleId::from_random(rules.len() as u128),
                    direction,
                    matches: permission_match(permission)?,
                    peers: self.peers(permission)?,
                });
            }
        }
        Ok(())
    }

    fn peers(&self, permission: &Permission) -> Result<Vec<IpNet>> {
        let v4 = permission.ip_ranges.iter().map(|range| &range.cidr_ip);
        let v6 = permission.ipv6_ranges.iter().map(|range| &range.cidr_ipv6);
        let mut peers = v4.chain(v6).map(|text| block(text)).collect::<Result<Vec<_>>>()?;
        for pair in &permission.user_id_group_pairs {
            let members = self.document.network_interfaces.iter().filter(|interface| {
                let mut groups = interface.groups.iter().flatten();
                groups.any(|group| group.group_id == pair.group_id)
            });
            for member in members {
                peers.extend(member.addresses()?.into_iter().map(IpNet::from));
            }
        }
        for name in &permission.prefix_list_ids {
            let id = &name.prefix_list_id;
            let mut lists = self.document.prefix_lists.iter();
            let list = lists.find(|list| list.prefix_list_id == *id).ok_or_else(|| {
                anyhow!("no file describes the prefix list {id}: add 'aws ec2 describe-prefix-lists'")
            })?;
            for text in &list.cidrs {
                peers.push(block(text)?);
            }
        }
        Ok(peers)
    }

    /// The ACL of the interface's subnet, or the VPC's default one. If no file
    /// has ACLs, everything passes, as by the default ACL that AWS makes.
    fn acl(&self, interface: &Interface) -> Result<Vec<AclRule>> {
        let acls = &self.document.network_acls;
        let subnet = interface.subnet_id.as_deref();
        let of_subnet = |acl: &&Acl| {
            acl.associations.iter().any(|association| Some(association.subnet_id.as_str()) == subnet)
        };
        let is_default = |acl: &&Acl| acl.is_default && acl.vpc_id == interface.vpc_id;
        let Some(acl) = acls.iter().find(of_subnet).or_else(|| acls.iter().find(is_default)) else {
            if acls.is_empty() {
                return open_acl();
            }
            bail!("none of the network ACLs is of its subnet {}", subnet.unwrap_or("(no SubnetId)"));
        };
        let entries = acl.entries.iter().filter(|entry| entry.rule_number <= LAST_NUMBER);
        entries
            .map(|entry| {
                acl_rule(entry).with_context(|| format!("{}, rule {}", acl.network_acl_id, entry.rule_number))
            })
            .collect()
    }

    fn subnet_cidrs(&self, interface: &Interface) -> Result<Vec<IpNet>> {
        let id = interface.subnet_id.as_deref();
        let Some(subnet) = self.document.subnets.iter().find(|subnet| Some(subnet.subnet_id.as_str()) == id)
        else {
            return Ok(Vec::new());
        };
        let v6 = subnet.ipv6_cidr_block_association_set.iter().map(|block| &block.ipv6_cidr_block);
        subnet.cidr_block.iter().chain(v6).map(|text| block(text)).collect()
    }

    pub(super) fn vpc_cidrs(&self, interface: &Interface) -> Result<Vec<IpNet>> {
        let id = interface.vpc_id.as_deref();
        let Some(vpc) = self.document.vpcs.iter().find(|vpc| Some(vpc.vpc_id.as_str()) == id) else {
            return Ok(Vec::new());
        };
        let v4 = vpc.cidr_block_association_set.iter().map(|block| &block.cidr_block);
        let v6 = vpc.ipv6_cidr_block_association_set.iter().map(|block| &block.ipv6_cidr_block);
        vpc.cidr_block.iter().chain(v4).chain(v6).map(|text| block(text)).collect()
    }
}

fn block(text: &str) -> Result<IpNet> {
    text.parse().with_context(|| format!("'{text}' is not a CIDR block"))
}

fn everything(direction: Direction) -> Result<GroupRule> {
    Ok(GroupRule {
        group: SecurityGroupId::from_random(0),
        rule: SecurityGroupRuleId::from_random(0),
        direction,
        matches: Match::All,
        peers: EVERYWHERE.into_iter().map(block).collect::<Result<_>>()?,
    })
}

fn open_acl() -> Result<Vec<AclRule>> {
    let mut rules = Vec::new();
    for (number, peer) in (100..).zip(EVERYWHERE) {
        for direction in Direction::BOTH {
            rules.push(AclRule { number, direction, matches: Match::All, peer: block(peer)?, allow: true });
        }
    }
    Ok(rules)
}

/// `tcp`, `udp`, `icmp`, `icmpv6` or a number; `None` is `-1`, all.
fn protocol(text: &str) -> Result<Option<Protocol>> {
    Ok(match text {
        "-1" | "all" => None,
        "tcp" => Some(Protocol::TCP),
        "udp" => Some(Protocol::UDP),
        "icmp" => Some(Protocol::ICMP),
        "icmpv6" => Some(Protocol::ICMPV6),
        number => Some(Protocol(number.parse().with_context(|| format!("'{text}' is not a protocol"))?)),
    })
}

/// What a protocol and two numbers mean: ports, or ICMP type and code; -1 and
/// absent are any.
fn matches(protocol: Option<Protocol>, from: Option<i32>, to: Option<i32>) -> Result<Match> {
    let Some(protocol) = protocol else { return Ok(Match::All) };
    let given = |number: Option<i32>| number.filter(|number| *number != -1);
    if protocol.is_icmp() {
        let byte =
            |number: Option<i32>| given(number).map(u8::try_from).transpose().context("no ICMP type or code");
        return Ok(Match::Icmp { protocol, icmp_type: byte(from)?, icmp_code: byte(to)? });
    }
    if !protocol.has_ports() {
        return Ok(Match::Protocol { protocol });
    }
    let port = |number: Option<i32>, all: u16| {
        given(number).map_or(Ok(all), |number| u16::try_from(number).context("no port"))
    };
    Ok(Match::Ports { protocol, ports: PortRange { first: port(from, 0)?, last: port(to, u16::MAX)? } })
}

fn permission_match(permission: &Permission) -> Result<Match> {
    matches(protocol(&permission.ip_protocol)?, permission.from_port, permission.to_port)
}

fn acl_rule(entry: &Entry) -> Result<AclRule> {
    let protocol = protocol(&entry.protocol)?;
    let (from, to) = match (&entry.icmp_type_code, &entry.port_range) {
        (Some(icmp), _) if protocol.is_some_and(Protocol::is_icmp) => (Some(icmp.r#type), Some(icmp.code)),
        (_, Some(ports)) => (Some(ports.from), Some(ports.to)),
        _ => (None, None),
    };
    let cidr = entry.cidr_block.as_ref().or(entry.ipv6_cidr_block.as_ref()).context("it has no CidrBlock")?;
    let allow = match entry.rule_action.as_str() {
        "allow" => true,
        "deny" => false,
        other => bail!("'{other}' is not an action: allow or deny"),
    };
    Ok(AclRule {
        number: u16::try_from(entry.rule_number).context("a rule number above 32766")?,
        direction: if entry.egress { Direction::Egress } else { Direction::Ingress },
        matches: matches(protocol, from, to)?,
        peer: block(cidr)?,
        allow,
    })
}
