//! `ReplaceNetworkAclAssociation`. Source: EC2 API, `ReplaceNetworkAclAssociation`.

use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::{network_acl, region};

/// Gives a subnet another network ACL of its VPC.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let association = params.required("AssociationId")?;
    let id = params.required("NetworkAclId")?;
    let arn = call.arn("ec2", format!("network-acl/{id}"));
    call.authorize_ec2(params, "ec2:ReplaceNetworkAclAssociation", &[arn], &[])?;
    let new = call.transact(|cx| {
        region::ensure(cx)?;
        network_acl::replace_association(cx, association, &network_acl::by_id(cx, id)?)
    })?;
    let mut xml = Xml::new();
    xml.text("newAssociationId", new);
    Ok(xml)
}
