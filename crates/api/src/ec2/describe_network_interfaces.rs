//! `DescribeNetworkInterfaces`. Source: EC2 API, `DescribeNetworkInterfaces`,
//! `NetworkInterface`.

use super::filter::Filters;
use super::{page, tag_spec};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::stamp::iso_millis;
use crate::protocol::xml::Xml;
use std::collections::{BTreeMap, BTreeSet};
use weir_control::network_interface::{self, NetworkInterface};
use weir_control::security_group::SecurityGroup;
use weir_control::{Cx, attachment, region, tags};
use weir_types::id::SecurityGroupId;

/// Filters on what no interface here has (public addresses, names): nothing
/// passes them.
const ABSENT: [&str; 9] = [
    "addresses.association.owner-id",
    "addresses.association.public-ip",
    "association.allocation-id",
    "association.association-id",
    "association.ip-owner-id",
    "association.public-dns-name",
    "association.public-ip",
    "operator.principal",
    "private-dns-name",
];

const FILTERS: [&str; 28] = [
    "addresses.primary",
    "addresses.private-ip-address",
    "attachment.attach-time",
    "attachment.attachment-id",
    "attachment.delete-on-termination",
    "attachment.device-index",
    "attachment.instance-id",
    "attachment.instance-owner-id",
    "attachment.network-card-index",
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
    "operator.managed",
    "owner-id",
    "private-ip-address",
    "requester-id",
    "requester-managed",
    "source-dest-check",
    "status",
    "subnet-id",
    "vpc-id",
];

/// An interface with what it is shown with.
pub struct Shown {
    pub interface: NetworkInterface,
    /// Ids and names.
    groups: Vec<(String, String)>,
    tags: Vec<(String, String)>,
}

/// Lists network interfaces.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let filters = Filters::parse(params, &[&FILTERS[..], &ABSENT].concat())?;
    call.authorize_ec2(params, "ec2:DescribeNetworkInterfaces", &["*".to_owned()], &[])?;
    let account = &call.scope.account;
    let all = call.transact(|cx| {
        region::ensure(cx)?;
        let ids = params.list("NetworkInterfaceId");
        show(cx, network_interface::FAULTS.select_narrowed(cx, &ids, &filters.narrowing())?)
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
    let carried: BTreeSet<&str> =
        interfaces.iter().flat_map(|interface| &interface.groups).map(SecurityGroupId::as_str).collect();
    let groups: Vec<SecurityGroup> = cx.tx.get_many(cx.scope, &carried.into_iter().collect::<Vec<_>>())?;
    let names: BTreeMap<SecurityGroupId, String> =
        groups.into_iter().map(|group| (group.id, group.name)).collect();
    let name_of = |id: &SecurityGroupId| names.get(id).cloned().unwrap_or_default();
    let mut tags = tags::of_each(cx, interfaces.iter().map(|interface| interface.id.as_str()))?;
    let show = |interface: NetworkInterface| {
        let tags = tags.remove(interface.id.as_str()).unwrap_or_default();
        let groups = interface.groups.iter().map(|id| (id.to_string(), name_of(id))).collect();
        Ok(Shown { groups, tags, interface })
    };
    interfaces.into_iter().map(show).collect()
}

/// What an interface has under a filter's name.
pub fn values(shown: &Shown, filter: &str, account: &str) -> Vec<String> {
    let Shown { interface, groups, .. } = shown;
    let attached = interface.attached.as_ref();
    let value = match filter {
        "addresses.primary" => {
            let secondary = (interface.ipv4.len() > 1).then(|| "false".to_owned());
            return ["true".to_owned()].into_iter().chain(secondary).collect();
        }
        "addresses.private-ip-address" => return interface.ipv4.iter().map(ToString::to_string).collect(),
        "ipv6-addresses.ipv6-address" => return interface.ipv6.iter().map(ToString::to_string).collect(),
        "group-id" => return groups.iter().map(|(id, _)| id.clone()).collect(),
        "group-name" => return groups.iter().map(|(_, name)| name.clone()).collect(),
        "attachment.attach-time" => attached.map(|attached| iso_millis(attached.at)),
        "attachment.attachment-id" => attached.map(|_| attachment::id_of(&interface.id)),
        "attachment.delete-on-termination" => {
            attached.map(|attached| attached.delete_on_termination.to_string())
        }
        "attachment.device-index" => attached.map(|attached| attached.device_index.to_string()),
        "attachment.instance-id" => attached.map(|attached| attached.instance.to_string()),
        "attachment.instance-owner-id" => attached.map(|_| account.to_owned()),
        "attachment.network-card-index" => attached.map(|_| "0".to_owned()),
        "attachment.status" => attached.map(|_| "attached".to_owned()),
        "availability-zone" => Some(interface.az.clone()),
        "availability-zone-id" => Some(interface.az_id.clone()),
        "description" => Some(interface.description.clone()),
        "interface-type" => Some(interface.interface_type.clone()),
        "mac-address" => Some(interface.mac.clone()),
        "network-interface-id" => Some(interface.id.to_string()),
        "owner-id" => Some(account.to_owned()),
        "private-ip-address" => interface.primary_ipv4().map(|address| address.to_string()),
        "requester-id" => interface.requester.clone(),
        "requester-managed" | "operator.managed" => Some("false".to_owned()),
        "source-dest-check" => Some(interface.source_dest_check.to_string()),
        "status" => Some(status(interface).to_owned()),
        "subnet-id" => Some(interface.subnet.to_string()),
        "vpc-id" => Some(interface.vpc.to_string()),
        _ => None,
    };
    value.into_iter().collect()
}

/// `available`, `in-use`
pub fn status(interface: &NetworkInterface) -> &'static str {
    if interface.attached.is_some() { "in-use" } else { "available" }
}

