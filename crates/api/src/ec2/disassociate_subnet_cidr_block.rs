//! `DisassociateSubnetCidrBlock`. Source: EC2 API, `DisassociateSubnetCidrBlock`.

use super::describe_subnets;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::subnet_cidr;

/// Takes the IPv6 block from its subnet.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let association = params.required("AssociationId")?;
    call.authorize_ec2(params, "ec2:DisassociateSubnetCidrBlock", &[call.arn("ec2", "subnet/*")], &[])?;
    let (subnet, ipv6) = call.transact(|cx| subnet_cidr::disassociate(cx, association))?;
    let mut xml = Xml::new();
    xml.element("ipv6CidrBlockAssociation", |item| {
        describe_subnets::render_ipv6(item, &ipv6, "disassociating");
    });
    xml.text("subnetId", subnet);
    Ok(xml)
}
