//! `DeleteSecurityGroup`. Source: EC2 API, `DeleteSecurityGroup`.

use super::security_group_rule::{group, group_arn};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::security_group;

/// Removes a security group that nothing uses.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    call.authorize_ec2(params, "ec2:DeleteSecurityGroup", &[group_arn(call, params)?], &[])?;
    let group = call.transact(|cx| {
        let group = group(cx, params)?;
        security_group::delete(cx, &group)?;
        Ok(group)
    })?;
    let mut xml = super::done();
    xml.text("groupId", &group.id);
    Ok(xml)
}
