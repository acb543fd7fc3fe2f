//! The IPv6 block of a subnet: it comes, and goes again while no interface has
//! an address of it.
//!
//! Source: EC2 API, `AssociateSubnetCidrBlock`, `DisassociateSubnetCidrBlock`.

use crate::error::{ControlError, Result};
use crate::interface_index::{self, Key};
use crate::state::Cx;
use crate::subnet::{self, FAULTS, Subnet, SubnetIpv6};
use crate::vpc::{self, Vpc};
use crate::{random, region};
use weir_types::id::{SubnetCidrAssociationId, SubnetId};

/// Gives a subnet an IPv6 block; of its VPC's, unless `takes_any`, as emulators
/// do.
///
/// Errors: `InvalidSubnetID.NotFound`, `InvalidParameterValue`,
/// `InvalidSubnet.Range`, `InvalidSubnet.Conflict`, `CidrLimitExceeded`.
pub fn associate(cx: Cx<'_>, id: &str, block: &str, takes_any: bool) -> Result<SubnetIpv6> {
    region::ensure(cx)?;
    let mut subnet: Subnet = FAULTS.find(cx, id)?;
    let vpc: Vpc = vpc::FAULTS.find(cx, subnet.vpc.as_str())?;
    let cidr = subnet::ipv6_block(&vpc, block, takes_any)?;
    if subnet.ipv6.is_some() {
        let message = format!("The subnet '{id}' has met its maximum number of allowed IPv6 CIDRs: 1");
        return Err(ControlError::fault("CidrLimitExceeded", message));
    }
    subnet::no_overlap_ipv6(&cx.tx.list_in::<Subnet>(cx.scope, vpc.id.as_str())?, &cidr)?;
    let ipv6 = SubnetIpv6 { cidr, association: SubnetCidrAssociationId::from_random(random::bits()?) };
    subnet.ipv6 = Some(ipv6.clone());
    cx.tx.put(cx.scope, &subnet)?;
    Ok(ipv6)
}

/// Takes the IPv6 block from its subnet. What needs one is off from then on.
///
/// Errors: `InvalidSubnetCidrBlockAssociationID.NotFound`; `DependencyViolation`
/// while interfaces have addresses of it.
pub fn disassociate(cx: Cx<'_>, association: &str) -> Result<(SubnetId, SubnetIpv6)> {
    region::ensure(cx)?;
    for mut subnet in cx.tx.list::<Subnet>(cx.scope)? {
        let Some(ipv6) = subnet.ipv6.take_if(|ipv6| ipv6.association.as_str() == association) else {
            continue;
        };
        let interfaces = interface_index::find(cx, Key::Subnet(&subnet.id))?;
        if let Some(interface) = interfaces.iter().find(|interface| !interface.ipv6.is_empty()) {
            let message = format!(
                "The subnet CIDR block with association ID {association} has dependencies and cannot be \
                 disassociated: {} has IPv6 addresses",
                interface.id
            );
            return Err(ControlError::fault("DependencyViolation", message));
        }
        subnet.attributes.assign_ipv6_address_on_creation = false;
        subnet.attributes.enable_dns64 = false;
        cx.tx.put(cx.scope, &subnet)?;
        return Ok((subnet.id, ipv6));
    }
    let message = format!("The subnet CIDR block with association ID '{association}' does not exist");
    Err(ControlError::fault("InvalidSubnetCidrBlockAssociationID.NotFound", message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security_group::find;
    use crate::test_world::{World, interface, subnet, text, vpc};

    #[test]
    fn a_block_comes_once_and_goes_unused() {
        World::new()
            .run(|cx| {
                let vpc = vpc(cx, false, "2001:db8:0:100::/56")?;
                let near = subnet(cx, &vpc, "10.0.1.0/24", "")?;
                subnet(cx, &vpc, "10.0.2.0/24", "2001:db8:0:102::/64")?;
                let (id, whole) = (near.id.as_str(), "2001:db8:0:101::/64");
                for (block, takes_any, expected) in [
                    ("2001:db8:0:102::/64", false, "InvalidSubnet.Conflict"),
                    ("2001:db8:0:200::/64", false, "InvalidSubnet.Range"),
                    ("10.0.3.0/24", false, "InvalidParameterValue"),
                    (whole, false, "ok"),
                    ("2001:db8:0:103::/64", false, "CidrLimitExceeded"),
                ] {
                    let outcome = text(associate(cx, id, block, takes_any));
                    assert!(outcome.starts_with(expected), "{block}: {outcome}");
                }
                let made: Subnet = FAULTS.find(cx, id)?;
                let association = made.ipv6.clone().unwrap().association;
                let group = find::by_name(cx, &vpc.id, "default")?.id;
                let user = interface(cx, &near, &[&group], &["10.0.1.4", "2001:db8:0:101::4"])?;
                let busy = text(disassociate(cx, association.as_str()));
                assert!(busy.starts_with("DependencyViolation"), "{busy}");
                interface_index::delete(cx, &user)?;
                assert_eq!(disassociate(cx, association.as_str())?.0, near.id);
                let gone = text(disassociate(cx, association.as_str()));
                assert!(gone.starts_with("InvalidSubnetCidrBlockAssociationID.NotFound"), "{gone}");
                assert_eq!(text(associate(cx, id, "2001:db8:0:200::/64", true)), "ok");
                Ok(())
            })
            .unwrap();
    }
}
