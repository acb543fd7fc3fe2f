//! `ResetNetworkInterfaceAttribute`. Source: EC2 API,
//! `ResetNetworkInterfaceAttribute`.

use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::network_interface::{self, Attribute};

/// Switches the source/destination check on, as it was at first.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let (id, what) = (params.required("NetworkInterfaceId")?, params.required("SourceDestCheck")?);
    if what != "sourceDestCheck" {
        let message = format!("Value ({what}) for parameter sourceDestCheck is invalid.");
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    let interface = call.arn("ec2", format!("network-interface/{id}"));
    call.authorize_ec2(params, "ec2:ResetNetworkInterfaceAttribute", &[interface], &[])?;
    call.transact(|cx| network_interface::modify(cx, id, &Attribute::SourceDestCheck(true)))?;
    Ok(super::done())
}
