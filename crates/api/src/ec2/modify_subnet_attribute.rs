//! `ModifySubnetAttribute`. Source: EC2 API, `ModifySubnetAttribute`.

use super::{attribute, unsupported};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::subnet::{self, Attribute, HostnameType};

/// Changes one attribute of a subnet.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let id = params.required("SubnetId")?;
    let attribute = parse(params)?;
    let subnet = call.arn("ec2", format!("subnet/{id}"));
    call.authorize_ec2(params, "ec2:ModifySubnetAttribute", &[subnet], &[])?;
    call.transact(|cx| subnet::modify(cx, id, attribute))?;
    Ok(super::done())
}

fn parse(params: &Params) -> Result<Attribute, ApiError> {
    let customer_owned = ["CustomerOwnedIpv4Pool", "MapCustomerOwnedIpOnLaunch"];
    unsupported::refuse(params, &customer_owned)?;
    unsupported::refuse(params, &["DisableLniAtDeviceIndex", "EnableLniAtDeviceIndex"])?;
    let of = |name: &str, make: fn(bool) -> Attribute| {
        Ok::<_, ApiError>(attribute::boolean(params, name)?.map(make))
    };
    let hostname_type = match params.get("PrivateDnsHostnameTypeOnLaunch") {
        None => None,
        Some("ip-name") => Some(HostnameType::IpName),
        Some("resource-name") => Some(HostnameType::ResourceName),
        Some(other) => {
            let message = format!("Value ({other}) for parameter privateDnsHostnameTypeOnLaunch is invalid.");
            return Err(ApiError::new("InvalidParameterValue", message));
        }
    };
    attribute::only([
        ("mapPublicIpOnLaunch", of("MapPublicIpOnLaunch", Attribute::MapPublicIpOnLaunch)?),
        (
            "assignIpv6AddressOnCreation",
            of("AssignIpv6AddressOnCreation", Attribute::AssignIpv6AddressOnCreation)?,
        ),
        ("enableDns64", of("EnableDns64", Attribute::EnableDns64)?),
        ("privateDnsHostnameTypeOnLaunch", hostname_type.map(Attribute::PrivateDnsHostnameTypeOnLaunch)),
        (
            "enableResourceNameDnsARecordOnLaunch",
            of("EnableResourceNameDnsARecordOnLaunch", Attribute::EnableResourceNameDnsARecordOnLaunch)?,
        ),
        (
            "enableResourceNameDnsAAAARecordOnLaunch",
            of(
                "EnableResourceNameDnsAAAARecordOnLaunch",
                Attribute::EnableResourceNameDnsAaaaRecordOnLaunch,
            )?,
        ),
    ])
}
