//! `DescribeNetworkInterfaceAttribute`. Source: EC2 API,
//! `DescribeNetworkInterfaceAttribute`.

use super::attribute;
use super::describe_network_interfaces::{self as interfaces, Shown};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::network_interface::{self, NetworkInterface};
use weir_control::region;

const ATTRIBUTES: [&str; 5] =
    ["description", "groupSet", "sourceDestCheck", "attachment", "associatePublicIpAddress"];

/// Shows one attribute of a network interface.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let (id, name) = (params.required("NetworkInterfaceId")?, params.required("Attribute")?);
    if !ATTRIBUTES.contains(&name) {
        return Err(attribute::unknown(name));
    }
    let interface = call.arn("ec2", format!("network-interface/{id}"));
    call.authorize_ec2(params, "ec2:DescribeNetworkInterfaceAttribute", &[interface], &[])?;
    let shown = call.transact(|cx| {
        region::ensure(cx)?;
        let interface: NetworkInterface = network_interface::FAULTS.find(cx, id)?;
        interfaces::show(cx, vec![interface])
    })?;
    let mut xml = Xml::new();
    xml.text("networkInterfaceId", id);
    for shown in &shown {
        render(&mut xml, shown, name, &call.scope.account);
    }
    Ok(xml)
}

fn render(xml: &mut Xml, shown: &Shown, name: &str, account: &str) {
    match name {
        "description" => attribute::value(xml, name, &shown.interface.description),
        "sourceDestCheck" => attribute::value(xml, name, shown.interface.source_dest_check),
        "groupSet" => interfaces::render_groups(xml, shown),
        "attachment" => interfaces::render_attachment(xml, &shown.interface, account),
        // Weir gives no public addresses.
        "associatePublicIpAddress" => {
            xml.text(name, false);
        }
        _ => {}
    }
}
