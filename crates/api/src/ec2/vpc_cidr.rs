//! The association of a block with a VPC, as two actions answer it.

use super::describe_vpcs;
use crate::protocol::xml::Xml;
use weir_control::Scope;
use weir_control::vpc_cidr::Block;
use weir_types::id::VpcId;

/// Writes the association in its new state, and the VPC. Clients expect that a
/// change is under way; the next Describe shows it done.
pub fn render(vpc: &VpcId, block: &Block, state: &str, scope: &Scope) -> Xml {
    let mut xml = Xml::new();
    match block {
        Block::V4(block) => xml.element("cidrBlockAssociation", |item| {
            describe_vpcs::render_ipv4(item, block.cidr, &block.association, state);
        }),
        Block::V6(block) => xml.element("ipv6CidrBlockAssociation", |item| {
            describe_vpcs::render_ipv6(item, block, state, scope);
        }),
    };
    xml.text("vpcId", vpc);
    xml
}
