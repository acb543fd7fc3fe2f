//! `DeleteVpc`. Source: EC2 API, `DeleteVpc`.

use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::vpc;

/// Removes a VPC that has no subnets, groups or ACLs of its own.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let id = params.required("VpcId")?;
    call.authorize_ec2(params, "ec2:DeleteVpc", &[call.arn("ec2", format!("vpc/{id}"))], &[])?;
    call.transact(|cx| vpc::delete(cx, id))?;
    Ok(super::done())
}
