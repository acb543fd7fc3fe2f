//! DescribeLogGroups: by prefix, by a part of the name, or by identifiers.

use super::error::invalid;
use super::{arn, identify, permit};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use weir_control::Scope;
use weir_logs::limits::{Constraints, MAX_DESCRIBE, at_least, at_most};
use weir_logs::{DescribeLogGroups, LogGroup, LogGroups};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let request = parse(members)?;
    let identified = identifiers(members, &call.scope)?;
    let own_account = includes_own_account(members, &call.scope)?;
    permit::all_groups(call, "DescribeLogGroups")?;
    let store = &call.services.logs;
    let scope = arn::store_scope(&call.scope);
    let mut found = store.describe_log_groups(&scope, &request)?;
    if let Some(names) = identified {
        // At most 50, so that they fit one page.
        let groups = names.iter().filter_map(|name| store.log_group(&scope, name).ok());
        let wanted = groups.filter(|group| request.class.is_none_or(|class| group.class == class));
        found = LogGroups { log_groups: wanted.collect(), next_token: None };
    }
    if !own_account {
        found = LogGroups { log_groups: Vec::new(), next_token: None };
    }
    Ok(Some(render(&call.scope, &found, request.name_pattern.is_some())))
}

fn parse(members: Members<'_>) -> Result<DescribeLogGroups, ApiError> {
    Ok(DescribeLogGroups {
        name_prefix: members.text("logGroupNamePrefix")?.map(str::to_owned),
        name_pattern: members.text("logGroupNamePattern")?.map(str::to_owned),
        class: members.text("logGroupClass")?.map(str::parse).transpose()?,
        limit: members.integer("limit")?,
        next_token: members.text("nextToken")?.map(str::to_owned),
    })
}

