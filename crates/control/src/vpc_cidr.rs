//! Further blocks of VPCs: they come, and go again while no subnet lies in them.
//!
//! Source: EC2 API, `AssociateVpcCidrBlock`, `DisassociateVpcCidrBlock`; VPC
//! user guide, "VPC CIDR blocks", "IPv4 CIDR block association restrictions".

use crate::cidr;
use crate::error::{ControlError, Result};
use crate::state::Cx;
use crate::subnet::Subnet;
use crate::vpc::{self, Vpc, VpcIpv4, VpcIpv6};
use crate::{network_acl, random, security_group};
use weir_types::id::{VpcCidrAssociationId, VpcId};
use weir_types::net::Ipv4Net;

/// Blocks of one family in a VPC. Source: VPC user guide, "Amazon VPC quotas".
const LIMIT: usize = 5;

/// What AssociateVpcCidrBlock is asked for.
#[derive(Debug, Clone, Default)]
pub struct Associate {
    pub vpc_id: String,
    pub cidr_block: Option<String>,
    /// A block of the caller's own.
    pub ipv6_cidr_block: Option<String>,
    /// A /56 that Weir picks.
    pub amazon_provided_ipv6_cidr_block: bool,
}

/// A block that came or went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    V4(VpcIpv4),
    V6(VpcIpv6),
}

/// Gives a VPC another block.
///
/// Errors: `InvalidVpcID.NotFound`, `MissingParameter`,
/// `InvalidParameterCombination`, `InvalidParameterValue`, `InvalidVpc.Range`
/// (size, another private range, an overlap), `CidrLimitExceeded`.
pub fn associate(cx: Cx<'_>, request: &Associate) -> Result<Block> {
    let mut vpc = vpc::find(cx, &request.vpc_id)?;
    let ipv6 = (request.ipv6_cidr_block.as_deref(), request.amazon_provided_ipv6_cidr_block);
    let block = match (&request.cidr_block, vpc::ipv6_asked(ipv6.0, ipv6.1)?) {
        (Some(text), None) => Block::V4(ipv4(&mut vpc, text)?),
        (None, Some(block)) => Block::V6(ipv6_block(cx, &mut vpc, block)?),
        (Some(_), Some(_)) => {
            let message = "The parameters CidrBlock and Ipv6CidrBlock cannot be used together";
            return Err(ControlError::fault("InvalidParameterCombination", message));
        }
        (None, None) => {
            let message = "Either 'cidrBlock' or 'ipv6CidrBlock' should be provided.";
            return Err(ControlError::fault("MissingParameter", message));
        }
    };
    cx.tx.put(cx.scope, &vpc)?;
    Ok(block)
}

fn ipv4(vpc: &mut Vpc, text: &str) -> Result<VpcIpv4> {
    let cidr = cidr::ipv4(text, "InvalidVpc.Range")?;
    within_limit(vpc, vpc.ipv4().count())?;
    if vpc.ipv4().any(|(other, _)| cidr::overlap_ipv4(&other, &cidr)) {
        return Err(conflict(cidr, vpc));
    }
    if is_restricted(vpc, &cidr) {
        let message = format!(
            "The CIDR '{cidr}' is restricted. Use a CIDR from the same private address range as the current \
             VPC CIDR, or use a publicly-routable CIDR. For additional restrictions, see \
             https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Subnets.html#vpc-resize"
        );
        return Err(ControlError::fault("InvalidVpc.Range", message));
    }
    let block = VpcIpv4 { cidr, association: VpcCidrAssociationId::from_random(random::bits()?) };
    vpc.secondary.push(block.clone());
    Ok(block)
}

fn ipv6_block(cx: Cx<'_>, vpc: &mut Vpc, block: VpcIpv6) -> Result<VpcIpv6> {
    within_limit(vpc, vpc.ipv6.len())?;
    if vpc.ipv6.iter().any(|other| cidr::overlap_ipv6(&other.cidr, &block.cidr)) {
        return Err(conflict(block.cidr, vpc));
    }
    vpc.ipv6.push(block.clone());
    if vpc.ipv6.len() == 1 {
        security_group::ipv6_came(cx, vpc)?;
        network_acl::ipv6_came(cx, vpc)?;
    }
    Ok(block)
}

fn within_limit(vpc: &Vpc, blocks: usize) -> Result<()> {
    if blocks < LIMIT {
        return Ok(());
    }
    let message = format!("This network {} has met its maximum number of allowed CIDRs: {LIMIT}", vpc.id);
    Err(ControlError::fault("CidrLimitExceeded", message))
}