/// The members of a `NetworkInterface`.
pub fn render(xml: &mut Xml, shown: &Shown, account: &str) {
    let Shown { interface, tags, .. } = shown;
    xml.text("networkInterfaceId", &interface.id).text("subnetId", &interface.subnet);
    xml.text("vpcId", &interface.vpc).text("availabilityZone", &interface.az);
    xml.text("availabilityZoneId", &interface.az_id).text("description", &interface.description);
    xml.text("ownerId", account);
    xml.optional("requesterId", interface.requester.as_ref()).text("requesterManaged", false);
    xml.text("status", status(interface))
        .text("macAddress", &interface.mac)
        .optional("privateIpAddress", interface.primary_ipv4());
    xml.text("sourceDestCheck", interface.source_dest_check);
    render_groups(xml, shown);
    render_attachment(xml, interface, account);
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
pub fn render_attachment(xml: &mut Xml, interface: &NetworkInterface, account: &str) {
    let Some(attached) = &interface.attached else { return };
    xml.element("attachment", |item| {
        item.text("attachmentId", attachment::id_of(&interface.id)).text("instanceId", &attached.instance);
        item.text("instanceOwnerId", account).text("deviceIndex", attached.device_index);
        item.text("networkCardIndex", 0).text("status", "attached");
        item.text("attachTime", iso_millis(attached.at));
        item.text("deleteOnTermination", attached.delete_on_termination);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_control::network_interface::Attached;
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
                attached: Some(Attached {
                    instance: "i-0123456789abcdef0".parse().unwrap(),
                    device_index: 1,
                    at: UnixMillis(0),
                    delete_on_termination: false,
                }),
                requester: Some("AIDA0123456789ABCDEFG".to_owned()),
                created: UnixMillis(0),
            },
            groups: vec![("sg-0123456789abcdef0".to_owned(), "web".to_owned())],
            tags: Vec::new(),
        }
    }

    #[test]
    fn every_filter_has_a_value() {
        for filter in FILTERS {
            assert!(!values(&shown(), filter, "123456789012").is_empty(), "{filter}");
        }
        assert_eq!(values(&shown(), "status", ""), ["in-use"]);
        let mut free = shown();
        free.interface.attached = None;
        assert_eq!(values(&free, "status", ""), ["available"]);
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
             <requesterId>AIDA0123456789ABCDEFG</requesterId>\
             <requesterManaged>false</requesterManaged><status>in-use</status>\
             <macAddress>02:00:00:00:00:01</macAddress><privateIpAddress>10.0.0.4</privateIpAddress>\
             <sourceDestCheck>true</sourceDestCheck><groupSet><item><groupId>sg-0123456789abcdef0</groupId>\
             <groupName>web</groupName></item></groupSet><attachment>\
             <attachmentId>eni-attach-0123456789abcdef0</attachmentId>\
             <instanceId>i-0123456789abcdef0</instanceId><instanceOwnerId>123456789012</instanceOwnerId>\
             <deviceIndex>1</deviceIndex><networkCardIndex>0</networkCardIndex><status>attached</status>\
             <attachTime>1970-01-01T00:00:00.000Z</attachTime><deleteOnTermination>false</deleteOnTermination></attachment>\
             <privateIpAddressesSet><item><privateIpAddress>10.0.0.4</privateIpAddress>\
             <primary>true</primary></item><item><privateIpAddress>10.0.0.5</privateIpAddress>\
             <primary>false</primary></item></privateIpAddressesSet><ipv6AddressesSet><item>\
             <ipv6Address>fd00::4</ipv6Address><isPrimaryIpv6>false</isPrimaryIpv6></item></ipv6AddressesSet>\
             <ipv6Address>fd00::4</ipv6Address><interfaceType>interface</interfaceType><tagSet/>"
        );
    }
}
