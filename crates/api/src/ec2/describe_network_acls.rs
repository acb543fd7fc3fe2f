//! `DescribeNetworkAcls`. Source: EC2 API, `DescribeNetworkAcls`.

use super::filter::Filters;
use super::network_acl_entry as entry;
use super::{page, tag_spec};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::network_acl::entry::{protocol_number, shown};
use weir_control::network_acl::{self, Association, NetworkAcl};
use weir_control::security_group::permission::protocol_name;
use weir_control::vpc::Vpc;
use weir_control::{Cx, region, tags};
use weir_types::id::NetworkAclId;
use weir_types::net::{Direction, IpNet};
use weir_types::rule::AclRule;

const FILTERS: [&str; 17] = [
    "association.association-id",
    "association.network-acl-id",
    "association.subnet-id",
    "default",
    "entry.cidr",
    "entry.egress",
    "entry.icmp.code",
    "entry.icmp.type",
    "entry.ipv6-cidr",
    "entry.port-range.from",
    "entry.port-range.to",
    "entry.protocol",
    "entry.rule-action",
    "entry.rule-number",
    "network-acl-id",
    "owner-id",
    "vpc-id",
];

/// An ACL with what it is shown with.
pub struct Shown {
    acl: NetworkAcl,
    /// With the last ones.
    entries: Vec<AclRule>,
    associations: Vec<Association>,
    tags: Vec<(String, String)>,
}

/// Lists network ACLs.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let filters = Filters::parse(params, &FILTERS)?;
    call.authorize_ec2(params, "ec2:DescribeNetworkAcls", &["*".to_owned()], &[])?;
    let all = call.transact(|cx| {
        region::ensure(cx)?;
        let wanted = network_acl::FAULTS.select::<NetworkAcl>(cx, &params.list("NetworkAclId"))?;
        let wanted: Vec<NetworkAclId> = wanted.into_iter().map(|acl| acl.id).collect();
        network_acl::all_with_associations(cx)?
            .into_iter()
            // Both are in the order of ids.
            .filter(|(acl, _)| wanted.binary_search(&acl.id).is_ok())
            .map(|(acl, associations)| Shown::of(cx, acl, associations))
            .collect::<Result<Vec<_>, _>>()
    })?;
    let account = &call.scope.account;
    let found = all
        .into_iter()
        .filter(|shown| filters.pass(&shown.tags, |name| shown.values(name, account)))
        .collect();
    let (acls, next) = page::page(found, params, 5..=1000, |shown: &Shown| shown.acl.id.as_str())?;
    let mut xml = Xml::new();
    xml.set("networkAclSet", acls, |item, shown| shown.render(item, account));
    xml.optional("nextToken", next);
    Ok(xml)
}

impl Shown {
    /// Reads what an ACL is shown with.
    pub fn of(cx: Cx<'_>, acl: NetworkAcl, associations: Vec<Association>) -> weir_control::Result<Self> {
        let vpc: Option<Vpc> = cx.tx.get(cx.scope, acl.vpc.as_str())?;
        let entries = shown(&acl, vpc.is_some_and(|vpc| !vpc.ipv6.is_empty()));
        Ok(Self { entries, associations, tags: tags::of(cx, acl.id.as_str())?, acl })
    }

    /// Writes the members of the ACL.
    pub fn render(&self, xml: &mut Xml, account: &str) {
        xml.text("networkAclId", &self.acl.id).text("vpcId", &self.acl.vpc).text("ownerId", account);
        xml.text("default", self.acl.is_default);
        xml.set("entrySet", &self.entries, entry::render);
        xml.set("associationSet", &self.associations, |item, association| {
            item.text("networkAclAssociationId", &association.id);
            item.text("networkAclId", &association.acl).text("subnetId", &association.subnet);
        });
        tag_spec::render(xml, &self.tags);
    }

    fn values(&self, filter: &str, account: &str) -> Vec<String> {
        match filter {
            "default" => vec![self.acl.is_default.to_string()],
            "network-acl-id" => vec![self.acl.id.to_string()],
            "owner-id" => vec![account.to_owned()],
            "vpc-id" => vec![self.acl.vpc.to_string()],
            _ => match filter.split_once('.') {
                Some(("association", field)) => self
                    .associations
                    .iter()
                    .map(|association| association_value(association, field))
                    .collect(),
                Some((_, field)) => self.entries.iter().flat_map(|rule| entry_values(rule, field)).collect(),
                None => Vec::new(),
            },
        }
    }
}

