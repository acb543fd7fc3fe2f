//! `DescribeSecurityGroupRules`. Source: EC2 API, `DescribeSecurityGroupRules`.

use super::filter::Filters;
use super::{page, security_group_rule};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::query::Params;
use crate::protocol::xml::Xml;
use weir_control::security_group::{SecurityGroupRule, find};
use weir_control::{region, tags};

type Tagged = (SecurityGroupRule, Vec<(String, String)>);

/// Lists rules of security groups, one by one.
pub fn run(call: &Call<'_>, params: &Params) -> Result<Xml, ApiError> {
    let filters = Filters::parse(params, &["group-id", "security-group-rule-id"])?;
    call.authorize_ec2(params, "ec2:DescribeSecurityGroupRules", &["*".to_owned()], &[])?;
    if let Some(bad) =
        filters.patterns("group-id").find(|id| !id.starts_with("sg-") && !id.contains(['*', '?']))
    {
        let message = format!("The security group ID '{bad}' is malformed");
        return Err(ApiError::new("InvalidGroupId.Malformed", message));
    }
    let rules: Vec<Tagged> = call.transact(|cx| {
        region::ensure(cx)?;
        let rules = find::RULE_FAULTS.select_narrowed(
            cx,
            &params.list("SecurityGroupRuleId"),
            &filters.narrowing(),
        )?;
        let mut tags = tags::of_each(cx, rules.iter().map(|rule: &SecurityGroupRule| rule.id.as_str()))?;
        let with_tags = |rule: SecurityGroupRule| {
            let tags = tags.remove(rule.id.as_str()).unwrap_or_default();
            (rule, tags)
        };
        Ok(rules.into_iter().map(with_tags).collect())
    })?;
    let found = rules
        .into_iter()
        .filter(|(rule, tags)| {
            filters.pass(tags, |name| match name {
                "group-id" => vec![rule.group.to_string()],
                _ => vec![rule.id.to_string()],
            })
        })
        .collect();
    let (rules, next) = page::page(found, params, 5..=1000, |(rule, _): &Tagged| rule.id.as_str())?;
    let mut xml = Xml::new();
    xml.set("securityGroupRuleSet", rules, |item, (rule, tags)| {
        security_group_rule::render(item, call, &rule, &tags);
    });
    xml.optional("nextToken", next);
    Ok(xml)
}
