//! Network interfaces: creation, description, attributes, deletion.
//!
//! Source: EC2 API, `CreateNetworkInterface` and its relatives; EC2 user guide,
//! "Elastic network interfaces".

use crate::state::Resource;
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, Ipv6Addr};
use weir_types::id::{EniId, InstanceId, SecurityGroupId, SubnetId, VpcId};
use weir_types::time::UnixMillis;

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
    /// Never empty: the primary address, then the secondary ones.
    pub ipv4: Vec<Ipv4Addr>,
    pub ipv6: Vec<Ipv6Addr>,
    pub source_dest_check: bool,
    /// `interface`, `efa` and so on; kept, of no effect.
    pub interface_type: String,
    pub instance: Option<InstanceId>,
    pub created: UnixMillis,
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
}
