//! `AssociateSubnetCidrBlock`. Source: EC2 API, `AssociateSubnetCidrBlock`.

use super::{describe_subnets, unsupported};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::subnet_cidr;

/// Gives a subnet its IPv6 block.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    unsupported::refuse(params, &["Ipv6IpamPoolId", "Ipv6NetmaskLength"])?;
    let (id, block) = (params.required("SubnetId")?, params.required("Ipv6CidrBlock")?);
    let subnet = call.arn("ec2", format!("subnet/{id}"));
    call.authorize_ec2(params, "ec2:AssociateSubnetCidrBlock", &[subnet], &[])?;
    let any = call.services.settings.emulator;
    let ipv6 = call.transact(|cx| subnet_cidr::associate(cx, id, block, any))?;
    let mut xml = Xml::new();
    xml.element("ipv6CidrBlockAssociation", |item| {
        describe_subnets::render_ipv6(item, &ipv6, "associating");
    });
    xml.text("subnetId", id);
    Ok(xml)
}
