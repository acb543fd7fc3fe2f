//! Subnets: creation, description, deletion.
//!
//! Source: EC2 API, `CreateSubnet`, `DescribeSubnets`, `DeleteSubnet`; VPC user
//! guide, "Subnet CIDR blocks".

use crate::state::Resource;
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
}

/// The IPv6 block of a subnet, a /64.
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
}
