//! `UnassignPrivateIpAddresses`. Source: EC2 API, `UnassignPrivateIpAddresses`.

use super::unsupported;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::secondary_address;

/// Takes secondary IPv4 addresses from a network interface.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    unsupported::refuse(params, &["Ipv4Prefix"])?;
    let id = params.required("NetworkInterfaceId")?;
    let interface = call.arn("ec2", format!("network-interface/{id}"));
    call.authorize_ec2(params, "ec2:UnassignPrivateIpAddresses", &[interface], &[])?;
    call.transact(|cx| secondary_address::unassign(cx, id, &params.list("PrivateIpAddress")))?;
    Ok(super::done())
}
