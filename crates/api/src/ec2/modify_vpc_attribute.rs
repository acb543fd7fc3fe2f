//! `ModifyVpcAttribute`. Source: EC2 API, `ModifyVpcAttribute`.

use super::attribute;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::vpc::{self, Attribute};

/// Changes one attribute of a VPC.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let id = params.required("VpcId")?;
    let of = |name: &str, make: fn(bool) -> Attribute| {
        Ok::<_, ApiError>(attribute::boolean(params, name)?.map(make))
    };
    let attribute = attribute::only([
        ("enableDnsSupport", of("EnableDnsSupport", Attribute::EnableDnsSupport)?),
        ("enableDnsHostnames", of("EnableDnsHostnames", Attribute::EnableDnsHostnames)?),
        (
            "enableNetworkAddressUsageMetrics",
            of("EnableNetworkAddressUsageMetrics", Attribute::EnableNetworkAddressUsageMetrics)?,
        ),
    ])?;
    call.authorize_ec2(params, "ec2:ModifyVpcAttribute", &[call.arn("ec2", format!("vpc/{id}"))], &[])?;
    call.transact(|cx| vpc::modify(cx, id, attribute))?;
    Ok(super::done())
}
