//! Subnets: creation, description, attributes, deletion.
//!
//! Source: EC2 API, `CreateSubnet`, `DescribeSubnets`, `ModifySubnetAttribute`,
//! `DeleteSubnet`; VPC user guide, "Subnet CIDR blocks".

use crate::cidr;
use crate::error::{ControlError, Result};
use crate::flow_log;
use crate::lookup::IdFaults;
use crate::region::{self, Zone};
use crate::state::{Cx, Index, Resource};
use crate::vpc::{self, Vpc};
use crate::{address, address_pool, interface_index, network_acl, random, tags};
use serde::{Deserialize, Serialize};
use weir_types::id::{SubnetCidrAssociationId, SubnetId, VpcId};
use weir_types::net::{Ipv4Net, Ipv6Net};

/// A subnet of a VPC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subnet {
    pub id: SubnetId,
    pub vpc: VpcId,
    /// The IPv4 block, /16 to /28, inside the VPC's.
    pub cidr: Ipv4Net,
    pub ipv6: Option<SubnetIpv6>,
    /// `us-east-1a`
    pub az: String,
    /// `use1-az1`
    pub az_id: String,
    /// The subnet of its zone in the default VPC.
    pub default_for_az: bool,
    /// Kept, of no effect: Weir gives no public addresses.
    pub map_public_ip_on_launch: bool,
    #[serde(default)]
    pub attributes: SubnetAttributes,
}

/// What ModifySubnetAttribute changes besides `MapPublicIpOnLaunch`. All but
/// the first are kept, of no effect, since Weir has no DNS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SubnetAttributes {
    /// A network interface that is made here gets an IPv6 address unasked.
    pub assign_ipv6_address_on_creation: bool,
    pub enable_dns64: bool,
    pub private_dns_hostname_type_on_launch: HostnameType,
    pub enable_resource_name_dns_a_record_on_launch: bool,
    pub enable_resource_name_dns_aaaa_record_on_launch: bool,
}

/// What the host names of instances are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostnameType {
    /// The private IPv4 address.
    #[default]
    IpName,
    /// The instance's id.
    ResourceName,
}

impl HostnameType {
    /// `ip-name`, `resource-name`
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IpName => "ip-name",
            Self::ResourceName => "resource-name",
        }
    }
}

/// The IPv6 block of a subnet, /44 to /64 and inside the VPC's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubnetIpv6 {
    pub cidr: Ipv6Net,
    pub association: SubnetCidrAssociationId,
}

/// The parent of a subnet is its VPC.
impl Resource for Subnet {
    const KIND: &'static str = "subnet";
    fn id(&self) -> &str {
        self.id.as_str()
    }
    fn parent(&self) -> Option<&str> {
        Some(self.vpc.as_str())
    }
    const INDEX: Index = Index { id: "subnet-id", parent: "vpc-id", keys: &[] };
}

/// What callers get who name a subnet that is not there.
pub const FAULTS: IdFaults = IdFaults {
    prefix: SubnetId::PREFIX,
    noun: "subnet ID",
    malformed: "InvalidSubnetID.Malformed",
    not_found: "InvalidSubnetID.NotFound",
};

/// What CreateSubnet is asked for.
#[derive(Debug, Clone, Default)]
pub struct CreateSubnet {
    pub vpc_id: String,
    pub cidr_block: String,
    pub ipv6_cidr_block: Option<String>,
    /// `us-east-1a`; the region's first zone if neither this nor the id is given.
    pub availability_zone: Option<String>,
    /// `use1-az1`
    pub availability_zone_id: Option<String>,
    /// Takes an IPv6 block that the VPC does not have, as emulators do.
    pub takes_any_ipv6: bool,
    pub tags: Vec<(String, String)>,
}

/// Makes a subnet with its VPC's default network ACL.
///
/// Errors: `InvalidVpcID.NotFound`, `InvalidParameterValue` (not a block, no
/// such zone), `InvalidSubnet.Range` (size, or outside the VPC's block),
/// `InvalidSubnet.Conflict` (overlaps another subnet).
pub fn create(cx: Cx<'_>, request: &CreateSubnet) -> Result<Subnet> {
    region::ensure(cx)?;
    let vpc: Vpc = vpc::FAULTS.find(cx, &request.vpc_id)?;
    let block = cidr::ipv4(&request.cidr_block, "InvalidSubnet.Range")?;
    if !vpc.ipv4().any(|(whole, _)| whole.contains(&block)) {
        return Err(cidr::out_of_range(&request.cidr_block, "InvalidSubnet.Range"));
    }
    let ipv6 = request
        .ipv6_cidr_block
        .as_deref()
        .map(|text| ipv6_block(&vpc, text, request.takes_any_ipv6))
        .transpose()?;
    let zone = zone(
        &cx.scope.region,
        request.availability_zone.as_deref(),
        request.availability_zone_id.as_deref(),
    )?;
    let others: Vec<Subnet> = cx.tx.list_in(cx.scope, vpc.id.as_str())?;
    if others.iter().any(|other| cidr::overlap_ipv4(&other.cidr, &block)) {
        return Err(conflict(block));
    }
    if let Some(ours) = &ipv6 {
        no_overlap_ipv6(&others, ours)?;
    }
    let subnet = Subnet {
        id: SubnetId::from_random(random::bits()?),
        vpc: vpc.id,
        cidr: block,
        ipv6: match ipv6 {
            None => None,
            Some(cidr) => {
                let association = SubnetCidrAssociationId::from_random(random::bits()?);
                Some(SubnetIpv6 { cidr, association })
            }
        },
        az: zone.name,
        az_id: zone.id,
        default_for_az: false,
        map_public_ip_on_launch: false,
        attributes: SubnetAttributes::default(),
    };
    put_new(cx, &subnet)?;
    tags::set(cx, subnet.id.as_str(), &request.tags)?;
    Ok(subnet)
}

