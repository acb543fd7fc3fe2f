//! `DescribeNetworkInterfaces`. Source: EC2 API, `DescribeNetworkInterfaces`,
//! `NetworkInterface`.

use super::filter::Filters;
use super::{page, tag_spec};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::network_interface::{self, NetworkInterface};
use weir_control::security_group::SecurityGroup;
use weir_control::{Cx, attachment, region, tags};

/// Filters on what no interface here has (public addresses, a place on its
/// instance): nothing passes them.
const ABSENT: [&str; 12] = [
    "addresses.association.owner-id",
    "addresses.association.public-ip",
    "association.allocation-id",
    "association.association-id",
    "association.ip-owner-id",
    "association.public-dns-name",
    "association.public-ip",
    "attachment.attach-time",
    "attachment.device-index",
    "operator.principal",
    "private-dns-name",
    "requester-id",
];

const FILTERS: [&str; 24] = [
    "addresses.primary",
    "addresses.private-ip-address",
    "attachment.attachment-id",
    "attachment.delete-on-termination",
    "attachment.instance-id",
    "attachment.instance-owner-id",
    "attachment.status",
    "availability-zone",
    "availability-zone-id",
    "description",
    "group-id",
    "group-name",
    "interface-type",
    "ipv6-addresses.ipv6-address",
    "mac-address",
    "network-interface-id",
    "owner-id",
    "private-ip-address",
    "requester-managed",
    "source-dest-check",
    "status",
    "subnet-id",
    "vpc-id",
    "operator.managed",
];

/// An interface with what it is shown with.
pub struct Shown {
    pub interface: NetworkInterface,
    /// Ids and names.
    groups: Vec<(String, String)>,
    /// The id of its attachment, if it is attached.
    attachment: Option<String>,
    tags: Vec<(String, String)>,
}

/// Lists network interfaces.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let filters = Filters::parse(params, &[&FILTERS[..], &ABSENT].concat())?;
    call.authorize_ec2(params, "ec2:DescribeNetworkInterfaces", &["*".to_owned()], &[])?;
    let account = &call.scope.account;
    let all = call.transact(|cx| {
        region::ensure(cx)?;
        show(cx, network_interface::FAULTS.select(cx, &params.list("NetworkInterfaceId"))?)
    })?;
    let pass = |shown: &Shown| filters.pass(&shown.tags, |name| values(shown, name, account));
    let found = all.into_iter().filter(pass).collect();
    let (interfaces, next) =
        page::page(found, params, 5..=1000, |shown: &Shown| shown.interface.id.as_str())?;
    let mut xml = Xml::new();
    xml.set("networkInterfaceSet", interfaces, |item, shown| render(item, &shown, account));
    xml.optional("nextToken", next);
    Ok(xml)
}

/// Looks up what interfaces are shown with.
pub fn show(cx: Cx<'_>, interfaces: Vec<NetworkInterface>) -> weir_control::Result<Vec<Shown>> {
    let groups: Vec<SecurityGroup> = cx.tx.list(cx.scope)?;
    let name_of =
        |id: &str| groups.iter().find(|group| group.id.as_str() == id).map(|group| group.name.clone());
    let mut tags = tags::all(cx)?;
    let show = |interface: NetworkInterface| {
        let groups =
            interface.groups.iter().map(|id| (id.to_string(), name_of(id.as_str()).unwrap_or_default()));
        Ok(Shown {
            groups: groups.collect(),
            attachment: attachment::get(cx, &interface.id)?.map(|_| attachment::id_of(&interface.id)),
            tags: tags.remove(interface.id.as_str()).unwrap_or_default(),
            interface,
        })
    };
    interfaces.into_iter().map(show).collect()
}

fn values(shown: &Shown, filter: &str, account: &str) -> Vec<String> {
    let Shown { interface, groups, attachment, .. } = shown;
    let value = match filter {
        "addresses.primary" => {
            let secondary = (interface.ipv4.len() > 1).then(|| "false".to_owned());
            return ["true".to_owned()].into_iter().chain(secondary).collect();
        }
        "addresses.private-ip-address" => return interface.ipv4.iter().map(ToString::to_string).collect(),
        "ipv6-addresses.ipv6-address" => return interface.ipv6.iter().map(ToString::to_string).collect(),
        "group-id" => return groups.iter().map(|(id, _)| id.clone()).collect(),
        "group-name" => return groups.iter().map(|(_, name)| name.clone()).collect(),
        "attachment.attachment-id" => attachment.clone(),
        "attachment.delete-on-termination" => attachment.as_ref().map(|_| "false".to_owned()),
        "attachment.instance-id" => interface.instance.as_ref().map(ToString::to_string),
        "attachment.instance-owner-id" => attachment.as_ref().map(|_| account.to_owned()),
        "attachment.status" => attachment.as_ref().map(|_| "attached".to_owned()),
        "availability-zone" => Some(interface.az.clone()),
        "availability-zone-id" => Some(interface.az_id.clone()),
        "description" => Some(interface.description.clone()),
        "interface-type" => Some(interface.interface_type.clone()),
        "mac-address" => Some(interface.mac.clone()),
        "network-interface-id" => Some(interface.id.to_string()),
        "owner-id" => Some(account.to_owned()),
        "private-ip-address" => interface.primary_ipv4().map(|address| address.to_string()),
        "requester-managed" | "operator.managed" => Some("false".to_owned()),
        "source-dest-check" => Some(interface.source_dest_check.to_string()),
        "status" => Some(status(shown).to_owned()),
        "subnet-id" => Some(interface.subnet.to_string()),
        "vpc-id" => Some(interface.vpc.to_string()),
        _ => None,
    };
    value.into_iter().collect()
}

