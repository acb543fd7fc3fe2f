//! Network interfaces: creation, description, attributes, deletion.
//!
//! Invariants: at least one address and one security group; no address twice
//! in a subnet; an attached interface cannot go.
//!
//! Source: EC2 API, `CreateNetworkInterface` and its relatives; EC2 user guide,
//! "Elastic network interfaces".

use crate::address_pool::AddressSet;
use crate::attachment;
use crate::error::{ControlError, Result};
use crate::flow_log;
use crate::lookup::IdFaults;
use crate::security_group::SecurityGroup;
use crate::state::{Cx, Index, Resource};
use crate::subnet::{self, Subnet};
use crate::{address, address_pool, client_token, interface_index, random, region, tags};
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, Ipv6Addr};
use weir_types::id::{EniId, InstanceId, SecurityGroupId, SubnetId, VpcId};
use weir_types::net::Ipv6Net;
use weir_types::time::UnixMillis;

/// Security groups per interface: the highest that AWS grants.
/// Source: VPC user guide, "Amazon VPC quotas".
const GROUPS_LIMIT: usize = 16;

/// Addresses of one family per interface: the most of any AWS instance type.
/// Source: EC2 user guide, "Maximum IP addresses per network interface".
const ADDRESSES_LIMIT: usize = 50;

/// An elastic network interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkInterface {
    pub id: EniId,
    pub vpc: VpcId,
    pub subnet: SubnetId,
    /// `us-east-1a`
    pub az: String,
    /// `use1-az1`
    pub az_id: String,
    pub description: String,
    /// At least one, of the same VPC.
    pub groups: Vec<SecurityGroupId>,
    /// Six bytes in hexadecimal, `02:1a:2b:3c:4d:5e`.
    pub mac: String,
    /// The primary address, then the secondary ones. Empty only for a device of
    /// this host whose address is not known ([`crate::observed::appeared`]).
    pub ipv4: Vec<Ipv4Addr>,
    pub ipv6: Vec<Ipv6Addr>,
    /// Kept, of no effect.
    pub source_dest_check: bool,
    /// `interface`, `efa` and so on; kept, of no effect.
    pub interface_type: String,
    /// Where it is attached.
    #[serde(default)]
    pub attached: Option<Attached>,
    /// The unique id of who made it.
    #[serde(default)]
    pub requester: Option<String>,
    pub created: UnixMillis,
}

/// That an interface is attached to an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    pub instance: InstanceId,
    /// The place on the instance, from 0.
    pub device_index: u32,
    pub at: UnixMillis,
    /// Kept, of no effect: hosts are not terminated here.
    pub delete_on_termination: bool,
}

impl NetworkInterface {
    /// The primary private IPv4 address.
    pub fn primary_ipv4(&self) -> Option<Ipv4Addr> {
        self.ipv4.first().copied()
    }
}

/// The parent of a network interface is its VPC.
impl Resource for NetworkInterface {
    const KIND: &'static str = "network-interface";
    fn id(&self) -> &str {
        self.id.as_str()
    }
    fn parent(&self) -> Option<&str> {
        Some(self.vpc.as_str())
    }
    const INDEX: Index = Index {
        id: "network-interface-id",
        parent: "vpc-id",
        keys: &[
            "addresses.private-ip-address",
            "private-ip-address",
            "ipv6-addresses.ipv6-address",
            "mac-address",
            "attachment.instance-id",
            "group-id",
            "subnet-id",
            "attachment.status",
        ],
    };
    fn keys(&self) -> Vec<(&'static str, String)> {
        let mut keys = vec![("subnet-id", self.subnet.to_string()), ("mac-address", self.mac.clone())];
        keys.extend(self.primary_ipv4().map(|address| ("private-ip-address", address.to_string())));
        keys.extend(self.ipv4.iter().map(|address| ("addresses.private-ip-address", address.to_string())));
        keys.extend(self.ipv6.iter().map(|address| ("ipv6-addresses.ipv6-address", address.to_string())));
        keys.extend(self.groups.iter().map(|group| ("group-id", group.to_string())));
        if let Some(attached) = &self.attached {
            keys.push(("attachment.instance-id", attached.instance.to_string()));
            keys.push(("attachment.status", "attached".to_owned()));
        }
        keys
    }
}