fn conflict(block: impl std::fmt::Display) -> ControlError {
    let message = format!("The CIDR '{block}' conflicts with another subnet");
    ControlError::fault("InvalidSubnet.Conflict", message)
}

pub(crate) fn no_overlap_ipv6(others: &[Subnet], block: &Ipv6Net) -> Result<()> {
    let mut theirs = others.iter().filter_map(|other| other.ipv6.as_ref());
    match theirs.any(|theirs| cidr::overlap_ipv6(&theirs.cidr, block)) {
        true => Err(conflict(block)),
        false => Ok(()),
    }
}

/// An IPv6 block as a caller wrote it; of the VPC's, unless `takes_any`.
pub(crate) fn ipv6_block(vpc: &Vpc, text: &str, takes_any: bool) -> Result<Ipv6Net> {
    let block = cidr::ipv6(text, "InvalidSubnet.Range")?;
    match takes_any || vpc.ipv6.iter().any(|whole| whole.cidr.contains(&block)) {
        true => Ok(block),
        false => Err(cidr::out_of_range(text, "InvalidSubnet.Range")),
    }
}

/// The zone with this name or id, or both; the region's first for neither.
fn zone(region: &str, name: Option<&str>, id: Option<&str>) -> Result<Zone> {
    let zones = region::zones(region);
    let names: Vec<String> = zones.iter().map(|zone| zone.name.clone()).collect();
    let (parameter, wanted) = match (name, id) {
        (Some(name), _) => ("availabilityZone", name),
        (None, Some(id)) => ("availabilityZoneId", id),
        (None, None) => ("availabilityZone", names.first().map_or("", String::as_str)),
    };
    let found = zones.into_iter().find(|zone| match parameter {
        "availabilityZone" => zone.name == wanted,
        _ => zone.id == wanted,
    });
    found.filter(|zone| id.is_none_or(|id| id == zone.id)).ok_or_else(|| {
        let message = format!(
            "Value ({wanted}) for parameter {parameter} is invalid. Subnets can currently only be created in \
             the following availability zones: {}.",
            names.join(", ")
        );
        ControlError::fault("InvalidParameterValue", message)
    })
}

/// The subnets of a default VPC: a /20 in each zone.
pub(crate) fn create_defaults(cx: Cx<'_>, vpc: &Vpc) -> Result<()> {
    let blocks = vpc.cidr.subnets(DEFAULT_LENGTH).into_iter().flatten();
    for (zone, cidr) in region::zones(&cx.scope.region).into_iter().zip(blocks) {
        put_new(cx, &default_subnet(vpc, zone, cidr)?)?;
    }
    Ok(())
}

/// The prefix length of default subnets.
const DEFAULT_LENGTH: u8 = 20;

fn default_subnet(vpc: &Vpc, zone: Zone, cidr: Ipv4Net) -> Result<Subnet> {
    Ok(Subnet {
        id: SubnetId::from_random(random::bits()?),
        vpc: vpc.id.clone(),
        cidr,
        ipv6: None,
        az: zone.name,
        az_id: zone.id,
        default_for_az: true,
        map_public_ip_on_launch: true,
        attributes: SubnetAttributes::default(),
    })
}