fn status(shown: &Shown) -> &'static str {
    if shown.attachment.is_some() { "in-use" } else { "available" }
}

/// The members of a `NetworkInterface`.
pub fn render(xml: &mut Xml, shown: &Shown, account: &str) {
    let Shown { interface, tags, .. } = shown;
    xml.text("networkInterfaceId", &interface.id).text("subnetId", &interface.subnet);
    xml.text("vpcId", &interface.vpc).text("availabilityZone", &interface.az);
    xml.text("availabilityZoneId", &interface.az_id).text("description", &interface.description);
    xml.text("ownerId", account).text("requesterManaged", false).text("status", status(shown));
    xml.text("macAddress", &interface.mac).optional("privateIpAddress", interface.primary_ipv4());
    xml.text("sourceDestCheck", interface.source_dest_check);
    render_groups(xml, shown);
    render_attachment(xml, shown, account);
    xml.set("privateIpAddressesSet", interface.ipv4.iter().enumerate(), |item, (place, address)| {
        item.text("privateIpAddress", address).text("primary", place == 0);
    });
    xml.set("ipv6AddressesSet", &interface.ipv6, |item, address| {
        item.text("ipv6Address", address).text("isPrimaryIpv6", false);
    });
    xml.optional("ipv6Address", interface.ipv6.first());
    xml.text("interfaceType", &interface.interface_type);
    tag_spec::render(xml, tags);
}

/// The `groupSet` of an interface.
pub fn render_groups(xml: &mut Xml, shown: &Shown) {
    xml.set("groupSet", &shown.groups, |item, (id, name)| {
        item.text("groupId", id).text("groupName", name);
    });
}

/// The `attachment` of an interface, if it has one.
pub fn render_attachment(xml: &mut Xml, shown: &Shown, account: &str) {
    let Some(id) = &shown.attachment else { return };
    xml.element("attachment", |item| {
        item.text("attachmentId", id).optional("instanceId", shown.interface.instance.as_ref());
        item.text("instanceOwnerId", account).text("status", "attached");
        item.text("deleteOnTermination", false);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_types::time::UnixMillis;

    fn shown() -> Shown {
        Shown {
            interface: NetworkInterface {
                id: "eni-0123456789abcdef0".parse().unwrap(),
                vpc: "vpc-0123456789abcdef0".parse().unwrap(),
                subnet: "subnet-0123456789abcdef0".parse().unwrap(),
                az: "us-east-1a".to_owned(),
                az_id: "use1-az1".to_owned(),
                description: "front door".to_owned(),
                groups: vec!["sg-0123456789abcdef0".parse().unwrap()],
                mac: "02:00:00:00:00:01".to_owned(),
                ipv4: vec!["10.0.0.4".parse().unwrap(), "10.0.0.5".parse().unwrap()],
                ipv6: vec!["fd00::4".parse().unwrap()],
                source_dest_check: true,
                interface_type: "interface".to_owned(),
                instance: Some("i-0123456789abcdef0".parse().unwrap()),
                created: UnixMillis(0),
            },
            groups: vec![("sg-0123456789abcdef0".to_owned(), "web".to_owned())],
            attachment: Some("eni-attach-0123456789abcdef0".to_owned()),
            tags: Vec::new(),
        }
    }

    #[test]
    fn every_filter_has_a_value() {
        for filter in FILTERS {
            assert!(!values(&shown(), filter, "123456789012").is_empty(), "{filter}");
        }
        assert_eq!(values(&shown(), "status", ""), ["in-use"]);
        assert_eq!(values(&Shown { attachment: None, ..shown() }, "status", ""), ["available"]);
    }

    #[test]
    fn an_interface_is_shown_with_all_members() {
        let mut xml = Xml::new();
        render(&mut xml, &shown(), "123456789012");
        assert_eq!(
            xml.as_str(),
            "<networkInterfaceId>eni-0123456789abcdef0</networkInterfaceId>\
             <subnetId>subnet-0123456789abcdef0</subnetId><vpcId>vpc-0123456789abcdef0</vpcId>\
             <availabilityZone>us-east-1a</availabilityZone><availabilityZoneId>use1-az1</availabilityZoneId>\
             <description>front door</description><ownerId>123456789012</ownerId>\
             <requesterManaged>false</requesterManaged><status>in-use</status>\
             <macAddress>02:00:00:00:00:01</macAddress><privateIpAddress>10.0.0.4</privateIpAddress>\
             <sourceDestCheck>true</sourceDestCheck><groupSet><item><groupId>sg-0123456789abcdef0</groupId>\
             <groupName>web</groupName></item></groupSet><attachment>\
             <attachmentId>eni-attach-0123456789abcdef0</attachmentId>\
             <instanceId>i-0123456789abcdef0</instanceId><instanceOwnerId>123456789012</instanceOwnerId>\
             <status>attached</status><deleteOnTermination>false</deleteOnTermination></attachment>\
             <privateIpAddressesSet><item><privateIpAddress>10.0.0.4</privateIpAddress>\
             <primary>true</primary></item><item><privateIpAddress>10.0.0.5</privateIpAddress>\
             <primary>false</primary></item></privateIpAddressesSet><ipv6AddressesSet><item>\
             <ipv6Address>fd00::4</ipv6Address><isPrimaryIpv6>false</isPrimaryIpv6></item></ipv6AddressesSet>\
             <ipv6Address>fd00::4</ipv6Address><interfaceType>interface</interfaceType><tagSet/>"
        );
    }
}
