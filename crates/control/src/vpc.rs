//! VPCs: creation, description, attributes, deletion.
//!
//! Source: EC2 API, `CreateVpc`, `DescribeVpcs`, `ModifyVpcAttribute`, `DeleteVpc`; VPC user guide,
//! "VPC CIDR blocks".

use crate::cidr;
use crate::error::{ControlError, Result};
use crate::flow_log;
use crate::lookup::IdFaults;
use crate::region::{self, Region};
use crate::state::{Cx, Index, Resource};
use crate::subnet::{self, Subnet};
use crate::{network_acl, random, security_group, tags};
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use weir_types::id::{DhcpOptionsId, VpcCidrAssociationId, VpcId};
use weir_types::net::{IpNet, Ipv4Net, Ipv6Net};

/// A virtual private cloud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vpc {
    pub id: VpcId,
    /// The primary IPv4 block, /16 to /28.
    pub cidr: Ipv4Net,
    pub cidr_association: VpcCidrAssociationId,
    /// Further IPv4 blocks, in the order in which they came.
    #[serde(default)]
    pub secondary: Vec<VpcIpv4>,
    #[serde(default, deserialize_with = "none_one_or_many")]
    pub ipv6: Vec<VpcIpv6>,
    pub dhcp_options: DhcpOptionsId,
    /// `default` or `dedicated`; kept, of no effect.
    pub instance_tenancy: String,
    pub is_default: bool,
    #[serde(default)]
    pub attributes: VpcAttributes,
}

/// What ModifyVpcAttribute changes: kept, of no effect, since Weir has no DNS
/// and no metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VpcAttributes {
    /// True in a new VPC.
    pub enable_dns_support: bool,
    /// True in a default VPC.
    pub enable_dns_hostnames: bool,
    pub enable_network_address_usage_metrics: bool,
}

/// Those of a VPC that is not a default one.
impl Default for VpcAttributes {
    fn default() -> Self {
        Self {
            enable_dns_support: true,
            enable_dns_hostnames: false,
            enable_network_address_usage_metrics: false,
        }
    }
}

/// A secondary IPv4 block of a VPC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VpcIpv4 {
    pub cidr: Ipv4Net,
    pub association: VpcCidrAssociationId,
}

/// An IPv6 block of a VPC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VpcIpv6 {
    pub cidr: Ipv6Net,
    pub association: VpcCidrAssociationId,
    /// Picked by Weir, not the caller's own.
    #[serde(default)]
    pub provided: bool,
}

/// A VPC at rest once had at most one IPv6 block, which stood there unlisted.
fn none_one_or_many<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> std::result::Result<Vec<VpcIpv6>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Shape {
        Many(Vec<VpcIpv6>),
        One(Option<VpcIpv6>),
    }
    Ok(match Shape::deserialize(from)? {
        Shape::Many(all) => all,
        Shape::One(one) => one.into_iter().collect(),
    })
}

impl Vpc {
    /// Its blocks, IPv4 first.
    pub fn cidrs(&self) -> Vec<IpNet> {
        let ipv4 = self.ipv4().map(|(cidr, _)| IpNet::V4(cidr));
        ipv4.chain(self.ipv6.iter().map(|ipv6| IpNet::V6(ipv6.cidr))).collect()
    }

    /// Its IPv4 blocks with the ids of their associations, the primary one first.
    pub fn ipv4(&self) -> impl Iterator<Item = (Ipv4Net, &VpcCidrAssociationId)> {
        let secondary = self.secondary.iter().map(|block| (block.cidr, &block.association));
        std::iter::once((self.cidr, &self.cidr_association)).chain(secondary)
    }
}

impl Resource for Vpc {
    const KIND: &'static str = "vpc";
    fn id(&self) -> &str {
        self.id.as_str()
    }
    const INDEX: Index = Index { id: "vpc-id", parent: "", keys: &[] };
}

/// What callers get who name a VPC that is not there.
pub const FAULTS: IdFaults = IdFaults {
    prefix: VpcId::PREFIX,
    noun: "vpc ID",
    malformed: "InvalidVpcID.Malformed",
    not_found: "InvalidVpcID.NotFound",
};

