//! `DescribeVpcs`. Source: EC2 API, `DescribeVpcs`, `Vpc`.

use super::filter::Filters;
use super::{page, tag_spec};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::vpc::{self, Vpc};
use weir_control::{region, tags};

/// Filters on what no VPC here has: nothing passes them.
const ABSENT: [&str; 1] = ["ipv6-cidr-block-association.ipv6-pool"];

const FILTERS: [&str; 13] = [
    "cidr",
    "cidr-block-association.association-id",
    "cidr-block-association.cidr-block",
    "cidr-block-association.state",
    "dhcp-options-id",
    "ipv6-cidr-block-association.association-id",
    "ipv6-cidr-block-association.ipv6-cidr-block",
    "ipv6-cidr-block-association.state",
    "is-default",
    "isDefault",
    "owner-id",
    "state",
    "vpc-id",
];

/// Lists VPCs.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let filters = Filters::parse(params, &[&FILTERS[..], &ABSENT].concat())?;
    call.authorize_ec2(params, "ec2:DescribeVpcs", &["*".to_owned()], &[])?;
    let account = &call.scope.account;
    let (all, mut tags) = call.transact(|cx| {
        region::ensure(cx)?;
        Ok((vpc::FAULTS.select::<Vpc>(cx, &params.list("VpcId"))?, tags::all(cx)?))
    })?;
    let shown = all.into_iter().map(|vpc| {
        let tags = tags.remove(vpc.id.as_str()).unwrap_or_default();
        (vpc, tags)
    });
    let found = shown.filter(|(vpc, tags)| filters.pass(tags, |name| values(vpc, name, account))).collect();
    let (vpcs, next) = page::page(found, params, 5..=1000, |(vpc, _): &(Vpc, _)| vpc.id.as_str())?;
    let mut xml = Xml::new();
    xml.set("vpcSet", vpcs, |item, (vpc, tags)| render(item, &vpc, &tags, account));
    xml.optional("nextToken", next);
    Ok(xml)
}

fn values(vpc: &Vpc, filter: &str, account: &str) -> Vec<String> {
    let ipv6 = vpc.ipv6.as_ref();
    let value = match filter {
        "cidr" | "cidr-block-association.cidr-block" => Some(vpc.cidr.to_string()),
        "cidr-block-association.association-id" => Some(vpc.cidr_association.to_string()),
        "cidr-block-association.state" => Some("associated".to_owned()),
        "dhcp-options-id" => Some(vpc.dhcp_options.to_string()),
        "ipv6-cidr-block-association.association-id" => ipv6.map(|ipv6| ipv6.association.to_string()),
        "ipv6-cidr-block-association.ipv6-cidr-block" => ipv6.map(|ipv6| ipv6.cidr.to_string()),
        "ipv6-cidr-block-association.state" => ipv6.map(|_| "associated".to_owned()),
        "is-default" | "isDefault" => Some(vpc.is_default.to_string()),
        "owner-id" => Some(account.to_owned()),
        "state" => Some("available".to_owned()),
        "vpc-id" => Some(vpc.id.to_string()),
        _ => None,
    };
    value.into_iter().collect()
}

/// The members of a `Vpc`.
pub fn render(xml: &mut Xml, vpc: &Vpc, tags: &[(String, String)], account: &str) {
    let associated = |xml: &mut Xml, name: &str| {
        xml.element(name, |state| {
            state.text("state", "associated");
        });
    };
    xml.text("vpcId", &vpc.id).text("ownerId", account).text("state", "available");
    xml.text("cidrBlock", vpc.cidr).set("cidrBlockAssociationSet", [vpc.cidr], |item, block| {
        item.text("associationId", &vpc.cidr_association).text("cidrBlock", block);
        associated(item, "cidrBlockState");
    });
    if let Some(ipv6) = &vpc.ipv6 {
        xml.set("ipv6CidrBlockAssociationSet", [ipv6], |item, ipv6| {
            item.text("associationId", &ipv6.association).text("ipv6CidrBlock", ipv6.cidr);
            associated(item, "ipv6CidrBlockState");
        });
    }
    xml.text("dhcpOptionsId", &vpc.dhcp_options).text("instanceTenancy", &vpc.instance_tenancy);
    xml.text("isDefault", vpc.is_default);
    tag_spec::render(xml, tags);
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use weir_control::vpc::VpcIpv6;

    pub fn vpc() -> Vpc {
        Vpc {
            id: "vpc-0123456789abcdef0".parse().unwrap(),
            cidr: "10.0.0.0/16".parse().unwrap(),
            cidr_association: "vpc-cidr-assoc-0123456789abcdef0".parse().unwrap(),
            ipv6: Some(VpcIpv6 {
                cidr: "fd00::/56".parse().unwrap(),
                association: "vpc-cidr-assoc-0123456789abcdef1".parse().unwrap(),
            }),
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
        render(&mut xml, &vpc(), &[("k".to_owned(), "v".to_owned())], "123456789012");
        assert_eq!(
            xml.as_str(),
            "<vpcId>vpc-0123456789abcdef0</vpcId><ownerId>123456789012</ownerId><state>available</state>\
             <cidrBlock>10.0.0.0/16</cidrBlock><cidrBlockAssociationSet><item>\
             <associationId>vpc-cidr-assoc-0123456789abcdef0</associationId><cidrBlock>10.0.0.0/16</cidrBlock>\
             <cidrBlockState><state>associated</state></cidrBlockState></item></cidrBlockAssociationSet>\
             <ipv6CidrBlockAssociationSet><item><associationId>vpc-cidr-assoc-0123456789abcdef1</associationId>\
             <ipv6CidrBlock>fd00::/56</ipv6CidrBlock><ipv6CidrBlockState><state>associated</state>\
             </ipv6CidrBlockState></item></ipv6CidrBlockAssociationSet>\
             <dhcpOptionsId>dopt-0123456789abcdef0</dhcpOptionsId><instanceTenancy>default</instanceTenancy>\
             <isDefault>false</isDefault><tagSet><item><key>k</key><value>v</value></item></tagSet>"
        );
    }
}