/// What callers get who name an interface that is not there.
pub const FAULTS: IdFaults = IdFaults {
    prefix: EniId::PREFIX,
    noun: "networkInterface ID",
    malformed: "InvalidNetworkInterfaceId.Malformed",
    not_found: "InvalidNetworkInterfaceID.NotFound",
};

/// What CreateNetworkInterface is asked for.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CreateNetworkInterface {
    pub subnet_id: String,
    pub description: Option<String>,
    /// The VPC's default group if empty.
    pub groups: Vec<String>,
    pub private_ip_address: Option<String>,
    pub private_ip_addresses: Vec<PrivateIpAddress>,
    pub secondary_private_ip_address_count: Option<i64>,
    pub ipv6_addresses: Vec<String>,
    pub ipv6_address_count: Option<i64>,
    pub interface_type: Option<String>,
    #[serde(skip)]
    pub client_token: Option<String>,
    /// The unique id of the caller.
    #[serde(skip)]
    pub requester: Option<String>,
    pub tags: Vec<(String, String)>,
}

/// An address that a caller asks for.
#[derive(Debug, Clone, Default, Serialize)]
pub struct PrivateIpAddress {
    pub address: String,
    pub primary: bool,
}

/// Makes a network interface.
///
/// Errors: `InvalidSubnetID.NotFound`, `InvalidGroup.NotFound`,
/// `SecurityGroupsPerInterfaceLimitExceeded`, `PrivateIpAddressLimitExceeded`,
/// `InvalidParameterValue`, `InvalidParameterCombination`,
/// `InvalidIPAddress.InUse`, `InsufficientFreeAddressesInSubnet`.
pub fn create(cx: Cx<'_>, request: &CreateNetworkInterface) -> Result<NetworkInterface> {
    region::ensure(cx)?;
    client_token::once(cx, "CreateNetworkInterface", request.client_token.as_deref(), request, || {
        let subnet: Subnet = subnet::FAULTS.find(cx, &request.subnet_id)?;
        let groups: Vec<&str> = request.groups.iter().map(String::as_str).collect();
        let mut taken = address_pool::of(cx, &subnet.id)?;
        let interface = NetworkInterface {
            id: EniId::from_random(random::bits()?),
            groups: groups_of(cx, &subnet.vpc, &groups)?,
            ipv4: ipv4_addresses(&subnet, request, &mut taken)?,
            ipv6: ipv6_addresses(&subnet, request, &mut taken)?,
            vpc: subnet.vpc,
            subnet: subnet.id,
            az: subnet.az,
            az_id: subnet.az_id,
            description: request.description.clone().unwrap_or_default(),
            mac: random_mac()?,
            source_dest_check: true,
            interface_type: interface_type(request.interface_type.as_deref())?,
            attached: None,
            requester: request.requester.clone(),
            created: cx.now,
        };
        interface_index::put(cx, &interface)?;
        tags::set(cx, interface.id.as_str(), &request.tags)?;
        Ok(interface)
    })
}

/// Makes an interface with addresses that its host has already, whether the
/// subnet has them for interfaces or not; with the VPC's default group.
///
/// Errors: `InvalidIPAddress.InUse` if another interface of the subnet has one.
pub fn create_as_it_is(
    cx: Cx<'_>,
    subnet: Subnet,
    description: String,
    ipv4: Vec<Ipv4Addr>,
    ipv6: Vec<Ipv6Addr>,
) -> Result<NetworkInterface> {
    let taken = address_pool::of(cx, &subnet.id)?;
    if let Some(address) = ipv4.iter().find(|address| taken.contains(**address)) {
        return Err(ControlError::fault("InvalidIPAddress.InUse", format!("Address {address} is in use.")));
    }
    let interface = NetworkInterface {
        id: EniId::from_random(random::bits()?),
        groups: groups_of(cx, &subnet.vpc, &[])?,
        ipv4,
        ipv6,
        vpc: subnet.vpc,
        subnet: subnet.id,
        az: subnet.az,
        az_id: subnet.az_id,
        description,
        mac: random_mac()?,
        source_dest_check: true,
        interface_type: interface_type(None)?,
        attached: None,
        requester: None,
        created: cx.now,
    };
    interface_index::put(cx, &interface)?;
    Ok(interface)
}