/// What CreateVpc is asked for.
#[derive(Debug, Clone, Default)]
pub struct CreateVpc {
    pub cidr_block: Option<String>,
    /// A block of the caller's own.
    pub ipv6_cidr_block: Option<String>,
    /// A /56 that Weir picks from the unique local addresses.
    pub amazon_provided_ipv6_cidr_block: bool,
    pub instance_tenancy: Option<String>,
    pub tags: Vec<(String, String)>,
}

/// Makes a VPC with its default security group and network ACL.
///
/// Errors: `MissingParameter`, `InvalidParameterValue`, `InvalidVpc.Range`,
/// `InvalidParameterCombination`.
pub fn create(cx: Cx<'_>, request: &CreateVpc) -> Result<Vpc> {
    let region = region::ensure(cx)?;
    let block = request.cidr_block.as_deref().ok_or_else(|| {
        let message = "Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided.";
        ControlError::fault("MissingParameter", message)
    })?;
    let block = cidr::ipv4(block, "InvalidVpc.Range")?;
    let ipv6 = ipv6_asked(request.ipv6_cidr_block.as_deref(), request.amazon_provided_ipv6_cidr_block)?;
    let tenancy = request.instance_tenancy.as_deref().unwrap_or("default");
    if !["default", "dedicated"].contains(&tenancy) {
        let message = format!("Value ({tenancy}) for parameter instanceTenancy is invalid.");
        return Err(ControlError::fault("InvalidParameterValue", message));
    }
    let vpc = Vpc { instance_tenancy: tenancy.to_owned(), ..plain(&region, block, ipv6)? };
    put_new(cx, &vpc)?;
    tags::set(cx, vpc.id.as_str(), &request.tags)?;
    Ok(vpc)
}

/// The IPv6 block that a request asks for.
///
/// Errors: `InvalidParameterValue`, `InvalidVpc.Range`, `InvalidParameterCombination`.
pub(crate) fn ipv6_asked(own: Option<&str>, provided: bool) -> Result<Option<VpcIpv6>> {
    let cidr = match (own, provided) {
        (None, false) => return Ok(None),
        (None, true) => unique_local_block()?,
        (Some(block), false) => cidr::ipv6(block, "InvalidVpc.Range")?,
        (Some(_), true) => {
            let message =
                "The parameters Ipv6CidrBlock and AmazonProvidedIpv6CidrBlock cannot be used together";
            return Err(ControlError::fault("InvalidParameterCombination", message));
        }
    };
    let association = VpcCidrAssociationId::from_random(random::bits()?);
    Ok(Some(VpcIpv6 { cidr, association, provided }))
}

/// The default VPC again, after it was deleted.
///
/// Errors: `DefaultVpcAlreadyExists`.
pub fn create_default_again(cx: Cx<'_>) -> Result<Vpc> {
    let region = region::ensure(cx)?;
    if default(cx)?.is_some() {
        let message = "A Default VPC already exists for this account in this region.";
        return Err(ControlError::fault("DefaultVpcAlreadyExists", message));
    }
    create_default(cx, &region)
}

/// The default VPC of the region, if it was not deleted.
pub fn default(cx: Cx<'_>) -> Result<Option<Vpc>> {
    Ok(cx.tx.list::<Vpc>(cx.scope)?.into_iter().find(|vpc| vpc.is_default))
}

/// The default VPC of a region that is touched for the first time: 172.31.0.0/16
/// with a /20 in each zone.
pub(crate) fn create_default(cx: Cx<'_>, region: &Region) -> Result<Vpc> {
    let attributes = VpcAttributes { enable_dns_hostnames: true, ..VpcAttributes::default() };
    let block = cidr::ipv4("172.31.0.0/16", "InvalidVpc.Range")?;
    let vpc = Vpc { is_default: true, attributes, ..plain(region, block, None)? };
    put_new(cx, &vpc)?;
    subnet::create_defaults(cx, &vpc)?;
    Ok(vpc)
}

