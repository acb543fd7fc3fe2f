//! `ModifySecurityGroupRules`. Source: EC2 API, `ModifySecurityGroupRules`,
//! `SecurityGroupRuleRequest`.

use super::security_group_rule;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::security_group::edit::{self, RuleRequest};

/// Replaces what rules of a security group say.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let group = params.required("GroupId")?;
    let changes = parse(params)?;
    let mut resources = vec![call.arn("ec2", format!("security-group/{group}"))];
    resources.extend(changes.iter().map(|(id, _)| call.arn("ec2", format!("security-group-rule/{id}"))));
    call.authorize_ec2(params, "ec2:ModifySecurityGroupRules", &resources, &[])?;
    call.transact(|cx| edit::modify(cx, &security_group_rule::group(cx, params)?, &changes))?;
    Ok(super::done())
}

fn parse(params: &Params) -> Result<Vec<(String, RuleRequest)>, ApiError> {
    let changes = params.structs("SecurityGroupRule");
    if changes.is_empty() {
        return Err(ApiError::missing_parameter("SecurityGroupRule"));
    }
    let change = |item: &Params| {
        let id = item.required("SecurityGroupRuleId")?.to_owned();
        let rule = item.structure("SecurityGroupRule");
        let text = |name: &str| rule.get(name).map(str::to_owned);
        let request = RuleRequest {
            protocol: text("IpProtocol"),
            from_port: rule.integer("FromPort")?,
            to_port: rule.integer("ToPort")?,
            cidr_ipv4: text("CidrIpv4"),
            cidr_ipv6: text("CidrIpv6"),
            prefix_list_id: text("PrefixListId"),
            referenced_group_id: text("ReferencedGroupId"),
            description: text("Description"),
        };
        Ok((id, request))
    };
    changes.iter().map(change).collect()
}
