//! `ReplaceNetworkAclEntry`. Source: EC2 API, `ReplaceNetworkAclEntry`.

use super::network_acl_entry;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::network_acl::{self, entry};
use weir_control::region;

/// Replaces the entry of a number and direction.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let id = params.required("NetworkAclId")?;
    let new = network_acl_entry::read(call, params)?;
    let arn = call.arn("ec2", format!("network-acl/{id}"));
    call.authorize_ec2(params, "ec2:ReplaceNetworkAclEntry", &[arn], &[])?;
    call.transact(|cx| {
        region::ensure(cx)?;
        entry::replace(cx, network_acl::by_id(cx, id)?, &new)
    })?;
    Ok(super::done())
}
