//! `DescribeSecurityGroups`. Source: EC2 API, `DescribeSecurityGroups`.

use super::filter::Filters;
use super::{ip_permission, page, tag_spec};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use std::collections::BTreeMap;
use weir_control::security_group::permission::{Permission, port_pair, protocol_name};
use weir_control::security_group::{self, Peer, SecurityGroup, SecurityGroupRule, find};
use weir_control::{Cx, region, tags};
use weir_types::id::SecurityGroupId;
use weir_types::net::{Direction, IpNet};

/// Filters on the group itself, then those on its rules, which exist with and
/// without `egress.` in front.
const FILTERS: [&str; 23] = [
    "description",
    "group-id",
    "group-name",
    "owner-id",
    "vpc-id",
    "ip-permission.cidr",
    "ip-permission.from-port",
    "ip-permission.group-id",
    "ip-permission.group-name",
    "ip-permission.ipv6-cidr",
    "ip-permission.prefix-list-id",
    "ip-permission.protocol",
    "ip-permission.to-port",
    "ip-permission.user-id",
    "egress.ip-permission.cidr",
    "egress.ip-permission.from-port",
    "egress.ip-permission.group-id",
    "egress.ip-permission.group-name",
    "egress.ip-permission.ipv6-cidr",
    "egress.ip-permission.prefix-list-id",
    "egress.ip-permission.protocol",
    "egress.ip-permission.to-port",
    "egress.ip-permission.user-id",
];

/// A group with what it is shown with.
struct Shown {
    group: SecurityGroup,
    rules: Vec<SecurityGroupRule>,
    tags: Vec<(String, String)>,
}

/// Lists security groups with their rules.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let filters = Filters::parse(params, &FILTERS)?;
    call.authorize_ec2(params, "ec2:DescribeSecurityGroups", &["*".to_owned()], &[])?;
    let (all, names) = call.transact(|cx| {
        region::ensure(cx)?;
        let groups: Vec<SecurityGroup> = match wanted(cx, params)? {
            Some(ids) => {
                cx.tx.get_many(cx.scope, &ids.iter().map(SecurityGroupId::as_str).collect::<Vec<_>>())?
            }
            None => cx.tx.narrowed(cx.scope, &filters.narrowing())?,
        };
        // Filters on what rules refer to need the names of all groups.
        let names: Vec<SecurityGroup> = match filters.has("ip-permission.group-name") {
            true => cx.tx.list(cx.scope)?,
            false => Vec::new(),
        };
        let mut tags = tags::of_each(cx, groups.iter().map(|group| group.id.as_str()))?;
        let with_tags = |(group, rules): (SecurityGroup, _)| {
            let tags = tags.remove(group.id.as_str()).unwrap_or_default();
            Shown { tags, group, rules }
        };
        let all = security_group::with_rules(cx, groups)?.into_iter().map(with_tags);
        Ok((all.collect::<Vec<Shown>>(), names))
    })?;
    let names: BTreeMap<SecurityGroupId, String> =
        names.into_iter().map(|group| (group.id, group.name)).collect();
    let account = &call.scope.account;
    let found = all
        .into_iter()
        .filter(|shown| filters.pass(&shown.tags, |name| values(shown, name, account, &names)))
        .collect();
    let (groups, next) = page::page(found, params, 5..=1000, |shown: &Shown| shown.group.id.as_str())?;
    let mut xml = Xml::new();
    xml.set("securityGroupInfo", groups, |item, shown| {
        let arn = call.arn("ec2", format!("security-group/{}", shown.group.id));
        render(item, &shown, account, &arn);
    });
    xml.optional("nextToken", next);
    Ok(xml)
}

/// The ids of the groups that the request names; `None` if it names none.
fn wanted(cx: Cx<'_>, params: &Params) -> weir_control::Result<Option<Vec<SecurityGroupId>>> {
    let (ids, names) = (params.list("GroupId"), params.list("GroupName"));
    if ids.is_empty() && names.is_empty() {
        return Ok(None);
    }
    let ids = ids.into_iter().map(|id| find::by_id(cx, id));
    let names = names.into_iter().map(|name| find::in_default_vpc(cx, name));
    ids.chain(names).map(|group| group.map(|group| group.id)).collect::<Result<_, _>>().map(Some)
}

fn values(
    shown: &Shown,
    filter: &str,
    account: &str,
    names: &BTreeMap<SecurityGroupId, String>,
) -> Vec<String> {
    let group = &shown.group;
    match filter {
        "description" => vec![group.description.clone()],
        "group-id" => vec![group.id.to_string()],
        "group-name" => vec![group.name.clone()],
        "owner-id" => vec![account.to_owned()],
        "vpc-id" => vec![group.vpc.to_string()],
        _ => {
            let (direction, filter) = match filter.strip_prefix("egress.") {
                Some(rest) => (Direction::Egress, rest),
                None => (Direction::Ingress, filter),
            };
            let field = filter.strip_prefix("ip-permission.").unwrap_or(filter);
            let rules = shown.rules.iter().filter(|rule| rule.direction == direction);
            rules.flat_map(|rule| rule_values(rule, field, account, names)).collect()
        }
    }
}

