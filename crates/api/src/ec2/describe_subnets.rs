//! `DescribeSubnets`. Source: EC2 API, `DescribeSubnets`, `Subnet`.

use super::filter::Filters;
use super::{page, tag_spec};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::subnet::{self, Subnet, SubnetIpv6};
use weir_control::{Scope, region, tags};

/// Filters on what no subnet here has: nothing passes them.
const ABSENT: [&str; 3] = ["customer-owned-ipv4-pool", "enable-lni-at-device-index", "outpost-arn"];

const FILTERS: [&str; 25] = [
    "availability-zone",
    "availabilityZone",
    "availability-zone-id",
    "availabilityZoneId",
    "available-ip-address-count",
    "cidr",
    "cidr-block",
    "cidrBlock",
    "default-for-az",
    "defaultForAz",
    "enable-dns64",
    "ipv6-cidr-block-association.association-id",
    "ipv6-cidr-block-association.ipv6-cidr-block",
    "ipv6-cidr-block-association.state",
    "ipv6-native",
    "map-customer-owned-ip-on-launch",
    "map-public-ip-on-launch",
    "owner-id",
    "private-dns-name-options-on-launch.enable-resource-name-dns-a-record",
    "private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record",
    "private-dns-name-options-on-launch.hostname-type",
    "state",
    "subnet-arn",
    "subnet-id",
    "vpc-id",
];

/// A subnet with what it is shown with.
pub struct Shown {
    pub subnet: Subnet,
    /// How many IPv4 addresses its interfaces have.
    pub used: usize,
    pub tags: Vec<(String, String)>,
}

/// Lists subnets.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let filters = Filters::parse(params, &[&FILTERS[..], &ABSENT].concat())?;
    call.authorize_ec2(params, "ec2:DescribeSubnets", &["*".to_owned()], &[])?;
    let all = call.transact(|cx| {
        region::ensure(cx)?;
        let subnets: Vec<Subnet> =
            subnet::FAULTS.select_narrowed(cx, &params.list("SubnetId"), &filters.narrowing())?;
        let mut tags = tags::of_each(cx, subnets.iter().map(|subnet| subnet.id.as_str()))?;
        let show = |subnet: Subnet| {
            let used = subnet::used_addresses(cx, &subnet)?;
            Ok(Shown { used, tags: tags.remove(subnet.id.as_str()).unwrap_or_default(), subnet })
        };
        subnets.into_iter().map(show).collect::<Result<Vec<_>, _>>()
    })?;
    let pass = |shown: &Shown| filters.pass(&shown.tags, |name| values(shown, name, &call.scope));
    let found = all.into_iter().filter(pass).collect();
    let (subnets, next) = page::page(found, params, 5..=1000, |shown: &Shown| shown.subnet.id.as_str())?;
    let mut xml = Xml::new();
    xml.set("subnetSet", subnets, |item, shown| render(item, &shown, &call.scope));
    xml.optional("nextToken", next);
    Ok(xml)
}

fn values(shown: &Shown, filter: &str, scope: &Scope) -> Vec<String> {
    let subnet = &shown.subnet;
    let (ipv6, attributes) = (subnet.ipv6.as_ref(), &subnet.attributes);
    let value = match filter {
        "availability-zone" | "availabilityZone" => Some(subnet.az.clone()),
        "availability-zone-id" | "availabilityZoneId" => Some(subnet.az_id.clone()),
        "available-ip-address-count" => Some(subnet::available_addresses(subnet, shown.used).to_string()),
        "cidr" | "cidr-block" | "cidrBlock" => Some(subnet.cidr.to_string()),
        "default-for-az" | "defaultForAz" => Some(subnet.default_for_az.to_string()),
        "enable-dns64" => Some(attributes.enable_dns64.to_string()),
        "ipv6-native" | "map-customer-owned-ip-on-launch" => Some("false".to_owned()),
        "private-dns-name-options-on-launch.enable-resource-name-dns-a-record" => {
            Some(attributes.enable_resource_name_dns_a_record_on_launch.to_string())
        }
        "private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record" => {
            Some(attributes.enable_resource_name_dns_aaaa_record_on_launch.to_string())
        }
        "private-dns-name-options-on-launch.hostname-type" => {
            Some(attributes.private_dns_hostname_type_on_launch.as_str().to_owned())
        }
        "ipv6-cidr-block-association.association-id" => ipv6.map(|ipv6| ipv6.association.to_string()),
        "ipv6-cidr-block-association.ipv6-cidr-block" => ipv6.map(|ipv6| ipv6.cidr.to_string()),
        "ipv6-cidr-block-association.state" => ipv6.map(|_| "associated".to_owned()),
        "map-public-ip-on-launch" => Some(subnet.map_public_ip_on_launch.to_string()),
        "owner-id" => Some(scope.account.clone()),
        "state" => Some("available".to_owned()),
        "subnet-arn" => Some(arn(subnet, scope)),
        "subnet-id" => Some(subnet.id.to_string()),
        "vpc-id" => Some(subnet.vpc.to_string()),
        _ => None,
    };
    value.into_iter().collect()
}

