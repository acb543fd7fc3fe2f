//! VPCs: creation, description, deletion.
//!
//! Source: EC2 API, `CreateVpc`, `DescribeVpcs`, `DeleteVpc`; VPC user guide,
//! "VPC CIDR blocks".

use crate::state::Resource;
use serde::{Deserialize, Serialize};
use weir_types::id::{DhcpOptionsId, VpcCidrAssociationId, VpcId};
use weir_types::net::{Ipv4Net, Ipv6Net};

/// A virtual private cloud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vpc {
    pub id: VpcId,
    /// The primary IPv4 block, /16 to /28.
    pub cidr: Ipv4Net,
    pub cidr_association: VpcCidrAssociationId,
    pub ipv6: Option<VpcIpv6>,
    pub dhcp_options: DhcpOptionsId,
    /// `default` or `dedicated`; kept, of no effect.
    pub instance_tenancy: String,
    pub is_default: bool,
}

/// The IPv6 block of a VPC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VpcIpv6 {
    pub cidr: Ipv6Net,
    pub association: VpcCidrAssociationId,
}

impl Resource for Vpc {
    const KIND: &'static str = "vpc";
    fn id(&self) -> &str {
        self.id.as_str()
    }
}
