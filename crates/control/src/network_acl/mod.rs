//! Network ACLs: creation, deletion, and which subnets have which.
//!
//! An ACL holds its entries; an association of an ACL with a subnet is a
//! resource of its own, found by the subnet.
//!
//! Invariants: each VPC has one default ACL, which lives as long as the VPC;
//! each subnet has exactly one association.
//!
//! Source: EC2 API, `CreateNetworkAcl` and its relatives; VPC user guide,
//! "Control subnet traffic with network access control lists".

use crate::error::{ControlError, Result};
use crate::random;
use crate::state::{Cx, Resource};
use crate::subnet::Subnet;
use crate::vpc::Vpc;
use serde::{Deserialize, Serialize};
use weir_types::id::{NetworkAclAssociationId, NetworkAclId, SubnetId, VpcId};
use weir_types::net::{Direction, IpNet, Ipv4Net, Ipv6Net};
use weir_types::rule::{AclRule, Match};

/// A network ACL. The last rule, which denies what no other matched, is not
/// kept: every ACL has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkAcl {
    pub id: NetworkAclId,
    pub vpc: VpcId,
    pub is_default: bool,
    /// Ingress before egress, by number; the number is unique in its direction.
    pub entries: Vec<AclRule>,
}

/// The parent of an ACL is its VPC.
impl Resource for NetworkAcl {
    const KIND: &'static str = "network-acl";
    fn id(&self) -> &str {
        self.id.as_str()
    }
    fn parent(&self) -> Option<&str> {
        Some(self.vpc.as_str())
    }
}

/// That a subnet has an ACL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Association {
    pub id: NetworkAclAssociationId,
    pub acl: NetworkAclId,
    pub subnet: SubnetId,
}

/// The parent of an association is its subnet.
impl Resource for Association {
    const KIND: &'static str = "network-acl-association";
    fn id(&self) -> &str {
        self.id.as_str()
    }
    fn parent(&self) -> Option<&str> {
        Some(self.subnet.as_str())
    }
}

/// Makes the default ACL of a new VPC: rule 100, and 101 for IPv6, allow
/// everything both ways.
pub fn create_default(cx: Cx<'_>, vpc: &Vpc) -> Result<NetworkAcl> {
    let mut entries = Vec::new();
    for direction in Direction::BOTH {
        let allow = |number, peer| AclRule { number, direction, matches: Match::All, peer, allow: true };
        entries.push(allow(100, IpNet::V4(Ipv4Net::default())));
        if vpc.ipv6.is_some() {
            entries.push(allow(101, IpNet::V6(Ipv6Net::default())));
        }
    }
    let id = NetworkAclId::from_random(random::bits()?);
    let acl = NetworkAcl { id, vpc: vpc.id.clone(), is_default: true, entries };
    cx.tx.put(cx.scope, &acl)?;
    Ok(acl)
}

/// Gives a new subnet its VPC's default ACL.
pub fn associate_default(cx: Cx<'_>, subnet: &Subnet) -> Result<()> {
    let acls: Vec<NetworkAcl> = cx.tx.list_in(cx.scope, subnet.vpc.as_str())?;
    let acl = acls.into_iter().find(|acl| acl.is_default).ok_or_else(|| {
        ControlError::fault("InternalError", format!("the VPC {} has no default network ACL", subnet.vpc))
    })?;
    let id = NetworkAclAssociationId::from_random(random::bits()?);
    cx.tx.put(cx.scope, &Association { id, acl: acl.id, subnet: subnet.id.clone() })
}

/// Removes the association of a subnet that goes.
pub fn subnet_deleted(cx: Cx<'_>, subnet: &Subnet) -> Result<()> {
    for association in cx.tx.list_in::<Association>(cx.scope, subnet.id.as_str())? {
        cx.tx.delete::<Association>(cx.scope, association.id.as_str())?;
    }
    Ok(())
}

/// Removes the default ACL of a VPC that goes. Its subnets are gone.
///
/// Errors: `DependencyViolation` if the VPC has other ACLs.
pub fn vpc_deleted(cx: Cx<'_>, vpc: &Vpc) -> Result<()> {
    let acls: Vec<NetworkAcl> = cx.tx.list_in(cx.scope, vpc.id.as_str())?;
    if acls.iter().any(|acl| !acl.is_default) {
        return Err(ControlError::fault(
            "DependencyViolation",
            format!("The vpc '{}' has dependencies and cannot be deleted.", vpc.id),
        ));
    }
    for acl in &acls {
        cx.tx.delete::<NetworkAcl>(cx.scope, acl.id.as_str())?;
    }
    Ok(())
}
