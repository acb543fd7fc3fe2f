//! ListLogGroups: names, ARNs and classes, by a pattern of alternatives.
//!
//! ```text
//! pattern = part *4("|" part)     part = ["^"] 3 to 24 of .-_/#A-Za-z0-9
//! ```
//!
//! A group is listed if its name contains one of the parts, or starts with one
//! that has `^`.

use super::describe_log_groups::includes_own_account;
use super::error::invalid;
use super::{arn, permit};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_control::Scope;
use weir_logs::limits::{Constraints, MAX_DESCRIBE};
use weir_logs::{DescribeLogGroups, LogGroup, LogGroupClass};

/// Most groups of one page.
const MAX_LIMIT: i64 = 1000;

struct Request {
    pattern: Option<String>,
    class: Option<LogGroupClass>,
    /// 1 to [`MAX_LIMIT`].
    limit: usize,
    next_token: Option<String>,
}

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let Request { pattern, class, limit, mut next_token } = parse(members)?;
    let own_account = includes_own_account(members, &call.scope)?;
    permit::all_groups(call, "ListLogGroups")?;
    let scope = arn::store_scope(&call.scope);
    let mut groups = Vec::new();
    while own_account && groups.len() < limit {
        // A page never holds more than is wanted, so that the store's token
        // stands behind the last group that was looked at.
        let page = DescribeLogGroups {
            class,
            limit: i64::try_from(MAX_DESCRIBE.min(limit - groups.len())).ok(),
            next_token: next_token.take(),
            ..Default::default()
        };
        let found = call.services.logs.describe_log_groups(&scope, &page)?;
        let wanted =
            |group: &LogGroup| pattern.as_deref().is_none_or(|pattern| matches(pattern, &group.name));
        groups.extend(found.log_groups.into_iter().filter(wanted));
        next_token = found.next_token;
        if next_token.is_none() {
            break;
        }
    }
    Ok(Some(render(&call.scope, &groups, next_token.filter(|_| own_account))))
}

fn parse(members: Members<'_>) -> Result<Request, ApiError> {
    let limit = members.integer("limit")?;
    let pattern = members.text("logGroupNamePattern")?;
    let mut constraints = Constraints::new();
    constraints.range(limit, "limit", 1, MAX_LIMIT);
    if let Some(pattern) = pattern {
        constraints.length(pattern, "logGroupNamePattern", 3, 129);
        let rule = r"Member must satisfy regular expression pattern: (\^?[\.\-_\/#A-Za-z0-9]{3,24})(\|\^?[\.\-_\/#A-Za-z0-9]{3,24}){0,4}";
        constraints.that(is_pattern(pattern), pattern, "logGroupNamePattern", rule);
    }
    constraints.finish()?;
    for name in ["dataSources", "fieldIndexNames", "logGroupTags"] {
        if members.list(name)?.is_some() {
            return Err(invalid(format!(
                "{name} is not supported yet; leave it out to list all log groups."
            )));
        }
    }
    Ok(Request {
        pattern: pattern.map(str::to_owned),
        class: members.text("logGroupClass")?.map(str::parse).transpose()?,
        limit: limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(MAX_DESCRIBE),
        next_token: members.text("nextToken")?.map(str::to_owned),
    })
}

fn is_pattern(pattern: &str) -> bool {
    let is_name = |c: u8| c.is_ascii_alphanumeric() || b".-_/#".contains(&c);
    let mut parts = pattern.split('|').map(|part| part.strip_prefix('^').unwrap_or(part));
    pattern.split('|').count() <= 5
        && parts.all(|part| (3..=24).contains(&part.len()) && part.bytes().all(is_name))
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.split('|').any(|part| match part.strip_prefix('^') {
        Some(start) => name.starts_with(start),
        None => name.contains(part),
    })
}

fn render(scope: &Scope, groups: &[LogGroup], next_token: Option<String>) -> Value {
    let show = |group: &LogGroup| {
        json!({
            "logGroupName": group.name,
            "logGroupArn": arn::group(scope, &group.name),
            "logGroupClass": group.class.as_str(),
        })
    };
    let mut answer = json!({ "logGroups": groups.iter().map(show).collect::<Vec<_>>() });
    if let Some(token) = next_token {
        answer["nextToken"] = json!(token);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, name, expect) in [
            ("flow", "/vpc/flow", true),
            ("^flow", "/vpc/flow", false),
            ("^/vpc", "/vpc/flow", true),
            ("abc|^/vpc", "/vpc/flow", true),
            ("Flow", "/vpc/flow", false),
        ] {
            assert!(is_pattern(pattern), "{pattern}");
            assert_eq!(matches(pattern, name), expect, "{pattern} {name}");
        }
        for bad in ["ab", "^ab", "abc|", "a b c", "abc|abc|abc|abc|abc|abc", "^^abc", &"a".repeat(25)] {
            assert!(!is_pattern(bad), "{bad}");
        }
    }

    #[test]
    fn filters_that_are_not_there_are_refused_not_ignored() {
        for given in [
            json!({"logGroupTags": [{"key": "team"}]}),
            json!({"dataSources": [{"name": "vpc"}]}),
            json!({"fieldIndexNames": ["srcaddr"]}),
            json!({"limit": 1001}),
            json!({"limit": 0}),
        ] {
            let error = parse(Members::new(given.as_object().unwrap())).map(|_| ()).unwrap_err();
            assert_eq!(error.code, "InvalidParameterException", "{given}");
        }
    }
}