/// The groups with these ids, each once; the VPC's default group for none.
fn groups_of(cx: Cx<'_>, vpc: &VpcId, ids: &[&str]) -> Result<Vec<SecurityGroupId>> {
    let members: Vec<SecurityGroup> = cx.tx.list_in(cx.scope, vpc.as_str())?;
    if ids.is_empty() {
        return Ok(members.into_iter().filter(SecurityGroup::is_default).map(|group| group.id).collect());
    }
    let mut groups: Vec<SecurityGroupId> = Vec::new();
    for id in ids {
        let group = members.iter().find(|group| group.id.as_str() == *id).ok_or_else(|| {
            let message = format!("The security group '{id}' does not exist in VPC '{vpc}'");
            ControlError::fault("InvalidGroup.NotFound", message)
        })?;
        if !groups.contains(&group.id) {
            groups.push(group.id.clone());
        }
    }
    if groups.len() > GROUPS_LIMIT {
        let message =
            format!("The maximum number of security groups per interface ({GROUPS_LIMIT}) has been reached.");
        return Err(ControlError::fault("SecurityGroupsPerInterfaceLimitExceeded", message));
    }
    Ok(groups)
}

/// The primary address and then the secondary ones.
fn ipv4_addresses(
    subnet: &Subnet,
    request: &CreateNetworkInterface,
    taken: &mut AddressSet,
) -> Result<Vec<Ipv4Addr>> {
    let given = &request.private_ip_addresses;
    let mut primaries = given.iter().filter(|one| one.primary).map(|one| &one.address);
    let listed_primary = primaries.next();
    let named_primary = request.private_ip_address.as_ref();
    if primaries.next().is_some()
        || named_primary.zip(listed_primary).is_some_and(|(named, listed)| named != listed)
    {
        return Err(ControlError::fault(
            "InvalidParameterCombination",
            "Only one primary private IP address can be specified.",
        ));
    }
    let count = count(request.secondary_private_ip_address_count, "secondaryPrivateIpAddressCount")?;
    if count > 0 && given.len() > 1 {
        return Err(ControlError::fault(
            "InvalidParameterCombination",
            "secondaryPrivateIpAddressCount cannot be used with more than one private IP address.",
        ));
    }
    // With neither named nor marked as primary, the first listed one is.
    let primary = named_primary.or(listed_primary).or_else(|| given.first().map(|one| &one.address));
    let secondary: Vec<&String> =
        given.iter().map(|one| &one.address).filter(|one| Some(*one) != primary).collect();
    within_limit(1 + secondary.len() + count)?;
    // Those asked for by name come first, so that no picked one takes theirs.
    let named: Vec<Ipv4Addr> = primary
        .into_iter()
        .chain(secondary)
        .map(|text| address::take_ipv4(&subnet.cidr, taken, text))
        .collect::<Result<_>>()?;
    let missing = usize::from(primary.is_none()) + count;
    let picked: Vec<Ipv4Addr> =
        (0..missing).map(|_| address::pick_ipv4(&subnet.cidr, taken)).collect::<Result<_>>()?;
    Ok(named.into_iter().chain(picked).collect())
}

fn ipv6_addresses(
    subnet: &Subnet,
    request: &CreateNetworkInterface,
    taken: &mut AddressSet,
) -> Result<Vec<Ipv6Addr>> {
    let count = count(request.ipv6_address_count, "ipv6AddressCount")?;
    if count > 0 && !request.ipv6_addresses.is_empty() {
        return Err(ControlError::fault(
            "InvalidParameterCombination",
            "The parameters ipv6Addresses and ipv6AddressCount cannot be used together.",
        ));
    }
    // An explicit 0 is not unasked.
    let unasked = request.ipv6_address_count.is_none() && request.ipv6_addresses.is_empty();
    let count = match unasked && subnet.attributes.assign_ipv6_address_on_creation {
        true => 1,
        false => count,
    };
    within_limit(request.ipv6_addresses.len() + count)?;
    if count == 0 && request.ipv6_addresses.is_empty() {
        return Ok(Vec::new());
    }
    let block = ipv6_block(subnet)?;
    let named = request.ipv6_addresses.iter().map(|text| address::take_ipv6(&block, taken, text));
    let mut addresses: Vec<Ipv6Addr> = named.collect::<Result<_>>()?;
    for _ in 0..count {
        addresses.push(address::pick_ipv6(&block, taken)?);
    }
    Ok(addresses)
}

