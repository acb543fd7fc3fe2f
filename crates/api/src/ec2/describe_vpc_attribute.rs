//! `DescribeVpcAttribute`. Source: EC2 API, `DescribeVpcAttribute`.

use super::attribute;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::vpc::{self, VpcAttributes};

/// Shows one attribute of a VPC.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let (id, name) = (params.required("VpcId")?, params.required("Attribute")?);
    let of: fn(&VpcAttributes) -> bool = match name {
        "enableDnsSupport" => |all| all.enable_dns_support,
        "enableDnsHostnames" => |all| all.enable_dns_hostnames,
        "enableNetworkAddressUsageMetrics" => |all| all.enable_network_address_usage_metrics,
        _ => return Err(attribute::unknown(name)),
    };
    call.authorize_ec2(params, "ec2:DescribeVpcAttribute", &[call.arn("ec2", format!("vpc/{id}"))], &[])?;
    let vpc = call.transact(|cx| vpc::find(cx, id))?;
    let mut xml = Xml::new();
    xml.text("vpcId", &vpc.id);
    attribute::value(&mut xml, name, of(&vpc.attributes));
    Ok(xml)
}
