//! Metric filters, resource policies and query definitions, as clients see them.

use super::{logs, world};
use crate::testing::{World, allow};
use serde_json::{Value, json};

const SSH: &str = "[version, account, eni, source, destination, srcport, destport=\"22\", protocol=\"6\", packets, bytes, windowstart, windowend, action=\"REJECT\", flowlogstatus]";

fn filter() -> Value {
    json!({
        "logGroupName": "/vpc/flow", "filterName": "ssh", "filterPattern": SSH,
        "metricTransformations": [{
            "metricName": "RejectedSsh", "metricNamespace": "FlowLogs", "metricValue": "1", "defaultValue": 0,
        }],
    })
}

#[test]
fn a_metric_filter_is_shown_as_it_was_put() {
    let world = world();
    let root = world.root();
    assert_eq!(logs(&root, "PutMetricFilter", filter()).ok().body, "");
    let shown = logs(&root, "DescribeMetricFilters", json!({"logGroupName": "/vpc/flow"})).ok().json();
    let expected = json!({
        "filterName": "ssh", "filterPattern": SSH, "logGroupName": "/vpc/flow",
        "creationTime": world.now().0, "applyOnTransformedLogs": false,
        "metricTransformations": [{
            "metricName": "RejectedSsh", "metricNamespace": "FlowLogs", "metricValue": "1", "defaultValue": 0.0,
        }],
    });
    assert_eq!(shown, json!({ "metricFilters": [expected] }));
    let groups = logs(&root, "DescribeLogGroups", json!({})).ok().json();
    assert_eq!(groups["logGroups"][0]["metricFilterCount"], 1);
    let name = json!({"logGroupName": "/vpc/flow", "filterName": "ssh"});
    logs(&root, "DeleteMetricFilter", name.clone()).ok();
    assert_eq!(logs(&root, "DeleteMetricFilter", name).code(), "ResourceNotFoundException");
}

#[test]
fn messages_are_tested_against_a_pattern() {
    let line = "2 1 eni-1 192.0.2.1 10.0.0.5 39611 22 6 1 40 1563108188 1563108227 REJECT OK";
    let given = json!({"filterPattern": SSH, "logEventMessages": ["no", line]});
    let found = logs(&World::new().root(), "TestMetricFilter", given).ok().json();
    assert_eq!(found["matches"].as_array().unwrap().len(), 1);
    assert_eq!(found["matches"][0]["eventNumber"], 1);
    assert_eq!(found["matches"][0]["extractedValues"]["$source"], "192.0.2.1");
}

#[test]
fn an_emulator_makes_the_group() {
    let world = World::emulator();
    let root = world.root();
    logs(&root, "PutMetricFilter", filter()).ok();
    let missing = logs(&World::new().root(), "PutMetricFilter", filter());
    assert_eq!(missing.fault(), "ResourceNotFoundException 400");
}

#[test]
fn resource_policies_of_the_account_and_of_a_group() {
    let world = world();
    let root = world.root();
    let document = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "delivery.logs.amazonaws.com"},
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*",
    }]})
    .to_string();
    let put = json!({"policyName": "p", "policyDocument": document});
    let made = logs(&root, "PutResourcePolicy", put).ok().json();
    assert_eq!(made["resourcePolicy"]["policyScope"], "ACCOUNT");
    let arn = "arn:aws:logs:us-east-1:123456789012:log-group:/vpc/flow";
    let put = json!({"resourceArn": arn, "policyDocument": document});
    let made = logs(&root, "PutResourcePolicy", put).ok().json();
    assert_eq!(made["resourcePolicy"]["policyScope"], "RESOURCE");
    assert_eq!(made["resourcePolicy"]["revisionId"], made["revisionId"]);
    let shown = logs(&root, "DescribeResourcePolicies", json!({})).ok().json();
    assert_eq!(shown["resourcePolicies"].as_array().unwrap().len(), 1);
    let shown = logs(&root, "DescribeResourcePolicies", json!({"policyScope": "RESOURCE"})).ok().json();
    assert_eq!(shown["resourcePolicies"][0]["resourceArn"], arn);
    logs(&root, "DeleteResourcePolicy", json!({"policyName": "p"})).ok();
    let again = logs(&root, "DeleteResourcePolicy", json!({"policyName": "p"}));
    assert_eq!(again.message(), "Policy with name [p] does not exist.");
    let bad = logs(&root, "PutResourcePolicy", json!({"policyName": "p", "policyDocument": "{}"}));
    assert_eq!(bad.code(), "InvalidParameterException");
}

#[test]
fn query_definitions_are_made_changed_and_deleted() {
    let root_world = world();
    let root = root_world.root();
    let given =
        json!({"name": "top", "queryString": "stats sum(bytes) by srcAddr", "logGroupNames": ["/vpc/flow"]});
    let id = logs(&root, "PutQueryDefinition", given).ok().json()["queryDefinitionId"].clone();
    let given = json!({"name": "top", "queryString": "limit 1", "queryDefinitionId": id});
    assert_eq!(logs(&root, "PutQueryDefinition", given).ok().json()["queryDefinitionId"], id);
    let shown =
        logs(&root, "DescribeQueryDefinitions", json!({"queryDefinitionNamePrefix": "to"})).ok().json();
    assert_eq!(shown["queryDefinitions"].as_array().unwrap().len(), 1);
    assert_eq!(shown["queryDefinitions"][0]["queryString"], "limit 1");
    let gone = logs(&root, "DeleteQueryDefinition", json!({"queryDefinitionId": id})).ok().json();
    assert_eq!(gone, json!({"success": true}));
    let again = logs(&root, "DeleteQueryDefinition", json!({"queryDefinitionId": id}));
    assert_eq!(again.code(), "ResourceNotFoundException");
}

#[test]
fn each_action_has_its_permission() {
    let world = world();
    world.role("reader", &allow("logs:Describe*"));
    let reader = world.root().assume("reader");
    logs(&reader, "DescribeMetricFilters", json!({})).ok();
    logs(&reader, "DescribeQueryDefinitions", json!({})).ok();
    for (action, members) in [
        ("PutMetricFilter", filter()),
        ("DeleteMetricFilter", json!({"logGroupName": "/vpc/flow", "filterName": "ssh"})),
        ("TestMetricFilter", json!({"filterPattern": "", "logEventMessages": ["a"]})),
        ("PutResourcePolicy", json!({"policyName": "p", "policyDocument": "{}"})),
        ("PutQueryDefinition", json!({"name": "a", "queryString": "limit 1"})),
    ] {
        assert_eq!(logs(&reader, action, members).code(), "AccessDeniedException", "{action}");
    }
}