fn conflict(block: impl std::fmt::Display, vpc: &Vpc) -> ControlError {
    let message = format!("The CIDR '{block}' conflicts with another CIDR of the vpc '{}'.", vpc.id);
    ControlError::fault("InvalidVpc.Range", message)
}

/// The ranges that AWS's table tells apart.
const RANGES: [&str; 4] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "198.19.0.0/16"];

/// Whether AWS's table of restrictions forbids the block beside the VPC's.
fn is_restricted(vpc: &Vpc, block: &Ipv4Net) -> bool {
    let within = |range: &str, block: &Ipv4Net| {
        range.parse::<Ipv4Net>().is_ok_and(|range| cidr::overlap_ipv4(&range, block))
    };
    let range_of = |block: &Ipv4Net| RANGES.iter().position(|range| within(range, block));
    let (ours, theirs) = (range_of(&vpc.cidr), range_of(block));
    let foreign = theirs.is_some() && theirs != ours;
    let reserved = within("198.19.0.0/16", block)
        || (within("172.31.0.0/16", block) && within("172.16.0.0/12", &vpc.cidr));
    let low = within("10.0.0.0/16", block) && vpc.ipv4().any(|(own, _)| within("10.0.0.0/15", &own));
    foreign || reserved || low
}

/// Takes a block from its VPC. Answers the VPC and the block.
///
/// Errors: `InvalidVpcCidrBlockAssociationID.NotFound`; `OperationNotPermitted`
/// for the primary block; `DependencyViolation` while subnets lie in it.
pub fn disassociate(cx: Cx<'_>, association: &str) -> Result<(VpcId, Block)> {
    crate::region::ensure(cx)?;
    for mut vpc in cx.tx.list::<Vpc>(cx.scope)? {
        if vpc.cidr_association.as_str() == association {
            let message = format!(
                "The vpc CIDR block with association ID {association} may not be disassociated. It is the \
                 primary IPv4 CIDR block of the VPC"
            );
            return Err(ControlError::fault("OperationNotPermitted", message));
        }
        let ipv4 = vpc.secondary.iter().position(|block| block.association.as_str() == association);
        let ipv6 = vpc.ipv6.iter().position(|block| block.association.as_str() == association);
        let block = match (ipv4, ipv6) {
            (Some(place), _) => Block::V4(vpc.secondary.remove(place)),
            (_, Some(place)) => Block::V6(vpc.ipv6.remove(place)),
            (None, None) => continue,
        };
        let uses = |subnet: &Subnet| match &block {
            Block::V4(block) => cidr::overlap_ipv4(&subnet.cidr, &block.cidr),
            Block::V6(block) => {
                subnet.ipv6.as_ref().is_some_and(|ipv6| cidr::overlap_ipv6(&ipv6.cidr, &block.cidr))
            }
        };
        let subnets: Vec<Subnet> = cx.tx.list_in(cx.scope, vpc.id.as_str())?;
        if let Some(subnet) = subnets.iter().find(|subnet| uses(subnet)) {
            let message = format!(
                "The vpc CIDR block with association ID {association} may not be disassociated. It is in use \
                 by {}",
                subnet.id
            );
            return Err(ControlError::fault("DependencyViolation", message));
        }
        cx.tx.put(cx.scope, &vpc)?;
        return Ok((vpc.id, block));
    }
    let message = format!("The vpc CIDR block association ID '{association}' does not exist");
    Err(ControlError::fault("InvalidVpcCidrBlockAssociationID.NotFound", message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network_acl::NetworkAcl;
    use crate::security_group::SecurityGroupRule;
    use crate::test_world::{World, subnet, text, vpc};

    fn ask(vpc: &Vpc, block: &str) -> Associate {
        let block = Some(block.to_owned());
        let ipv6 = block.clone().filter(|block| block.contains(':'));
        Associate {
            vpc_id: vpc.id.to_string(),
            cidr_block: block.filter(|block| !block.contains(':')),
            ipv6_cidr_block: ipv6,
            amazon_provided_ipv6_cidr_block: false,
        }
    }

    #[test]
    fn blocks_beside_the_primary_one() {
        // The VPC's first block, the one that is asked for, the outcome.
        for (primary, block, expected) in [
            ("10.2.0.0/16", "10.3.0.0/16", "ok"),
            ("10.2.0.0/16", "10.2.0.0/24", "InvalidVpc.Range: The CIDR '10.2.0.0/24' conflicts"),
            ("10.2.0.0/16", "192.168.0.0/16", "InvalidVpc.Range: The CIDR '192.168.0.0/16' is restricted."),
            ("10.2.0.0/16", "172.20.0.0/16", "InvalidVpc.Range: The CIDR '172.20.0.0/16' is restricted."),
            ("10.2.0.0/16", "100.64.0.0/16", "ok"),
            ("10.2.0.0/16", "203.0.113.0/24", "ok"),
            ("10.2.0.0/16", "198.19.0.0/24", "InvalidVpc.Range: The CIDR '198.19.0.0/24' is restricted."),
            ("10.1.0.0/16", "10.0.4.0/24", "InvalidVpc.Range: The CIDR '10.0.4.0/24' is restricted."),
            ("10.0.0.0/16", "10.1.0.0/16", "ok"),
            ("172.16.0.0/16", "172.31.4.0/24", "InvalidVpc.Range: The CIDR '172.31.4.0/24' is restricted."),
            ("172.16.0.0/16", "172.17.0.0/16", "ok"),
            ("198.51.100.0/24", "10.0.0.0/16", "InvalidVpc.Range: The CIDR '10.0.0.0/16' is restricted."),
            ("10.2.0.0/16", "10.3.0.0/15", "InvalidVpc.Range: The CIDR '10.3.0.0/15' is invalid."),
            ("10.2.0.0/16", "2001:db8::/56", "ok"),
            ("10.2.0.0/16", "2001:db8::/57", "InvalidVpc.Range: The CIDR '2001:db8::/57' is invalid."),
        ] {
            let outcome = World::new().fault(|cx| {
                let mut vpc = vpc(cx, false, "")?;
                vpc.cidr = primary.parse().unwrap();
                cx.tx.put(cx.scope, &vpc)?;
                associate(cx, &ask(&vpc, block))
            });
            assert!(outcome.starts_with(expected), "{primary} {block}: {outcome}");
        }
    }

    #[test]
    fn five_blocks_come_and_go_while_no_subnet_lies_in_them() {
        World::new()
            .run(|cx| {
                let made = vpc(cx, false, "")?;
                let id = made.id.clone();
                let Block::V4(second) = associate(cx, &ask(&made, "10.1.0.0/16"))? else { panic!() };
                for block in ["10.2.0.0/16", "10.3.0.0/16", "10.4.0.0/16"] {
                    associate(cx, &ask(&made, block))?;
                }
                let sixth = text(associate(cx, &ask(&made, "10.5.0.0/16")));
                assert_eq!(
                    sixth,
                    format!(
                        "CidrLimitExceeded: This network {id} has met its maximum number of allowed CIDRs: 5"
                    )
                );
                let there = subnet(cx, &made, "10.1.4.0/24", "")?;
                let busy = text(disassociate(cx, second.association.as_str()));
                assert!(
                    busy.starts_with("DependencyViolation") && busy.ends_with(there.id.as_str()),
                    "{busy}"
                );
                crate::subnet::delete(cx, there.id.as_str())?;
                assert_eq!(
                    disassociate(cx, second.association.as_str())?,
                    (id.clone(), Block::V4(second.clone()))
                );
                assert!(text(disassociate(cx, second.association.as_str())).starts_with(
                    "InvalidVpcCidrBlockAssociationID.NotFound: The vpc CIDR block association ID"
                ));
                let primary = text(disassociate(cx, made.cidr_association.as_str()));
                assert!(primary.starts_with("OperationNotPermitted"), "{primary}");
                assert_eq!(vpc::find(cx, id.as_str())?.ipv4().count(), 4);
                Ok(())
            })
            .unwrap();
    }

    #[test]
    fn the_first_ipv6_block_opens_what_was_left_as_made() {
        World::new()
            .run(|cx| {
                let made = vpc(cx, false, "")?;
                crate::region::ensure(cx)?;
                let rules = || cx.tx.list::<SecurityGroupRule>(cx.scope).map(|all| all.len());
                let entries = || {
                    let acls: Vec<NetworkAcl> = cx.tx.list_in(cx.scope, made.id.as_str())?;
                    Ok::<_, ControlError>(acls[0].entries.len())
                };
                // Those of the default VPC count too.
                assert_eq!((rules()?, entries()?), (2 + 2, 2));
                let Block::V6(first) = associate(cx, &ask(&made, "2001:db8::/56"))? else { panic!() };
                assert_eq!((rules()?, entries()?), (2 + 3, 4));
                associate(cx, &ask(&made, "2001:db8:1::/56"))?;
                assert_eq!((rules()?, entries()?), (2 + 3, 4));
                disassociate(cx, first.association.as_str())?;
                assert_eq!(vpc::find(cx, made.id.as_str())?.ipv6.len(), 1);
                Ok(())
            })
            .unwrap();
    }
}