fn association_value(association: &Association, field: &str) -> String {
    match field {
        "association-id" => association.id.to_string(),
        "network-acl-id" => association.acl.to_string(),
        _ => association.subnet.to_string(),
    }
}

fn entry_values(rule: &AclRule, field: &str) -> Vec<String> {
    let value = match (field, rule.peer) {
        ("cidr", IpNet::V4(block)) => Some(block.to_string()),
        ("ipv6-cidr", IpNet::V6(block)) => Some(block.to_string()),
        ("egress", _) => Some((rule.direction == Direction::Egress).to_string()),
        ("icmp.type", _) => entry::icmp(rule).map(|(icmp_type, _)| icmp_type.to_string()),
        ("icmp.code", _) => entry::icmp(rule).map(|(_, icmp_code)| icmp_code.to_string()),
        ("port-range.from", _) => entry::ports(rule).map(|(from, _)| from.to_string()),
        ("port-range.to", _) => entry::ports(rule).map(|(_, to)| to.to_string()),
        ("rule-action", _) => Some(entry::action(rule).to_owned()),
        ("rule-number", _) => Some(rule.number.to_string()),
        // A name or a number: both are asked for.
        ("protocol", _) => return vec![protocol_name(&rule.matches), protocol_number(&rule.matches)],
        _ => None,
    };
    value.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_types::net::{PortRange, Protocol};
    use weir_types::rule::Match;

    fn acl() -> Shown {
        let acl: NetworkAclId = "acl-0123456789abcdef0".parse().unwrap();
        let entry = |number, matches, peer: &str, allow| AclRule {
            number,
            direction: Direction::Egress,
            matches,
            peer: peer.parse().unwrap(),
            allow,
        };
        let tcp = Match::Ports { protocol: Protocol::TCP, ports: PortRange { first: 22, last: 23 } };
        let icmp = Match::Icmp { protocol: Protocol::ICMPV6, icmp_type: Some(128), icmp_code: None };
        Shown {
            entries: vec![entry(100, tcp, "10.0.0.0/8", true), entry(110, icmp, "::/0", false)],
            associations: vec![Association {
                id: "aclassoc-0123456789abcdef0".parse().unwrap(),
                acl: acl.clone(),
                subnet: "subnet-0123456789abcdef0".parse().unwrap(),
            }],
            acl: NetworkAcl {
                id: acl,
                vpc: "vpc-0123456789abcdef0".parse().unwrap(),
                is_default: true,
                entries: Vec::new(),
            },
            tags: vec![("k".into(), "v".into())],
        }
    }

    #[test]
    fn every_filter_has_values() {
        let acl = acl();
        for (filter, expected) in [
            ("association.association-id", "aclassoc-0123456789abcdef0"),
            ("association.network-acl-id", "acl-0123456789abcdef0"),
            ("association.subnet-id", "subnet-0123456789abcdef0"),
            ("default", "true"),
            ("entry.cidr", "10.0.0.0/8"),
            ("entry.egress", "true true"),
            ("entry.icmp.code", "-1"),
            ("entry.icmp.type", "128"),
            ("entry.ipv6-cidr", "::/0"),
            ("entry.port-range.from", "22"),
            ("entry.port-range.to", "23"),
            ("entry.protocol", "tcp 6 icmpv6 58"),
            ("entry.rule-action", "allow deny"),
            ("entry.rule-number", "100 110"),
            ("network-acl-id", "acl-0123456789abcdef0"),
            ("owner-id", "123456789012"),
            ("vpc-id", "vpc-0123456789abcdef0"),
        ] {
            assert!(FILTERS.contains(&filter));
            assert_eq!(acl.values(filter, "123456789012").join(" "), expected, "{filter}");
        }
    }

    #[test]
    fn an_acl_is_shown_with_all_members() {
        let mut acl = acl();
        acl.entries.truncate(0);
        let mut xml = Xml::new();
        acl.render(&mut xml, "123456789012");
        assert_eq!(
            xml.as_str(),
            "<networkAclId>acl-0123456789abcdef0</networkAclId><vpcId>vpc-0123456789abcdef0</vpcId>\
             <ownerId>123456789012</ownerId><default>true</default><entrySet/>\
             <associationSet><item>\
             <networkAclAssociationId>aclassoc-0123456789abcdef0</networkAclAssociationId>\
             <networkAclId>acl-0123456789abcdef0</networkAclId><subnetId>subnet-0123456789abcdef0</subnetId>\
             </item></associationSet><tagSet><item><key>k</key><value>v</value></item></tagSet>"
        );
    }
}
