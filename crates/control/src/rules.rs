//! What decides the packets of an interface: its groups and its subnet's ACL,
//! with every reference resolved to addresses.
//!
//! A group that a rule names becomes the /32 and /128 blocks of the private
//! addresses of all interfaces of the VPC that carry it. So a change of one
//! interface's groups or addresses changes the rules of others.
//!
//! Source: VPC user guide, "Security group rules", "Security group referencing".

use crate::error::Result;
use crate::network_acl::{self, NetworkAcl};
use crate::network_interface::NetworkInterface;
use crate::prefix_list::PrefixList;
use crate::security_group::{Peer, SecurityGroupRule};
use crate::state::Cx;
use crate::subnet::Subnet;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use weir_types::id::{SecurityGroupId, SubnetId, VpcId};
use weir_types::net::IpNet;
use weir_types::rule::{AclRule, GroupRule, InterfaceRules};

/// The rules of one interface.
pub fn interface_rules(cx: Cx<'_>, interface: &NetworkInterface) -> Result<InterfaceRules> {
    Resolver::new(cx).interface_rules(interface)
}

/// Resolves the rules of many interfaces in one transaction, reading each
/// group, subnet and VPC once. It does not see changes made after it read.
pub struct Resolver<'a> {
    cx: Cx<'a>,
    groups: BTreeMap<SecurityGroupId, Vec<GroupRule>>,
    members: BTreeMap<VpcId, BTreeMap<SecurityGroupId, Vec<IpNet>>>,
    subnets: BTreeMap<SubnetId, SubnetRules>,
}

#[derive(Clone, Default)]
struct SubnetRules {
    acl: Vec<AclRule>,
    cidrs: Vec<IpNet>,
}

impl<'a> Resolver<'a> {
    pub fn new(cx: Cx<'a>) -> Self {
        Self { cx, groups: BTreeMap::new(), members: BTreeMap::new(), subnets: BTreeMap::new() }
    }

    /// The rules of one interface, group by group in the interface's order.
    pub fn interface_rules(&mut self, interface: &NetworkInterface) -> Result<InterfaceRules> {
        let mut groups = Vec::new();
        for group in &interface.groups {
            groups.extend(self.group(&interface.vpc, group)?);
        }
        let SubnetRules { acl, cidrs } = self.subnet(&interface.subnet)?;
        Ok(InterfaceRules { groups, acl, subnet_cidrs: cidrs })
    }

    fn group(&mut self, vpc: &VpcId, group: &SecurityGroupId) -> Result<Vec<GroupRule>> {
        if let Some(rules) = self.groups.get(group) {
            return Ok(rules.clone());
        }
        let mut rules = Vec::new();
        for rule in self.cx.tx.list_in::<SecurityGroupRule>(self.cx.scope, group.as_str())? {
            let peers = match rule.peer {
                Peer::Cidr(block) => vec![block],
                Peer::Group(named) => self.members(vpc, &named)?,
                Peer::PrefixList(id) => {
                    let list: Option<PrefixList> = self.cx.tx.get(self.cx.scope, id.as_str())?;
                    list.map(|list| list.blocks()).unwrap_or_default()
                }
            };
            let SecurityGroupRule { id, group, direction, matches, .. } = rule;
            rules.push(GroupRule { group, rule: id, direction, matches, peers });
        }
        self.groups.insert(group.clone(), rules.clone());
        Ok(rules)
    }

    fn members(&mut self, vpc: &VpcId, group: &SecurityGroupId) -> Result<Vec<IpNet>> {
        if !self.members.contains_key(vpc) {
            let mut members: BTreeMap<SecurityGroupId, BTreeSet<IpNet>> = BTreeMap::new();
            for interface in self.cx.tx.list_in::<NetworkInterface>(self.cx.scope, vpc.as_str())? {
                let ipv4 = interface.ipv4.iter().copied().map(IpAddr::V4);
                let ipv6 = interface.ipv6.iter().copied().map(IpAddr::V6);
                let blocks: Vec<IpNet> = ipv4.chain(ipv6).map(IpNet::from).collect();
                for group in interface.groups {
                    members.entry(group).or_default().extend(&blocks);
                }
            }
            let members = members.into_iter().map(|(group, blocks)| (group, blocks.into_iter().collect()));
            self.members.insert(vpc.clone(), members.collect());
        }
        Ok(self.members.get(vpc).and_then(|members| members.get(group)).cloned().unwrap_or_default())
    }

