//! `UnassignIpv6Addresses`. Source: EC2 API, `UnassignIpv6Addresses`.

use super::{assign_ipv6_addresses::texts, unsupported};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::ipv6_address;

/// Takes IPv6 addresses from a network interface.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    unsupported::refuse(params, &["Ipv6Prefix"])?;
    let (id, named) = (params.required("NetworkInterfaceId")?, params.list("Ipv6Addresses"));
    let interface = call.arn("ec2", format!("network-interface/{id}"));
    call.authorize_ec2(params, "ec2:UnassignIpv6Addresses", &[interface], &[])?;
    call.transact(|cx| ipv6_address::unassign(cx, id, &named))?;
    let mut xml = Xml::new();
    xml.text("networkInterfaceId", id);
    texts(&mut xml, "unassignedIpv6Addresses", named);
    Ok(xml)
}