/// The IPv6 block of a subnet that must have one.
pub(crate) fn ipv6_block(subnet: &Subnet) -> Result<Ipv6Net> {
    subnet.ipv6.as_ref().map(|ipv6| ipv6.cidr).ok_or_else(|| {
        let message = format!("The subnet '{}' has no IPv6 CIDR block.", subnet.id);
        ControlError::fault("InvalidParameterValue", message)
    })
}

pub(crate) fn count(given: Option<i64>, parameter: &str) -> Result<usize> {
    let given = given.unwrap_or(0);
    usize::try_from(given).map_err(|_| {
        let message = format!("Value ({given}) for parameter {parameter} is invalid.");
        ControlError::fault("InvalidParameterValue", message)
    })
}

pub(crate) fn within_limit(addresses: usize) -> Result<()> {
    if addresses > ADDRESSES_LIMIT {
        let message = format!(
            "The maximum number of addresses per network interface ({ADDRESSES_LIMIT}) was exceeded."
        );
        return Err(ControlError::fault("PrivateIpAddressLimitExceeded", message));
    }
    Ok(())
}

fn interface_type(given: Option<&str>) -> Result<String> {
    let given = given.unwrap_or("interface");
    if !["interface", "efa", "efa-only", "branch", "trunk"].contains(&given) {
        let message = format!("Value ({given}) for parameter interfaceType is invalid.");
        return Err(ControlError::fault("InvalidParameterValue", message));
    }
    Ok(given.to_owned())
}

/// A locally administered unicast address. Source: IEEE 802, section 8.2.2.
fn random_mac() -> Result<String> {
    let [a, b, c, d, e, ..] = random::bits()?.to_le_bytes();
    Ok(format!("02:{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}"))
}

/// What ModifyNetworkInterfaceAttribute changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribute {
    Description(String),
    /// The whole new list.
    Groups(Vec<String>),
    SourceDestCheck(bool),
    /// Of the attachment with this id.
    DeleteOnTermination(String, bool),
}

/// Changes one attribute.
///
/// Errors: `InvalidNetworkInterfaceID.NotFound`, `InvalidGroup.NotFound`,
/// `SecurityGroupsPerInterfaceLimitExceeded`, `InvalidAttachmentID.NotFound`,
/// `InvalidParameterValue` for an empty list of groups.
pub fn modify(cx: Cx<'_>, id: &str, attribute: &Attribute) -> Result<()> {
    region::ensure(cx)?;
    let mut interface: NetworkInterface = FAULTS.find(cx, id)?;
    match attribute {
        Attribute::Description(text) => interface.description.clone_from(text),
        Attribute::SourceDestCheck(check) => interface.source_dest_check = *check,
        Attribute::DeleteOnTermination(attachment, delete) => match &mut interface.attached {
            Some(attached) if attachment::id_of(&interface.id) == *attachment => {
                attached.delete_on_termination = *delete;
            }
            _ => return Err(attachment::unknown(attachment)),
        },
        Attribute::Groups(ids) if ids.is_empty() => {
            let message = "A network interface needs at least one security group.";
            return Err(ControlError::fault("InvalidParameterValue", message));
        }
        Attribute::Groups(ids) => {
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            interface.groups = groups_of(cx, &interface.vpc, &ids)?;
        }
    }
    interface_index::put(cx, &interface)
}

/// Removes an interface with its flow logs.
///
/// Errors: `InvalidNetworkInterfaceID.NotFound`; `InvalidParameterValue` while
/// it is attached.
pub fn delete(cx: Cx<'_>, id: &str) -> Result<()> {
    region::ensure(cx)?;
    let interface: NetworkInterface = FAULTS.find(cx, id)?;
    if interface.attached.is_some() {
        let message = format!("Network interface '{id}' is currently in use.");
        return Err(ControlError::fault("InvalidParameterValue", message));
    }
    flow_log::resource_deleted(cx, id)?;
    interface_index::delete(cx, &interface)
}
