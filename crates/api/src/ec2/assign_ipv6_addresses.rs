//! `AssignIpv6Addresses`. Source: EC2 API, `AssignIpv6Addresses`.

use super::unsupported;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::ipv6_address;

/// Gives a network interface IPv6 addresses.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    unsupported::refuse(params, &["Ipv6Prefix", "Ipv6PrefixCount"])?;
    let id = params.required("NetworkInterfaceId")?;
    let (named, count) = (params.list("Ipv6Addresses"), params.integer("Ipv6AddressCount")?);
    let interface = call.arn("ec2", format!("network-interface/{id}"));
    call.authorize_ec2(params, "ec2:AssignIpv6Addresses", &[interface], &[])?;
    let assigned = call.transact(|cx| ipv6_address::assign(cx, id, &named, count))?;
    let mut xml = Xml::new();
    texts(&mut xml, "assignedIpv6Addresses", assigned);
    xml.text("networkInterfaceId", id);
    Ok(xml)
}

/// Writes a list of texts.
pub fn texts(xml: &mut Xml, name: &str, items: impl IntoIterator<Item = impl std::fmt::Display>) {
    xml.element(name, |list| {
        for item in items {
            list.text("item", item);
        }
    });
}
