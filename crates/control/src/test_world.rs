//! A small account for tests: VPCs, subnets and interfaces without the rules
//! of their creation.

use crate::error::{ControlError, Result};
use crate::network_interface::NetworkInterface;
use crate::state::{Cx, Scope, State};
use crate::subnet::{Subnet, SubnetIpv6};
use crate::vpc::{Vpc, VpcIpv6};
use crate::{interface_index, network_acl, random, security_group};
use std::net::IpAddr;
use weir_types::id::{DhcpOptionsId, EniId, SecurityGroupId, SubnetCidrAssociationId, SubnetId};
use weir_types::id::{VpcCidrAssociationId, VpcId};
use weir_types::time::UnixMillis;

pub const ACCOUNT: &str = "123456789012";

/// An empty account.
pub struct World {
    state: State,
    scope: Scope,
}

impl World {
    pub fn new() -> Self {
        Self { state: State::in_memory().unwrap(), scope: Scope::new(ACCOUNT, "us-east-1") }
    }

    /// Runs one transaction.
    pub fn run<T>(&self, action: impl FnOnce(Cx<'_>) -> Result<T>) -> Result<T> {
        // Nobody else writes, so it runs once.
        let action = std::cell::Cell::new(Some(action));
        self.state.transact(|tx| action.take().unwrap()(Cx { tx, scope: &self.scope, now: UnixMillis(0) }))
    }

    /// The code and text of a fault, `ok` otherwise.
    pub fn fault<T>(&self, action: impl FnOnce(Cx<'_>) -> Result<T>) -> String {
        match self.run(action) {
            Ok(_) => "ok".to_owned(),
            Err(error) => error.to_string(),
        }
    }
}

/// A VPC with its default group and ACL. `ipv6` is its block, or empty.
pub fn vpc(cx: Cx<'_>, is_default: bool, ipv6: &str) -> Result<Vpc> {
    let association = || random::bits().map(VpcCidrAssociationId::from_random);
    let ipv6 = match ipv6.parse() {
        Ok(cidr) => vec![VpcIpv6 { cidr, association: association()?, provided: false }],
        Err(_) => Vec::new(),
    };
    let vpc = Vpc {
        id: VpcId::from_random(random::bits()?),
        cidr: "10.0.0.0/16".parse().unwrap(),
        cidr_association: association()?,
        secondary: Vec::new(),
        ipv6,
        dhcp_options: DhcpOptionsId::from_random(random::bits()?),
        instance_tenancy: "default".to_owned(),
        is_default,
        attributes: Default::default(),
    };
    cx.tx.put(cx.scope, &vpc)?;
    security_group::create_default(cx, &vpc)?;
    network_acl::create_default(cx, &vpc)?;
    Ok(vpc)
}

/// A subnet with the default ACL. `ipv6` is its block, or empty.
pub fn subnet(cx: Cx<'_>, vpc: &Vpc, cidr: &str, ipv6: &str) -> Result<Subnet> {
    let association = SubnetCidrAssociationId::from_random(random::bits()?);
    let subnet = Subnet {
        id: SubnetId::from_random(random::bits()?),
        vpc: vpc.id.clone(),
        cidr: cidr.parse().unwrap(),
        ipv6: ipv6.parse().ok().map(|cidr| SubnetIpv6 { cidr, association }),
        az: "us-east-1a".to_owned(),
        az_id: "use1-az1".to_owned(),
        default_for_az: false,
        map_public_ip_on_launch: false,
        attributes: Default::default(),
    };
    cx.tx.put(cx.scope, &subnet)?;
    network_acl::associate_default(cx, &subnet)?;
    Ok(subnet)
}

/// An interface with these groups and addresses.
pub fn interface(
    cx: Cx<'_>,
    subnet: &Subnet,
    groups: &[&SecurityGroupId],
    addresses: &[&str],
) -> Result<NetworkInterface> {
    let (mut ipv4, mut ipv6) = (Vec::new(), Vec::new());
    for address in addresses {
        match address.parse().unwrap() {
            IpAddr::V4(address) => ipv4.push(address),
            IpAddr::V6(address) => ipv6.push(address),
        }
    }
    let interface = NetworkInterface {
        id: EniId::from_random(random::bits()?),
        vpc: subnet.vpc.clone(),
        subnet: subnet.id.clone(),
        az: subnet.az.clone(),
        az_id: subnet.az_id.clone(),
        description: String::new(),
        groups: groups.iter().map(|group| (*group).clone()).collect(),
        mac: "02:00:00:00:00:01".to_owned(),
        ipv4,
        ipv6,
        source_dest_check: true,
        interface_type: "interface".to_owned(),
        attached: None,
        requester: None,
        created: UnixMillis(0),
    };
    interface_index::put(cx, &interface)?;
    Ok(interface)
}

/// The code and text of a fault.
pub fn text<T>(result: Result<T>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(ControlError::Fault { code, message }) => format!("{code}: {message}"),
        Err(other) => panic!("{other}"),
    }
}