/// The default subnet of a zone again, after it was deleted: the lowest /20 of
/// the default VPC that is free.
///
/// Errors: `MissingParameter`, `InvalidParameterValue`, `DefaultVpcDoesNotExist`,
/// `DefaultSubnetAlreadyExistsInAvailabilityZone`, `InsufficientCidrBlocks`.
pub fn create_default_again(cx: Cx<'_>, name: Option<&str>, id: Option<&str>) -> Result<Subnet> {
    region::ensure(cx)?;
    if name.is_none() && id.is_none() {
        let message = "Either 'availabilityZone' or 'availabilityZoneId' should be provided.";
        return Err(ControlError::fault("MissingParameter", message));
    }
    let zone = zone(&cx.scope.region, name, id)?;
    let vpc = vpc::default(cx)?.ok_or_else(|| {
        let message = "No default VPC exists for this account in this region.";
        ControlError::fault("DefaultVpcDoesNotExist", message)
    })?;
    let others: Vec<Subnet> = cx.tx.list_in(cx.scope, vpc.id.as_str())?;
    if let Some(there) = others.iter().find(|other| other.default_for_az && other.az == zone.name) {
        let message = format!("'{}' is already the default subnet in {}.", there.id, zone.name);
        return Err(ControlError::fault("DefaultSubnetAlreadyExistsInAvailabilityZone", message));
    }
    let mut blocks = vpc.cidr.subnets(DEFAULT_LENGTH).into_iter().flatten();
    let free = blocks.find(|block| !others.iter().any(|other| cidr::overlap_ipv4(&other.cidr, block)));
    let block = free.ok_or_else(|| {
        let message = "The default VPC has no free /20 block left.";
        ControlError::fault("InsufficientCidrBlocks", message)
    })?;
    let subnet = default_subnet(&vpc, zone, block)?;
    put_new(cx, &subnet)?;
    Ok(subnet)
}

fn put_new(cx: Cx<'_>, subnet: &Subnet) -> Result<()> {
    cx.tx.put(cx.scope, subnet)?;
    network_acl::associate_default(cx, subnet)
}

/// How many IPv4 addresses the interfaces of a subnet have.
pub fn used_addresses(cx: Cx<'_>, subnet: &Subnet) -> Result<usize> {
    Ok(address_pool::of(cx, &subnet.id)?.ipv4_count())
}

/// How many IPv4 addresses are left in a subnet of which `used` are taken.
pub fn available_addresses(subnet: &Subnet, used: usize) -> u32 {
    address::capacity(&subnet.cidr).saturating_sub(u32::try_from(used).unwrap_or(u32::MAX))
}

/// One attribute of a subnet, as ModifySubnetAttribute sets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    MapPublicIpOnLaunch(bool),
    AssignIpv6AddressOnCreation(bool),
    EnableDns64(bool),
    PrivateDnsHostnameTypeOnLaunch(HostnameType),
    EnableResourceNameDnsARecordOnLaunch(bool),
    EnableResourceNameDnsAaaaRecordOnLaunch(bool),
}

/// Changes one attribute.
///
/// Errors: `InvalidSubnetID.NotFound`; `InvalidParameterValue` for what needs
/// an IPv6 block in a subnet without.
pub fn modify(cx: Cx<'_>, id: &str, attribute: Attribute) -> Result<()> {
    region::ensure(cx)?;
    let mut subnet: Subnet = FAULTS.find(cx, id)?;
    let needs_ipv6 = |parameter: &str| {
        let message =
            format!("Invalid value 'true' for {parameter}. The subnet '{id}' has no IPv6 CIDR block.");
        Err(ControlError::fault("InvalidParameterValue", message))
    };
    let attributes = &mut subnet.attributes;
    match attribute {
        Attribute::MapPublicIpOnLaunch(on) => subnet.map_public_ip_on_launch = on,
        Attribute::AssignIpv6AddressOnCreation(true) if subnet.ipv6.is_none() => {
            return needs_ipv6("assignIpv6AddressOnCreation");
        }
        Attribute::EnableDns64(true) if subnet.ipv6.is_none() => return needs_ipv6("enableDns64"),
        Attribute::AssignIpv6AddressOnCreation(on) => attributes.assign_ipv6_address_on_creation = on,
        Attribute::EnableDns64(on) => attributes.enable_dns64 = on,
        Attribute::PrivateDnsHostnameTypeOnLaunch(kind) => {
            attributes.private_dns_hostname_type_on_launch = kind;
        }
        Attribute::EnableResourceNameDnsARecordOnLaunch(on) => {
            attributes.enable_resource_name_dns_a_record_on_launch = on;
        }
        Attribute::EnableResourceNameDnsAaaaRecordOnLaunch(on) => {
            attributes.enable_resource_name_dns_aaaa_record_on_launch = on;
        }
    }
    cx.tx.put(cx.scope, &subnet)
}

/// Removes a subnet with its flow logs.
///
/// Errors: `InvalidSubnetID.NotFound`; `DependencyViolation` while it has
/// network interfaces.
pub fn delete(cx: Cx<'_>, id: &str) -> Result<()> {
    region::ensure(cx)?;
    let subnet: Subnet = FAULTS.find(cx, id)?;
    if interface_index::any_in_subnet(cx, &subnet.id)? {
        let message = format!("The subnet '{id}' has dependencies and cannot be deleted.");
        return Err(ControlError::fault("DependencyViolation", message));
    }
    network_acl::subnet_deleted(cx, &subnet)?;
    address_pool::subnet_deleted(cx, &subnet.id)?;
    flow_log::resource_deleted(cx, id)?;
    cx.tx.delete::<Subnet>(cx.scope, id)?;
    Ok(())
}
