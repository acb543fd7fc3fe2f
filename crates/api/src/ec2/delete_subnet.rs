//! `DeleteSubnet`. Source: EC2 API, `DeleteSubnet`.

use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::subnet;

/// Removes a subnet that has no network interfaces.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let id = params.required("SubnetId")?;
    call.authorize_ec2(params, "ec2:DeleteSubnet", &[call.arn("ec2", format!("subnet/{id}"))], &[])?;
    call.transact(|cx| subnet::delete(cx, id))?;
    Ok(super::done())
}
