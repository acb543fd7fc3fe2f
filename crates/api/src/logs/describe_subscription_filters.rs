//! DescribeSubscriptionFilters: those of one group. A password in a URL is not shown.

use super::{arn, permit, required};
use crate::call::Call;
use crate::error::ApiError;
use crate::protocol::json::Members;
use serde_json::{Value, json};
use weir_logs::{DescribeSubscriptionFilters, SubscriptionFilter};

pub fn run(call: &Call<'_>, members: Members<'_>) -> Result<Option<Value>, ApiError> {
    let group = required::group_name(members)?;
    permit::group(call, "DescribeSubscriptionFilters", group)?;
    let request = DescribeSubscriptionFilters {
        group: group.to_owned(),
        name_prefix: members.text("filterNamePrefix")?.map(str::to_owned),
        limit: members.integer("limit")?,
        next_token: members.text("nextToken")?.map(str::to_owned),
    };
    let found = call.services.logs.describe_subscription_filters(&arn::store_scope(&call.scope), &request)?;
    let shown: Vec<Value> =
        found.subscription_filters.iter().map(|(name, filter)| render(group, name, filter)).collect();
    let mut answer = json!({ "subscriptionFilters": shown });
    if let Some(token) = found.next_token {
        answer["nextToken"] = json!(token);
    }
    Ok(Some(answer))
}

fn render(group: &str, name: &str, filter: &SubscriptionFilter) -> Value {
    let mut shown = json!({
        "filterName": name,
        "logGroupName": group,
        "filterPattern": filter.pattern,
        "destinationArn": without_password(&filter.destination_arn),
        "distribution": filter.distribution,
        "applyOnTransformedLogs": filter.apply_on_transformed_logs,
        "creationTime": filter.created,
    });
    if let Some(role) = &filter.role_arn {
        shown["roleArn"] = json!(role);
    }
    if let Some(criteria) = &filter.field_selection_criteria {
        shown["fieldSelectionCriteria"] = json!(criteria);
    }
    if !filter.emit_system_fields.is_empty() {
        shown["emitSystemFields"] = json!(filter.emit_system_fields);
    }
    shown
}

fn without_password(destination: &str) -> String {
    let Some((scheme, rest)) = destination.split_once("://") else { return destination.to_owned() };
    let (host, path) = rest.split_once('/').map_or((rest, None), |(host, path)| (host, Some(path)));
    let host = match host.rsplit_once('@') {
        Some((user, host)) => format!("{}:***@{host}", user.split(':').next().unwrap_or_default()),
        None => host.to_owned(),
    };
    match path {
        Some(path) => format!("{scheme}://{host}/{path}"),
        None => format!("{scheme}://{host}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_hidden() {
        for (given, expected) in [
            ("weir:opensearch:https://a:b@h:9200/i", "weir:opensearch:https://a:***@h:9200/i"),
            ("weir:opensearch:http://h", "weir:opensearch:http://h"),
            ("arn:aws:lambda:r:1:function:f", "arn:aws:lambda:r:1:function:f"),
        ] {
            assert_eq!(without_password(given), expected);
        }
    }
}
