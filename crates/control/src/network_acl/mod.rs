//! Network ACLs: creation, deletion, and which subnets have which.
//!
//! An ACL holds its entries; an association of an ACL with a subnet is a
//! resource of its own, found by the subnet. What entries may say is in
//! [`entry`].
//!
//! Invariants: each VPC has one default ACL, which lives as long as the VPC;
//! each subnet has exactly one association.
//!
//! Source: EC2 API, `CreateNetworkAcl` and its relatives; VPC user guide,
//! "Control subnet traffic with network access control lists".

pub mod entry;

use crate::error::{ControlError, Result};
use crate::lookup::IdFaults;
use crate::state::{Cx, Resource};
use crate::subnet::Subnet;
use crate::vpc::{self, Vpc};
use crate::{random, tags};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
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
    const INDEX: crate::state::Index =
        crate::state::Index { id: "network-acl-id", parent: "vpc-id", keys: &[] };
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
    let mut numbered = vec![(100, IpNet::V4(Ipv4Net::default()))];
    if !vpc.ipv6.is_empty() {
        numbered.push((101, IpNet::V6(Ipv6Net::default())));
    }
    let entries = allow_all(&numbered);
    let id = NetworkAclId::from_random(random::bits()?);
    let acl = NetworkAcl { id, vpc: vpc.id.clone(), is_default: true, entries };
    cx.tx.put(cx.scope, &acl)?;
    Ok(acl)
}

/// A VPC has got its first IPv6 block: its default ACL, if it is as it was made,
/// allows everything by IPv6 too.
///
/// Source: VPC user guide, "Default network ACL".
pub(crate) fn ipv6_came(cx: Cx<'_>, vpc: &Vpc) -> Result<()> {
    let acls: Vec<NetworkAcl> = cx.tx.list_in(cx.scope, vpc.id.as_str())?;
    for mut acl in acls.into_iter().filter(|acl| acl.is_default) {
        if acl.entries == allow_all(&[(100, IpNet::V4(Ipv4Net::default()))]) {
            acl.entries =
                allow_all(&[(100, IpNet::V4(Ipv4Net::default())), (101, IpNet::V6(Ipv6Net::default()))]);
            cx.tx.put(cx.scope, &acl)?;
        }
    }
    Ok(())
}

/// Rules that allow everything both ways: numbers and blocks.
fn allow_all(numbered: &[(u16, IpNet)]) -> Vec<AclRule> {
    let of = |direction| {
        let allow = move |&(number, peer): &(u16, IpNet)| AclRule {
            number,
            direction,
            matches: Match::All,
            peer,
            allow: true,
        };
        numbered.iter().map(allow)
    };
    Direction::BOTH.into_iter().flat_map(of).collect()
}

/// Unknown and malformed ids of ACLs.
pub const FAULTS: IdFaults = IdFaults {
    prefix: "acl",
    noun: "networkAcl ID",
    malformed: "InvalidNetworkAclId.Malformed",
    not_found: "InvalidNetworkAclID.NotFound",
};

/// Unknown and malformed ids of associations.
pub const ASSOCIATION_FAULTS: IdFaults = IdFaults {
    prefix: "aclassoc",
    noun: "association ID",
    malformed: "InvalidAssociationID.Malformed",
    not_found: "InvalidAssociationID.NotFound",
};

/// The ACL with this id.
///
/// Errors: `InvalidNetworkAclId.Malformed`, `InvalidNetworkAclID.NotFound`.
pub fn by_id(cx: Cx<'_>, id: &str) -> Result<NetworkAcl> {
    FAULTS.find(cx, id)
}

/// Makes an ACL of a VPC, which denies everything.
///
/// Errors: `InvalidVpcID.Malformed`, `InvalidVpcID.NotFound`, those of [`tags::set`].
pub fn create(cx: Cx<'_>, vpc: &str, tags: &[(String, String)]) -> Result<NetworkAcl> {
    let vpc: Vpc = vpc::FAULTS.find(cx, vpc)?;
    let id = NetworkAclId::from_random(random::bits()?);
    let acl = NetworkAcl { id, vpc: vpc.id, is_default: false, entries: Vec::new() };
    cx.tx.put(cx.scope, &acl)?;
    tags::set(cx, acl.id.as_str(), tags)?;
    Ok(acl)
}

/// Removes an ACL.
///
/// Errors: `InvalidParameterValue` for a default ACL, `DependencyViolation`
/// while subnets have it.
pub fn delete(cx: Cx<'_>, acl: &NetworkAcl) -> Result<()> {
    if acl.is_default {
        let message = format!("cannot delete default network ACL {}", acl.id);
        return Err(ControlError::fault("InvalidParameterValue", message));
    }
    if cx.tx.list::<Association>(cx.scope)?.iter().any(|association| association.acl == acl.id) {
        let message = format!("The networkAcl '{}' has dependencies and cannot be deleted.", acl.id);
        return Err(ControlError::fault("DependencyViolation", message));
    }
    cx.tx.delete::<NetworkAcl>(cx.scope, acl.id.as_str())?;
    Ok(())
}

/// Gives a subnet another ACL; answers the id of the new association. Nothing
/// changes if the subnet has that ACL.
///
/// Errors: `InvalidAssociationID.Malformed`, `InvalidAssociationID.NotFound`, `InvalidParameterValue` for an ACL
/// of another VPC.
pub fn replace_association(
    cx: Cx<'_>,
    association: &str,
    acl: &NetworkAcl,
) -> Result<NetworkAclAssociationId> {
    let old: Association = ASSOCIATION_FAULTS.find(cx, association)?;
    if old.acl == acl.id {
        return Ok(old.id);
    }
    let subnet: Option<Subnet> = cx.tx.get(cx.scope, old.subnet.as_str())?;
    if subnet.is_none_or(|subnet| subnet.vpc != acl.vpc) {
        let message = format!("networkAcl {} and subnet {} belong to different networks", acl.id, old.subnet);
        return Err(ControlError::fault("InvalidParameterValue", message));
    }
    cx.tx.delete::<Association>(cx.scope, old.id.as_str())?;
    let id = NetworkAclAssociationId::from_random(random::bits()?);
    cx.tx.put(cx.scope, &Association { id: id.clone(), acl: acl.id.clone(), subnet: old.subnet })?;
    Ok(id)
}

/// Every ACL with its associations, both ordered by id.
pub fn all_with_associations(cx: Cx<'_>) -> Result<Vec<(NetworkAcl, Vec<Association>)>> {
    let mut associations: BTreeMap<NetworkAclId, Vec<Association>> = BTreeMap::new();
    for association in cx.tx.list::<Association>(cx.scope)? {
        associations.entry(association.acl.clone()).or_default().push(association);
    }
    let with_associations = |acl: NetworkAcl| {
        let associations = associations.remove(&acl.id).unwrap_or_default();
        (acl, associations)
    };
    Ok(cx.tx.list::<NetworkAcl>(cx.scope)?.into_iter().map(with_associations).collect())
}

/// The ACL of a subnet.
pub fn of_subnet(cx: Cx<'_>, subnet: &SubnetId) -> Result<Option<NetworkAcl>> {
    match cx.tx.list_in::<Association>(cx.scope, subnet.as_str())?.first() {
        Some(association) => cx.tx.get(cx.scope, association.acl.as_str()),
        None => Ok(None),
    }
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

#[cfg(test)]
mod tests;
