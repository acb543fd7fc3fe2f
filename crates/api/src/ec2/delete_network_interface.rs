//! `DeleteNetworkInterface`. Source: EC2 API, `DeleteNetworkInterface`.

use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::network_interface;

/// Removes a network interface that is not attached.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let id = params.required("NetworkInterfaceId")?;
    let resource = call.arn("ec2", format!("network-interface/{id}"));
    call.authorize_ec2(params, "ec2:DeleteNetworkInterface", &[resource], &[])?;
    call.transact(|cx| network_interface::delete(cx, id))?;
    Ok(super::done())
}