fn rule_values(
    rule: &SecurityGroupRule,
    field: &str,
    account: &str,
    names: &BTreeMap<SecurityGroupId, String>,
) -> Vec<String> {
    let ports = port_pair(&rule.matches);
    let value = match (field, &rule.peer) {
        ("cidr", Peer::Cidr(IpNet::V4(block))) => Some(block.to_string()),
        ("ipv6-cidr", Peer::Cidr(IpNet::V6(block))) => Some(block.to_string()),
        ("group-id", Peer::Group(group)) => Some(group.to_string()),
        ("group-name", Peer::Group(group)) => names.get(group).cloned(),
        ("prefix-list-id", Peer::PrefixList(list)) => Some(list.to_string()),
        ("user-id", Peer::Group(_)) => Some(account.to_owned()),
        ("from-port", _) => ports.map(|(from, _)| from.to_string()),
        ("to-port", _) => ports.map(|(_, to)| to.to_string()),
        // A name or a number: both are asked for.
        ("protocol", _) => {
            let number = weir_control::network_acl::entry::protocol_number(&rule.matches);
            return vec![protocol_name(&rule.matches), number];
        }
        _ => None,
    };
    value.into_iter().collect()
}

fn render(xml: &mut Xml, shown: &Shown, account: &str, arn: &str) {
    let Shown { group, rules, tags } = shown;
    xml.text("ownerId", account).text("groupId", &group.id).text("groupName", &group.name);
    xml.text("groupDescription", &group.description);
    for (name, direction) in
        [("ipPermissions", Direction::Ingress), ("ipPermissionsEgress", Direction::Egress)]
    {
        let rules = rules.iter().filter(|rule| rule.direction == direction);
        let permissions: Vec<Permission> = rules.map(Permission::from).collect();
        ip_permission::render(xml, name, &permissions, account);
    }
    xml.text("vpcId", &group.vpc);
    tag_spec::render(xml, tags);
    xml.text("securityGroupArn", arn);
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_control::security_group::permission::matches;

    fn shown() -> Shown {
        let group: SecurityGroupId = "sg-0123456789abcdef0".parse().unwrap();
        let rule = |direction, protocol, port, peer| SecurityGroupRule {
            id: "sgr-0123456789abcdef0".parse().unwrap(),
            group: group.clone(),
            direction,
            matches: matches(Some(protocol), port, port).unwrap(),
            peer,
            description: None,
        };
        Shown {
            rules: vec![
                rule(Direction::Ingress, "tcp", Some(22), Peer::Group(group.clone())),
                rule(Direction::Ingress, "icmp", Some(-1), Peer::Cidr("::/0".parse().unwrap())),
                rule(Direction::Egress, "-1", None, Peer::Cidr("0.0.0.0/0".parse().unwrap())),
            ],
            group: SecurityGroup {
                id: group.clone(),
                vpc: "vpc-0123456789abcdef0".parse().unwrap(),
                name: "web".into(),
                description: "the web".into(),
            },
            tags: Vec::new(),
        }
    }

    #[test]
    fn every_filter_has_values() {
        let shown = shown();
        let names = [(shown.group.id.clone(), "web".to_owned())].into();
        for (filter, expected) in [
            ("description", "the web"),
            ("group-id", "sg-0123456789abcdef0"),
            ("group-name", "web"),
            ("owner-id", "123456789012"),
            ("vpc-id", "vpc-0123456789abcdef0"),
            ("ip-permission.cidr", ""),
            ("ip-permission.from-port", "22 -1"),
            ("ip-permission.group-id", "sg-0123456789abcdef0"),
            ("ip-permission.group-name", "web"),
            ("ip-permission.ipv6-cidr", "::/0"),
            ("ip-permission.prefix-list-id", ""),
            ("ip-permission.protocol", "tcp 6 icmp 1"),
            ("ip-permission.to-port", "22 -1"),
            ("ip-permission.user-id", "123456789012"),
            ("egress.ip-permission.cidr", "0.0.0.0/0"),
            ("egress.ip-permission.from-port", ""),
            ("egress.ip-permission.group-id", ""),
            ("egress.ip-permission.group-name", ""),
            ("egress.ip-permission.ipv6-cidr", ""),
            ("egress.ip-permission.prefix-list-id", ""),
            ("egress.ip-permission.protocol", "-1 -1"),
            ("egress.ip-permission.to-port", ""),
            ("egress.ip-permission.user-id", ""),
        ] {
            assert!(FILTERS.contains(&filter));
            assert_eq!(values(&shown, filter, "123456789012", &names).join(" "), expected, "{filter}");
        }
    }

    #[test]
    fn a_group_is_shown_with_all_members() {
        let mut shown = shown();
        shown.rules.truncate(0);
        let mut xml = Xml::new();
        render(&mut xml, &shown, "123456789012", "arn:x");
        assert_eq!(
            xml.as_str(),
            "<ownerId>123456789012</ownerId><groupId>sg-0123456789abcdef0</groupId><groupName>web</groupName>\
             <groupDescription>the web</groupDescription><ipPermissions/><ipPermissionsEgress/>\
             <vpcId>vpc-0123456789abcdef0</vpcId><tagSet/><securityGroupArn>arn:x</securityGroupArn>"
        );
    }
}