fn plain(region: &Region, cidr: Ipv4Net, ipv6: Option<VpcIpv6>) -> Result<Vpc> {
    Ok(Vpc {
        id: VpcId::from_random(random::bits()?),
        cidr,
        cidr_association: VpcCidrAssociationId::from_random(random::bits()?),
        secondary: Vec::new(),
        ipv6: ipv6.into_iter().collect(),
        dhcp_options: region.dhcp_options.clone(),
        instance_tenancy: "default".to_owned(),
        is_default: false,
        attributes: VpcAttributes::default(),
    })
}

fn put_new(cx: Cx<'_>, vpc: &Vpc) -> Result<()> {
    cx.tx.put(cx.scope, vpc)?;
    security_group::create_default(cx, vpc)?;
    network_acl::create_default(cx, vpc)?;
    Ok(())
}

/// A random /56 of `fd00::/8`. Source: RFC 4193, section 3.2.
fn unique_local_block() -> Result<Ipv6Net> {
    let bits = (0xfd << 120) | (random::bits()? >> 8);
    let block = Ipv6Net::new(bits.into(), 56).map(|block| block.trunc());
    block.map_err(|_| ControlError::fault("InternalError", "no IPv6 block could be made"))
}

/// One attribute of a VPC, as ModifyVpcAttribute sets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    EnableDnsSupport(bool),
    EnableDnsHostnames(bool),
    EnableNetworkAddressUsageMetrics(bool),
}

/// Changes one attribute.
///
/// Errors: `InvalidVpcID.NotFound`.
pub fn modify(cx: Cx<'_>, id: &str, attribute: Attribute) -> Result<()> {
    let mut vpc = find(cx, id)?;
    let attributes = &mut vpc.attributes;
    match attribute {
        Attribute::EnableDnsSupport(on) => attributes.enable_dns_support = on,
        Attribute::EnableDnsHostnames(on) => attributes.enable_dns_hostnames = on,
        Attribute::EnableNetworkAddressUsageMetrics(on) => {
            attributes.enable_network_address_usage_metrics = on;
        }
    }
    cx.tx.put(cx.scope, &vpc)
}

/// Makes the tenancy of a VPC `default`; there is no way back.
///
/// Errors: `InvalidVpcID.NotFound`, `UnsupportedTenancy`.
pub fn modify_tenancy(cx: Cx<'_>, id: &str, tenancy: &str) -> Result<()> {
    let mut vpc = find(cx, id)?;
    if tenancy != "default" {
        let message = format!("The tenancy value {tenancy} is not supported.");
        return Err(ControlError::fault("UnsupportedTenancy", message));
    }
    vpc.instance_tenancy = tenancy.to_owned();
    cx.tx.put(cx.scope, &vpc)
}

/// The VPC with this id.
///
/// Errors: `InvalidVpcID.Malformed`, `InvalidVpcID.NotFound`.
pub fn find(cx: Cx<'_>, id: &str) -> Result<Vpc> {
    region::ensure(cx)?;
    FAULTS.find(cx, id)
}

/// Removes a VPC with its default security group, network ACL and flow logs.
///
/// Errors: `InvalidVpcID.NotFound`; `DependencyViolation` while it has subnets,
/// other security groups or other network ACLs.
pub fn delete(cx: Cx<'_>, id: &str) -> Result<()> {
    region::ensure(cx)?;
    let vpc: Vpc = FAULTS.find(cx, id)?;
    if !cx.tx.list_in::<Subnet>(cx.scope, id)?.is_empty() {
        return Err(has_dependencies(id));
    }
    network_acl::vpc_deleted(cx, &vpc)?;
    security_group::vpc_deleted(cx, &vpc)?;
    flow_log::resource_deleted(cx, id)?;
    cx.tx.delete::<Vpc>(cx.scope, id)?;
    Ok(())
}

pub(crate) fn has_dependencies(vpc: impl Display) -> ControlError {
    let message = format!("The vpc '{vpc}' has dependencies and cannot be deleted.");
    ControlError::fault("DependencyViolation", message)
}
