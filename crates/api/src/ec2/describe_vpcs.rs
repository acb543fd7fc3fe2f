//! `DescribeVpcs`. Source: EC2 API, `DescribeVpcs`, `Vpc`.

use super::filter::Filters;
use super::{page, tag_spec};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::vpc::{self, Vpc, VpcIpv6};
use weir_control::{Scope, region, tags};
use weir_types::id::VpcCidrAssociationId;
use weir_types::net::Ipv4Net;

const FILTERS: [&str; 14] = [
    "cidr",
    "cidr-block-association.association-id",
    "cidr-block-association.cidr-block",
    "cidr-block-association.state",
    "dhcp-options-id",
    "ipv6-cidr-block-association.association-id",
    "ipv6-cidr-block-association.ipv6-cidr-block",
    "ipv6-cidr-block-association.ipv6-pool",
    "ipv6-cidr-block-association.state",
    "is-default",
    "isDefault",
    "owner-id",
    "state",
    "vpc-id",
];

/// Lists VPCs.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let filters = Filters::parse(params, &FILTERS)?;
    call.authorize_ec2(params, "ec2:DescribeVpcs", &["*".to_owned()], &[])?;
    let scope = &call.scope;
    let all = call.transact(|cx| {
        region::ensure(cx)?;
        let vpcs: Vec<Vpc> = vpc::FAULTS.select_narrowed(cx, &params.list("VpcId"), &filters.narrowing())?;
        let with_tags = |vpc: Vpc| Ok((tags::of(cx, vpc.id.as_str())?, vpc));
        vpcs.into_iter().map(with_tags).collect::<Result<Vec<_>, _>>()
    })?;
    let shown = all.into_iter().map(|(tags, vpc)| (vpc, tags));
    let found =
        shown.filter(|(vpc, tags)| filters.pass(tags, |name| values(vpc, name, &scope.account))).collect();
    let (vpcs, next) = page::page(found, params, 5..=1000, |(vpc, _): &(Vpc, _)| vpc.id.as_str())?;
    let mut xml = Xml::new();
    xml.set("vpcSet", vpcs, |item, (vpc, tags)| render(item, &vpc, &tags, scope));
    xml.optional("nextToken", next);
    Ok(xml)
}

fn values(vpc: &Vpc, filter: &str, account: &str) -> Vec<String> {
    let of_ipv4 = |value: fn(Ipv4Net, &VpcCidrAssociationId) -> String| {
        vpc.ipv4().map(|(block, association)| value(block, association)).collect()
    };
    let of_ipv6 = |value: fn(&VpcIpv6) -> String| vpc.ipv6.iter().map(value).collect();
    match filter {
        "cidr" => vec![vpc.cidr.to_string()],
        "cidr-block-association.cidr-block" => of_ipv4(|block, _| block.to_string()),
        "cidr-block-association.association-id" => of_ipv4(|_, association| association.to_string()),
        "cidr-block-association.state" => vec!["associated".to_owned()],
        "dhcp-options-id" => vec![vpc.dhcp_options.to_string()],
        "ipv6-cidr-block-association.association-id" => of_ipv6(|ipv6| ipv6.association.to_string()),
        "ipv6-cidr-block-association.ipv6-cidr-block" => of_ipv6(|ipv6| ipv6.cidr.to_string()),
        "ipv6-cidr-block-association.ipv6-pool" => of_ipv6(|ipv6| pool(ipv6).to_owned()),
        "ipv6-cidr-block-association.state" => of_ipv6(|_| "associated".to_owned()),
        "is-default" | "isDefault" => vec![vpc.is_default.to_string()],
        "owner-id" => vec![account.to_owned()],
        "state" => vec!["available".to_owned()],
        "vpc-id" => vec![vpc.id.to_string()],
        _ => Vec::new(),
    }
}

/// Clients tell by the pool whether the block was picked for the caller.
fn pool(ipv6: &VpcIpv6) -> &'static str {
    if ipv6.provided { "Amazon" } else { "" }
}

