//! `DeleteNetworkAcl`. Source: EC2 API, `DeleteNetworkAcl`.

use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::{network_acl, region};

/// Removes a network ACL that no subnet has.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let id = params.required("NetworkAclId")?;
    let arn = call.arn("ec2", format!("network-acl/{id}"));
    call.authorize_ec2(params, "ec2:DeleteNetworkAcl", &[arn], &[])?;
    call.transact(|cx| {
        region::ensure(cx)?;
        network_acl::delete(cx, &network_acl::by_id(cx, id)?)
    })?;
    Ok(super::done())
}