    fn subnet(&mut self, id: &SubnetId) -> Result<SubnetRules> {
        if let Some(rules) = self.subnets.get(id) {
            return Ok(rules.clone());
        }
        let acl: Option<NetworkAcl> = network_acl::of_subnet(self.cx, id)?;
        let subnet: Option<Subnet> = self.cx.tx.get(self.cx.scope, id.as_str())?;
        let cidrs = subnet.iter().flat_map(|subnet| {
            let ipv6 = subnet.ipv6.as_ref().map(|ipv6| IpNet::V6(ipv6.cidr));
            std::iter::once(IpNet::V4(subnet.cidr)).chain(ipv6)
        });
        let rules =
            SubnetRules { acl: acl.map(|acl| acl.entries).unwrap_or_default(), cidrs: cidrs.collect() };
        self.subnets.insert(id.clone(), rules.clone());
        Ok(rules)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security_group::{self, NewSecurityGroup, permission, rule};
    use crate::test_world::{World, interface, subnet, vpc};
    use weir_types::net::Direction;

    fn peers(rules: &InterfaceRules, direction: Direction) -> Vec<String> {
        let rules = rules.groups.iter().filter(|rule| rule.direction == direction);
        rules.map(|rule| rule.peers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")).collect()
    }

    #[test]
    fn references_become_the_addresses_of_all_members() {
        let world = World::new();
        world
            .run(|cx| {
                let vpc = vpc(cx, false, "2001:db8:0:100::/56")?;
                let near = subnet(cx, &vpc, "10.0.1.0/24", "2001:db8:0:101::/64")?;
                let far = subnet(cx, &vpc, "10.0.2.0/24", "")?;
                let new = |name: &str| NewSecurityGroup {
                    name: name.to_owned(),
                    description: "d".to_owned(),
                    vpc: Some(vpc.id.to_string()),
                    tags: Vec::new(),
                };
                let web = security_group::create(cx, &new("web"))?;
                let db = security_group::create(cx, &new("db"))?;
                let pair = permission::GroupPair { id: Some(web.id.to_string()), ..Default::default() };
                let from_web = permission::IpPermission {
                    protocol: Some("tcp".to_owned()),
                    from_port: Some(5432),
                    to_port: Some(5432),
                    groups: vec![pair],
                    ..Default::default()
                };
                let added = rule::authorize(cx, &db, Direction::Ingress, &[from_web], &[])?;

                let database = interface(cx, &near, &[&db.id], &["10.0.1.9"])?;
                let lonely = interface_rules(cx, &database)?;
                assert_eq!(
                    peers(&lonely, Direction::Ingress),
                    [""],
                    "a group without members matches nothing"
                );

                interface(cx, &near, &[&web.id], &["10.0.1.5", "10.0.1.4", "2001:db8:0:101::7"])?;
                interface(cx, &far, &[&web.id, &db.id], &["10.0.2.4"])?;
                let rules = interface_rules(cx, &database)?;
                let members = "10.0.1.4/32 10.0.1.5/32 10.0.2.4/32 2001:db8:0:101::7/128";
                assert_eq!(peers(&rules, Direction::Ingress), [members]);
                let mut egress = peers(&rules, Direction::Egress);
                egress.sort();
                assert_eq!(egress, ["0.0.0.0/0", "::/0"]);
                let ingress = rules.groups.iter().find(|rule| rule.direction == Direction::Ingress);
                assert_eq!(ingress.map(|rule| &rule.rule), Some(&added[0].id));

                let blocks: Vec<String> = rules.subnet_cidrs.iter().map(ToString::to_string).collect();
                assert_eq!(blocks, ["10.0.1.0/24", "2001:db8:0:101::/64"]);
                assert_eq!(rules.acl.len(), 4, "rules 100 and 101 both ways, without the last ones");
                Ok(())
            })
            .unwrap();
    }

    #[test]
    fn one_resolver_answers_as_many_do() {
        let world = World::new();
        world
            .run(|cx| {
                let vpc = vpc(cx, false, "")?;
                let default = security_group::find::by_name(cx, &vpc.id, "default")?;
                let subnet = subnet(cx, &vpc, "10.0.1.0/24", "")?;
                let interfaces = [
                    interface(cx, &subnet, &[&default.id], &["10.0.1.4"])?,
                    interface(cx, &subnet, &[&default.id], &["10.0.1.5"])?,
                ];
                let mut resolver = Resolver::new(cx);
                for interface in &interfaces {
                    let rules = interface_rules(cx, interface)?;
                    assert_eq!(resolver.interface_rules(interface)?, rules);
                    assert_eq!(peers(&rules, Direction::Ingress), ["10.0.1.4/32 10.0.1.5/32"]);
                }
                Ok(())
            })
            .unwrap();
    }
}
