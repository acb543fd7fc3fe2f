//! `CreateSecurityGroup`. Source: EC2 API, `CreateSecurityGroup`.

use super::tag_spec;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::region;
use weir_control::security_group::{self, NewSecurityGroup};

/// Makes a security group of a VPC, by default the default one.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let new = NewSecurityGroup {
        name: params.required("GroupName")?.to_owned(),
        description: params.required("GroupDescription")?.to_owned(),
        vpc: params.get("VpcId").map(str::to_owned),
        tags: tag_spec::parse(params, "security-group")?,
    };
    let mut resources = vec![call.arn("ec2", "security-group/*")];
    resources.extend(new.vpc.iter().map(|vpc| call.arn("ec2", format!("vpc/{vpc}"))));
    call.authorize_ec2(params, "ec2:CreateSecurityGroup", &resources, &[])?;
    let group = call.transact(|cx| {
        region::ensure(cx)?;
        security_group::create(cx, &new)
    })?;
    let mut xml = super::done();
    xml.text("groupId", &group.id);
    tag_spec::render(&mut xml, &new.tags);
    xml.text("securityGroupArn", call.arn("ec2", format!("security-group/{}", group.id)));
    Ok(xml)
}
