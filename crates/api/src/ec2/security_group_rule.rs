//! `SecurityGroupRule`: one rule with its id, as four actions answer it, and
//! what the actions that change rules share.

use super::ip_permission;
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::region;
use weir_control::security_group::permission::{port_pair, protocol_name};
use weir_control::security_group::{Peer, SecurityGroup, SecurityGroupRule, edit, find, rule};
use weir_control::{ControlError, Cx, Result as ControlResult};
use weir_types::net::{Direction, IpNet};

/// Adds the rules of a request: the body of both Authorize actions.
pub fn authorize(call: &Call<'_>, params: &Params, direction: Direction) -> Result<Xml, ApiError> {
    let permissions = ip_permission::parse(params, direction)?;
    let tags = super::tag_spec::parse(params, "security-group-rule")?;
    let action = match direction {
        Direction::Ingress => "ec2:AuthorizeSecurityGroupIngress",
        Direction::Egress => "ec2:AuthorizeSecurityGroupEgress",
    };
    call.authorize_ec2(params, action, &[group_arn(call, params)?], &[])?;
    let rules = call.transact(|cx| {
        let group = group(cx, params)?;
        if permissions.is_empty() {
            let message = "The request must contain the parameter ipPermissions";
            return Err(ControlError::fault("MissingParameter", message));
        }
        rule::authorize(cx, &group, direction, &permissions, &tags)
    })?;
    let mut xml = super::done();
    xml.set("securityGroupRuleSet", rules, |item, rule| render(item, call, &rule, &tags));
    Ok(xml)
}

/// Removes the rules of a request: the body of both Revoke actions.
pub fn revoke(call: &Call<'_>, params: &Params, direction: Direction) -> Result<Xml, ApiError> {
    let permissions = ip_permission::parse(params, direction)?;
    let ids = params.list("SecurityGroupRuleId");
    let action = match direction {
        Direction::Ingress => "ec2:RevokeSecurityGroupIngress",
        Direction::Egress => "ec2:RevokeSecurityGroupEgress",
    };
    call.authorize_ec2(params, action, &[group_arn(call, params)?], &[])?;
    if permissions.is_empty() == ids.is_empty() {
        let (code, message) = if ids.is_empty() {
            ("MissingParameter", "Either 'ipPermissions' or 'securityGroupRuleIds' should be provided.")
        } else {
            let message =
                "The parameters 'ipPermissions' and 'securityGroupRuleIds' cannot be used together.";
            ("InvalidParameterCombination", message)
        };
        return Err(ApiError::new(code, message));
    }
    let revoked = call.transact(|cx| {
        let group = group(cx, params)?;
        match ids.is_empty() {
            true => rule::revoke(cx, &group, direction, &permissions),
            false => rule::revoke_by_id(cx, &group, direction, &ids),
        }
    })?;
    let mut xml = super::done();
    ip_permission::render(&mut xml, "unknownIpPermissionSet", &revoked.unknown, &call.scope.account);
    xml.set("revokedSecurityGroupRuleSet", revoked.rules, |item, rule| render_revoked(item, &rule));
    Ok(xml)
}

/// Gives rules other descriptions: the body of both UpdateSecurityGroupRuleDescriptions actions.
pub fn set_descriptions(call: &Call<'_>, params: &Params, direction: Direction) -> Result<Xml, ApiError> {
    let permissions = ip_permission::parse(params, direction)?;
    let by_id = |item: Params| {
        let id = item.required("SecurityGroupRuleId")?.to_owned();
        Ok((id, item.get("Description").map(str::to_owned)))
    };
    let by_id = params.structs("SecurityGroupRuleDescription").into_iter().map(by_id);
    let by_id: Vec<(String, Option<String>)> = by_id.collect::<Result<_, ApiError>>()?;
    let action = match direction {
        Direction::Ingress => "ec2:UpdateSecurityGroupRuleDescriptionsIngress",
        Direction::Egress => "ec2:UpdateSecurityGroupRuleDescriptionsEgress",
    };
    call.authorize_ec2(params, action, &[group_arn(call, params)?], &[])?;
    if permissions.is_empty() == by_id.is_empty() {
        let names = "'ipPermissions' and 'securityGroupRuleDescriptions'";
        return Err(match by_id.is_empty() {
            true => ApiError::new("MissingParameter", format!("One of {names} should be provided.")),
            false => {
                let message = format!("The parameters {names} cannot be used together.");
                ApiError::new("InvalidParameterCombination", message)
            }
        });
    }
    call.transact(|cx| {
        let group = group(cx, params)?;
        match by_id.is_empty() {
            true => edit::set_descriptions(cx, &group, direction, &permissions),
            false => edit::set_descriptions_by_id(cx, &group, direction, &by_id),
        }
    })?;
    Ok(super::done())
}

