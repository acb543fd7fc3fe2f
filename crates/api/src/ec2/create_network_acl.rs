//! `CreateNetworkAcl`. Source: EC2 API, `CreateNetworkAcl`.

use super::describe_network_acls::Shown;
use super::tag_spec;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::{client_token, network_acl, region};

/// Makes a network ACL, which denies everything.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let vpc = params.required("VpcId")?;
    let tags = tag_spec::parse(params, "network-acl")?;
    let token = params.get("ClientToken");
    let resources = [call.arn("ec2", "network-acl/*"), call.arn("ec2", format!("vpc/{vpc}"))];
    call.authorize_ec2(params, "ec2:CreateNetworkAcl", &resources, &[])?;
    let shown = call.transact(|cx| {
        region::ensure(cx)?;
        let acl = client_token::once(cx, "CreateNetworkAcl", token, &(vpc, &tags), || {
            network_acl::create(cx, vpc, &tags)
        })?;
        Shown::of(cx, acl, Vec::new())
    })?;
    let mut xml = Xml::new();
    xml.element("networkAcl", |acl| shown.render(acl, &call.scope.account));
    xml.optional("clientToken", token);
    Ok(xml)
}
