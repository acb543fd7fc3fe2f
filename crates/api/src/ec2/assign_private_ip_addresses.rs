//! `AssignPrivateIpAddresses`. Source: EC2 API, `AssignPrivateIpAddresses`.

use super::unsupported;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::secondary_address::{self, Assign};

/// Gives a network interface secondary IPv4 addresses.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    unsupported::refuse(params, &["Ipv4Prefix", "Ipv4PrefixCount"])?;
    let id = params.required("NetworkInterfaceId")?;
    let request = Assign {
        addresses: params.list("PrivateIpAddress").into_iter().map(str::to_owned).collect(),
        count: params.integer("SecondaryPrivateIpAddressCount")?,
        allow_reassignment: params.boolean("AllowReassignment")?.unwrap_or(false),
    };
    let interface = call.arn("ec2", format!("network-interface/{id}"));
    call.authorize_ec2(params, "ec2:AssignPrivateIpAddresses", &[interface], &[])?;
    let assigned = call.transact(|cx| secondary_address::assign(cx, id, &request))?;
    let mut xml = Xml::new();
    xml.text("networkInterfaceId", id);
    xml.set("assignedPrivateIpAddressesSet", assigned, |item, address| {
        item.text("privateIpAddress", address);
    });
    Ok(xml)
}
