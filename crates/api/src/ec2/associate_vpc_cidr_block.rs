//! `AssociateVpcCidrBlock`. Source: EC2 API, `AssociateVpcCidrBlock`.

use super::{unsupported, vpc_cidr as answer};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::vpc_cidr::{self, Associate};

/// Gives a VPC another block.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let ipam = ["Ipv4IpamPoolId", "Ipv4NetmaskLength", "Ipv6IpamPoolId", "Ipv6NetmaskLength"];
    unsupported::refuse(params, &ipam)?;
    let text = |name: &str| params.get(name).map(str::to_owned);
    let request = Associate {
        vpc_id: params.required("VpcId")?.to_owned(),
        cidr_block: text("CidrBlock"),
        ipv6_cidr_block: text("Ipv6CidrBlock"),
        amazon_provided_ipv6_cidr_block: params.boolean("AmazonProvidedIpv6CidrBlock")?.unwrap_or(false),
    };
    let vpc = call.arn("ec2", format!("vpc/{}", request.vpc_id));
    call.authorize_ec2(params, "ec2:AssociateVpcCidrBlock", &[vpc], &[])?;
    let (vpc, block) = call.transact(|cx| {
        let block = vpc_cidr::associate(cx, &request)?;
        Ok((weir_control::vpc::find(cx, &request.vpc_id)?.id, block))
    })?;
    Ok(answer::render(&vpc, &block, "associating", &call.scope))
}