fn arn(subnet: &Subnet, scope: &Scope) -> String {
    scope.arn("ec2", format!("subnet/{}", subnet.id)).to_string()
}

/// The members of a `Subnet`.
pub fn render(xml: &mut Xml, shown: &Shown, scope: &Scope) {
    let subnet = &shown.subnet;
    let attributes = &subnet.attributes;
    xml.text("subnetId", &subnet.id).text("subnetArn", arn(subnet, scope)).text("state", "available");
    xml.text("vpcId", &subnet.vpc).text("ownerId", &scope.account).text("cidrBlock", subnet.cidr);
    xml.set("ipv6CidrBlockAssociationSet", &subnet.ipv6, |item, ipv6| {
        render_ipv6(item, ipv6, "associated");
    });
    xml.text("availableIpAddressCount", subnet::available_addresses(subnet, shown.used));
    xml.text("availabilityZone", &subnet.az).text("availabilityZoneId", &subnet.az_id);
    xml.text("defaultForAz", subnet.default_for_az);
    xml.text("mapPublicIpOnLaunch", subnet.map_public_ip_on_launch);
    xml.text("mapCustomerOwnedIpOnLaunch", false);
    xml.text("assignIpv6AddressOnCreation", attributes.assign_ipv6_address_on_creation);
    xml.text("enableDns64", attributes.enable_dns64).text("ipv6Native", false);
    xml.element("privateDnsNameOptionsOnLaunch", |options| {
        let (a, aaaa) = (
            attributes.enable_resource_name_dns_a_record_on_launch,
            attributes.enable_resource_name_dns_aaaa_record_on_launch,
        );
        options.text("hostnameType", attributes.private_dns_hostname_type_on_launch.as_str());
        options.text("enableResourceNameDnsARecord", a).text("enableResourceNameDnsAAAARecord", aaaa);
    });
    tag_spec::render(xml, &shown.tags);
}

/// The members of a `SubnetIpv6CidrBlockAssociation`.
pub fn render_ipv6(xml: &mut Xml, ipv6: &SubnetIpv6, state: &str) {
    xml.text("associationId", &ipv6.association).text("ipv6CidrBlock", ipv6.cidr);
    xml.element("ipv6CidrBlockState", |xml| {
        xml.text("state", state);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown() -> Shown {
        let subnet = Subnet {
            id: "subnet-0123456789abcdef0".parse().unwrap(),
            vpc: "vpc-0123456789abcdef0".parse().unwrap(),
            cidr: "10.0.0.0/24".parse().unwrap(),
            ipv6: Some(SubnetIpv6 {
                cidr: "fd00::/64".parse().unwrap(),
                association: "subnet-cidr-assoc-0123456789abcdef0".parse().unwrap(),
            }),
            az: "us-east-1a".to_owned(),
            az_id: "use1-az1".to_owned(),
            default_for_az: false,
            map_public_ip_on_launch: false,
            attributes: Default::default(),
        };
        Shown { subnet, used: 2, tags: Vec::new() }
    }

    #[test]
    fn every_filter_has_a_value() {
        let scope = Scope::new("123456789012", "us-east-1");
        for filter in FILTERS {
            assert_eq!(values(&shown(), filter, &scope).len(), 1, "{filter}");
        }
    }

    #[test]
    fn a_subnet_is_shown_with_all_members() {
        let mut xml = Xml::new();
        render(&mut xml, &shown(), &Scope::new("123456789012", "us-east-1"));
        assert_eq!(
            xml.as_str(),
            "<subnetId>subnet-0123456789abcdef0</subnetId>\
             <subnetArn>arn:aws:ec2:us-east-1:123456789012:subnet/subnet-0123456789abcdef0</subnetArn>\
             <state>available</state><vpcId>vpc-0123456789abcdef0</vpcId><ownerId>123456789012</ownerId>\
             <cidrBlock>10.0.0.0/24</cidrBlock><ipv6CidrBlockAssociationSet><item>\
             <associationId>subnet-cidr-assoc-0123456789abcdef0</associationId>\
             <ipv6CidrBlock>fd00::/64</ipv6CidrBlock><ipv6CidrBlockState><state>associated</state>\
             </ipv6CidrBlockState></item></ipv6CidrBlockAssociationSet>\
             <availableIpAddressCount>249</availableIpAddressCount>\
             <availabilityZone>us-east-1a</availabilityZone><availabilityZoneId>use1-az1</availabilityZoneId>\
             <defaultForAz>false</defaultForAz><mapPublicIpOnLaunch>false</mapPublicIpOnLaunch>\
             <mapCustomerOwnedIpOnLaunch>false</mapCustomerOwnedIpOnLaunch>\
             <assignIpv6AddressOnCreation>false</assignIpv6AddressOnCreation><enableDns64>false</enableDns64>\
             <ipv6Native>false</ipv6Native><privateDnsNameOptionsOnLaunch><hostnameType>ip-name</hostnameType>\
             <enableResourceNameDnsARecord>false</enableResourceNameDnsARecord>\
             <enableResourceNameDnsAAAARecord>false</enableResourceNameDnsAAAARecord>\
             </privateDnsNameOptionsOnLaunch><tagSet/>"
        );
    }
}