/// The group that a request names, by id, or by name in the default VPC.
pub fn group(cx: Cx<'_>, params: &Params) -> ControlResult<SecurityGroup> {
    region::ensure(cx)?;
    find::by_id_or_name(cx, params.get("GroupId"), params.get("GroupName"))
}

/// The ARN of the group that a request names, whether it exists or not.
pub fn group_arn(call: &Call<'_>, params: &Params) -> Result<String, ApiError> {
    let id = match (params.get("GroupId"), params.get("GroupName")) {
        (Some(id), _) => id.to_owned(),
        (None, None) => "*".to_owned(),
        (None, Some(_)) => match call.transact(|cx| group(cx, params)) {
            Ok(group) => group.id.to_string(),
            Err(error) if error.status < 500 => "*".to_owned(),
            Err(error) => return Err(error),
        },
    };
    Ok(call.arn("ec2", format!("security-group/{id}")))
}

/// Writes the members of a rule.
pub fn render(xml: &mut Xml, call: &Call<'_>, rule: &SecurityGroupRule, tags: &[(String, String)]) {
    let arn = call.arn("ec2", format!("security-group-rule/{}", rule.id));
    render_for(xml, &call.scope.account, &arn, rule, tags);
}

fn render_for(xml: &mut Xml, account: &str, arn: &str, rule: &SecurityGroupRule, tags: &[(String, String)]) {
    xml.text("securityGroupRuleId", &rule.id).text("groupId", &rule.group).text("groupOwnerId", account);
    matches(xml, rule);
    if let Peer::Group(group) = &rule.peer {
        xml.element("referencedGroupInfo", |info| {
            info.text("groupId", group).text("userId", account);
        });
    }
    xml.optional("description", rule.description.as_ref());
    super::tag_spec::render(xml, tags);
    xml.text("securityGroupRuleArn", arn);
}

fn render_revoked(xml: &mut Xml, rule: &SecurityGroupRule) {
    xml.text("securityGroupRuleId", &rule.id).text("groupId", &rule.group);
    matches(xml, rule);
    if let Peer::Group(group) = &rule.peer {
        xml.text("referencedGroupId", group);
    }
    xml.optional("description", rule.description.as_ref());
}

/// Direction, protocol, ports (-1 for none, other than in `IpPermission`) and block.
fn matches(xml: &mut Xml, rule: &SecurityGroupRule) {
    let (from, to) = port_pair(&rule.matches).unwrap_or((-1, -1));
    xml.text("isEgress", rule.direction == Direction::Egress);
    xml.text("ipProtocol", protocol_name(&rule.matches)).text("fromPort", from).text("toPort", to);
    match &rule.peer {
        Peer::Cidr(IpNet::V4(block)) => xml.text("cidrIpv4", block),
        Peer::Cidr(IpNet::V6(block)) => xml.text("cidrIpv6", block),
        Peer::PrefixList(list) => xml.text("prefixListId", list),
        Peer::Group(_) => xml,
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_control::security_group::permission;

    #[test]
    fn a_rule_is_shown_with_minus_one_for_no_ports() {
        let mut rule = SecurityGroupRule {
            id: "sgr-0123456789abcdef0".parse().unwrap(),
            group: "sg-0123456789abcdef0".parse().unwrap(),
            direction: Direction::Egress,
            matches: permission::matches(Some("-1"), None, None).unwrap(),
            peer: Peer::Cidr("::/0".parse().unwrap()),
            description: None,
        };
        let mut xml = Xml::new();
        render_for(&mut xml, "123456789012", "arn:x", &rule, &[("k".into(), "v".into())]);
        assert_eq!(
            xml.as_str(),
            "<securityGroupRuleId>sgr-0123456789abcdef0</securityGroupRuleId>\
             <groupId>sg-0123456789abcdef0</groupId><groupOwnerId>123456789012</groupOwnerId>\
             <isEgress>true</isEgress><ipProtocol>-1</ipProtocol><fromPort>-1</fromPort><toPort>-1</toPort>\
             <cidrIpv6>::/0</cidrIpv6><tagSet><item><key>k</key><value>v</value></item></tagSet>\
             <securityGroupRuleArn>arn:x</securityGroupRuleArn>"
        );
        rule.peer = Peer::Group(rule.group.clone());
        rule.direction = Direction::Ingress;
        rule.matches = permission::matches(Some("icmp"), Some(8), Some(-1)).unwrap();
        rule.description = Some("ping".into());
        let mut xml = Xml::new();
        render_revoked(&mut xml, &rule);
        assert_eq!(
            xml.as_str(),
            "<securityGroupRuleId>sgr-0123456789abcdef0</securityGroupRuleId>\
             <groupId>sg-0123456789abcdef0</groupId>\
             <isEgress>false</isEgress><ipProtocol>icmp</ipProtocol><fromPort>8</fromPort><toPort>-1</toPort>\
             <referencedGroupId>sg-0123456789abcdef0</referencedGroupId><description>ping</description>"
        );
    }
}