/// The names in `logGroupIdentifiers`, in the order of the answer.
fn identifiers(members: Members<'_>, scope: &Scope) -> Result<Option<BTreeSet<String>>, ApiError> {
    const MEMBER: &str = "logGroupIdentifiers";
    let Some(texts) = members.texts(MEMBER)? else { return Ok(None) };
    let mut constraints = Constraints::new();
    let shown = format!("[{}]", texts.join(", "));
    constraints.that(!texts.is_empty(), &shown, MEMBER, at_least("length", 1));
    constraints.that(texts.len() <= MAX_DESCRIBE, &shown, MEMBER, at_most("length", MAX_DESCRIBE));
    constraints.finish()?;
    let search = members.text("logGroupNamePrefix")?.or(members.text("logGroupNamePattern")?);
    if search.is_some() {
        let text =
            "LogGroup identifiers and LogGroup name prefix or pattern are mutually exclusive parameters.";
        return Err(invalid(text));
    }
    let mut names = BTreeSet::new();
    for text in texts {
        match identify::identified(text, scope) {
            Ok(name) => names.extend([name]),
            // Of another account or region: as one that is not there.
            Err(error) if error.code == "ResourceNotFoundException" => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Some(names))
}

/// `accountIdentifiers` choose among linked accounts, of which there are none,
/// and the caller's own.
pub fn includes_own_account(members: Members<'_>, scope: &Scope) -> Result<bool, ApiError> {
    let accounts = members.texts("accountIdentifiers")?.unwrap_or_default();
    let mut constraints = Constraints::new();
    let shown = format!("[{} accounts]", accounts.len());
    constraints.that(accounts.len() <= 20, shown, "accountIdentifiers", at_most("length", 20));
    constraints.finish()?;
    let linked = members.boolean("includeLinkedAccounts")?.unwrap_or_default();
    Ok(!linked || accounts.is_empty() || accounts.contains(&scope.account.as_str()))
}

/// AWS leaves members out when groups are searched by a part of their name.
fn render(scope: &Scope, found: &LogGroups, brief: bool) -> Value {
    let groups: Vec<Value> = found.log_groups.iter().map(|group| render_group(scope, group, brief)).collect();
    let mut answer = json!({ "logGroups": groups });
    if let Some(token) = &found.next_token {
        answer["nextToken"] = json!(token);
    }
    answer
}

fn render_group(scope: &Scope, group: &LogGroup, brief: bool) -> Value {
    let mut shown = json!({
        "logGroupName": group.name,
        "creationTime": group.creation_time.0,
        "metricFilterCount": group.metric_filter_count,
        "arn": arn::group_and_streams(scope, &group.name),
        "logGroupArn": arn::group(scope, &group.name),
        "logGroupClass": group.class.as_str(),
    });
    if brief {
        return shown;
    }
    shown["storedBytes"] = json!(group.stored_bytes);
    shown["deletionProtectionEnabled"] = json!(group.deletion_protection);
    if let Some(days) = group.retention_in_days {
        shown["retentionInDays"] = json!(days);
    }
    if let Some(key) = &group.kms_key_id {
        shown["kmsKeyId"] = json!(key);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_logs::LogGroupClass;
    use weir_types::time::UnixMillis;

    fn scope() -> Scope {
        Scope::new("123456789012", "us-east-1")
    }

    #[test]
    fn requests() {
        let given = json!({
            "logGroupNamePrefix": "/vpc", "logGroupClass": "DELIVERY", "limit": 5, "nextToken": "t", "later": {},
        });
        let wanted = DescribeLogGroups {
            name_prefix: Some("/vpc".into()),
            name_pattern: None,
            class: Some(LogGroupClass::Delivery),
            limit: Some(5),
            next_token: Some("t".into()),
        };
        assert_eq!(parse(Members::new(given.as_object().unwrap())).unwrap(), wanted);
    }

    #[test]
    fn answers() {
        let group = LogGroup {
            name: "/vpc/flow".into(),
            creation_time: UnixMillis(1_700_000_000_000),
            retention_in_days: Some(30),
            stored_bytes: 4096,
            class: LogGroupClass::Standard,
            kms_key_id: Some("key".into()),
            tags: [("not".to_owned(), "shown".to_owned())].into(),
            deletion_protection: true,
            metric_filter_count: 2,
        };
        let found = LogGroups { log_groups: vec![group], next_token: Some("next".into()) };
        let mut expect = json!({
            "logGroupName": "/vpc/flow",
            "creationTime": 1_700_000_000_000_i64,
            "metricFilterCount": 2,
            "arn": "arn:aws:logs:us-east-1:123456789012:log-group:/vpc/flow:*",
            "logGroupArn": "arn:aws:logs:us-east-1:123456789012:log-group:/vpc/flow",
            "logGroupClass": "STANDARD",
        });
        let brief = json!({ "logGroups": [expect], "nextToken": "next" });
        assert_eq!(render(&scope(), &found, true), brief);
        for (name, value) in [
            ("retentionInDays", json!(30)),
            ("storedBytes", json!(4096)),
            ("kmsKeyId", json!("key")),
            ("deletionProtectionEnabled", json!(true)),
        ] {
            expect[name] = value;
        }
        assert_eq!(render(&scope(), &found, false), json!({ "logGroups": [expect], "nextToken": "next" }));
        let nothing = LogGroups { log_groups: Vec::new(), next_token: None };
        assert_eq!(render(&scope(), &nothing, false), json!({ "logGroups": [] }));
    }

    #[test]
    fn identifiers_are_names_or_arns_and_exclude_searches() {
        let own = "arn:aws:logs:us-east-1:123456789012:log-group:b";
        let other = "arn:aws:logs:us-east-1:999999999999:log-group:c";
        let given = json!({ "logGroupIdentifiers": ["a", own, "a", other] });
        let names = identifiers(Members::new(given.as_object().unwrap()), &scope()).unwrap().unwrap();
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["a", "b"]);
        for given in [
            json!({ "logGroupIdentifiers": [] }),
            json!({ "logGroupIdentifiers": vec!["a"; 51] }),
            json!({ "logGroupIdentifiers": ["a"], "logGroupNamePattern": "" }),
            json!({ "logGroupIdentifiers": ["a"], "logGroupNamePrefix": "b" }),
        ] {
            let error = identifiers(Members::new(given.as_object().unwrap()), &scope()).unwrap_err();
            assert_eq!(error.code, "InvalidParameterException", "{given}");
        }
    }

    #[test]
    fn other_accounts_have_no_groups_here() {
        for (given, expect) in [
            (json!({}), true),
            (json!({"includeLinkedAccounts": true}), true),
            (json!({"includeLinkedAccounts": true, "accountIdentifiers": ["123456789012"]}), true),
            (json!({"includeLinkedAccounts": true, "accountIdentifiers": ["999999999999"]}), false),
            (json!({"accountIdentifiers": ["999999999999"]}), true),
        ] {
            let members = Members::new(given.as_object().unwrap());
            assert_eq!(includes_own_account(members, &scope()).unwrap(), expect, "{given}");
        }
    }
}