/// The members of a `Vpc`.
pub fn render(xml: &mut Xml, vpc: &Vpc, tags: &[(String, String)], scope: &Scope) {
    xml.text("vpcId", &vpc.id).text("ownerId", &scope.account).text("state", "available");
    xml.text("cidrBlock", vpc.cidr);
    xml.set("cidrBlockAssociationSet", vpc.ipv4(), |item, (block, association)| {
        render_ipv4(item, block, association, "associated");
    });
    if !vpc.ipv6.is_empty() {
        xml.set("ipv6CidrBlockAssociationSet", &vpc.ipv6, |item, ipv6| {
            render_ipv6(item, ipv6, "associated", scope);
        });
    }
    xml.text("dhcpOptionsId", &vpc.dhcp_options).text("instanceTenancy", &vpc.instance_tenancy);
    xml.text("isDefault", vpc.is_default);
    tag_spec::render(xml, tags);
}

/// The members of a `VpcCidrBlockAssociation`.
pub fn render_ipv4(xml: &mut Xml, block: Ipv4Net, association: &VpcCidrAssociationId, state: &str) {
    xml.text("associationId", association).text("cidrBlock", block).element("cidrBlockState", |xml| {
        xml.text("state", state);
    });
}

/// The members of a `VpcIpv6CidrBlockAssociation`.
pub fn render_ipv6(xml: &mut Xml, ipv6: &VpcIpv6, state: &str, scope: &Scope) {
    xml.text("associationId", &ipv6.association).text("ipv6CidrBlock", ipv6.cidr);
    xml.element("ipv6CidrBlockState", |xml| {
        xml.text("state", state);
    });
    xml.text("networkBorderGroup", &scope.region);
    xml.optional("ipv6Pool", Some(pool(ipv6)).filter(|pool| !pool.is_empty()));
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn vpc() -> Vpc {
        Vpc {
            id: "vpc-0123456789abcdef0".parse().unwrap(),
            cidr: "10.0.0.0/16".parse().unwrap(),
            cidr_association: "vpc-cidr-assoc-0123456789abcdef0".parse().unwrap(),
            secondary: Vec::new(),
            ipv6: vec![VpcIpv6 {
                cidr: "fd00::/56".parse().unwrap(),
                association: "vpc-cidr-assoc-0123456789abcdef1".parse().unwrap(),
                provided: true,
            }],
            dhcp_options: "dopt-0123456789abcdef0".parse().unwrap(),
            instance_tenancy: "default".to_owned(),
            is_default: false,
            attributes: Default::default(),
        }
    }

    #[test]
    fn every_filter_has_a_value() {
        for filter in FILTERS {
            assert_eq!(values(&vpc(), filter, "123456789012").len(), 1, "{filter}");
        }
    }

    #[test]
    fn a_vpc_is_shown_with_all_members() {
        let mut xml = Xml::new();
        render(
            &mut xml,
            &vpc(),
            &[("k".to_owned(), "v".to_owned())],
            &Scope::new("123456789012", "us-east-1"),
        );
        assert_eq!(
            xml.as_str(),
            "<vpcId>vpc-0123456789abcdef0</vpcId><ownerId>123456789012</ownerId><state>available</state>\
             <cidrBlock>10.0.0.0/16</cidrBlock><cidrBlockAssociationSet><item>\
             <associationId>vpc-cidr-assoc-0123456789abcdef0</associationId><cidrBlock>10.0.0.0/16</cidrBlock>\
             <cidrBlockState><state>associated</state></cidrBlockState></item></cidrBlockAssociationSet>\
             <ipv6CidrBlockAssociationSet><item><associationId>vpc-cidr-assoc-0123456789abcdef1</associationId>\
             <ipv6CidrBlock>fd00::/56</ipv6CidrBlock><ipv6CidrBlockState><state>associated</state>\
             </ipv6CidrBlockState><networkBorderGroup>us-east-1</networkBorderGroup><ipv6Pool>Amazon</ipv6Pool></item>\
             </ipv6CidrBlockAssociationSet>\
             <dhcpOptionsId>dopt-0123456789abcdef0</dhcpOptionsId><instanceTenancy>default</instanceTenancy>\
             <isDefault>false</isDefault><tagSet><item><key>k</key><value>v</value></item></tagSet>"
        );
    }
}
