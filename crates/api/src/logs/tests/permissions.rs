//! What policies are asked: resources and condition keys.

use super::*;

const BASE: &str = "arn:aws:logs:us-east-1:123456789012:log-group:";

/// A world with a role whose one statement allows `action` on `resource`.
fn allowed(action: &str, resource: &str, condition: Value) -> World {
    let world = world();
    let mut statement = json!({"Effect": "Allow", "Action": action, "Resource": resource});
    if !condition.is_null() {
        statement["Condition"] = condition;
    }
    world.role("r", &json!({"Version": "2012-10-17", "Statement": [statement]}).to_string());
    world
}

#[track_caller]
fn check(resource: &str, action: &str, members: Value, expect: &str) {
    let world = allowed("logs:*", resource, Value::Null);
    let answer = logs(&world.root().assume("r"), action, members);
    assert_eq!(answer.code(), expect, "{action} with {resource}: {}", answer.body);
}

#[test]
fn a_policy_for_a_group_covers_its_streams_and_nothing_else() {
    let flow = json!({"logGroupName": "/vpc/flow"});
    let stream = with(&flow, json!({"logStreamName": "eni-1-all"}));
    let group_actions = [
        ("DescribeLogStreams", flow.clone()),
        ("FilterLogEvents", flow.clone()),
        ("DeleteRetentionPolicy", flow.clone()),
        ("ListTagsLogGroup", flow.clone()),
    ];
    let stream_actions = [("GetLogEvents", stream.clone()), ("DeleteLogStream", stream)];
    let denied = "AccessDeniedException";
    for (action, members) in group_actions.into_iter().chain(stream_actions) {
        check(&format!("{BASE}/vpc/flow:*"), action, members.clone(), "ok");
        check(&format!("{BASE}/vpc/flow:log-stream:*"), action, members.clone(), "ok");
        check(&format!("{BASE}/vpc/*"), action, members.clone(), "ok");
        check(&format!("{BASE}/vpc/flow"), action, members.clone(), denied);
        check(&format!("{BASE}/vpc/other:*"), action, members.clone(), denied);
        check("arn:aws:logs:eu-west-1:123456789012:*", action, members, denied);
    }
}

#[test]
fn a_policy_for_one_stream() {
    let one = format!("{BASE}/vpc/flow:log-stream:eni-1-all");
    let stream = |name: &str| json!({"logGroupName": "/vpc/flow", "logStreamName": name});
    check(&one, "GetLogEvents", stream("eni-1-all"), "ok");
    check(&one, "GetLogEvents", stream("eni-2-all"), "AccessDeniedException");
    check(&one, "FilterLogEvents", stream("eni-1-all"), "AccessDeniedException");
    check(&one, "DeleteLogGroup", json!({"logGroupName": "/vpc/flow"}), "AccessDeniedException");
}

#[test]
fn all_groups_are_described_with_a_policy_for_all() {
    for action in ["DescribeLogGroups", "ListLogGroups"] {
        check(&format!("{BASE}*"), action, json!({}), "ok");
        check(&format!("{BASE}:log-stream:"), action, json!({}), "ok");
        check(&format!("{BASE}/vpc/flow:*"), action, json!({}), "AccessDeniedException");
    }
}

#[test]
fn the_newer_family_for_tags_asks_for_the_arn_without_an_end() {
    let arn = json!({ "resourceArn": format!("{BASE}/vpc/flow") });
    check(&format!("{BASE}/vpc/flow"), "ListTagsForResource", arn.clone(), "ok");
    check(&format!("{BASE}/vpc/flow:*"), "ListTagsForResource", arn, "AccessDeniedException");
}

#[test]
fn a_denial_says_what_was_asked() {
    let world = allowed("logs:Describe*", "*", Value::Null);
    let batch = json!({
        "logGroupName": "/vpc/flow", "logStreamName": "eni-1-all",
        "logEvents": [{"timestamp": START.0, "message": "m"}],
    });
    let answer = logs(&world.root().assume("r"), "PutLogEvents", batch);
    assert_eq!(answer.fault(), "AccessDeniedException 400");
    assert_eq!(
        answer.message(),
        "User: arn:aws:sts::123456789012:assumed-role/r/test is not authorized to perform: logs:PutLogEvents \
         on resource: arn:aws:logs:us-east-1:123456789012:log-group:/vpc/flow:log-stream:eni-1-all because no \
         identity-based policy allows the logs:PutLogEvents action"
    );
}

#[test]
fn a_group_with_tags_takes_a_second_permission() {
    let world = allowed("logs:CreateLogGroup", "*", Value::Null);
    let client = world.root().assume("r");
    logs(&client, "CreateLogGroup", json!({"logGroupName": "plain"})).ok();
    let answer = logs(&client, "CreateLogGroup", json!({"logGroupName": "tagged", "tags": {"k": "v"}}));
    assert_eq!(answer.fault(), "AccessDeniedException 400");
    assert_eq!(
        answer.message(),
        "User with accountId: 123456789012 is not authorized to perform CreateLogGroup with Tags. \
         An additional permission \"logs:TagResource\" is required."
    );
    let found = logs(&world.root(), "DescribeLogGroups", json!({"logGroupNamePrefix": "tagged"})).ok();
    assert_eq!(found.json(), json!({"logGroups": []}));
}

#[test]
fn policies_see_tags_of_groups_and_of_requests() {
    let by_group = json!({"StringEquals": {"aws:ResourceTag/team": "net"}});
    let world = allowed("logs:*", "*", by_group);
    let client = world.root().assume("r");
    let of = json!({"logGroupName": "/vpc/flow", "logStreamName": "eni-1-all"});
    assert_eq!(logs(&client, "GetLogEvents", of.clone()).code(), "AccessDeniedException");
    let tags = json!({"logGroupName": "/vpc/flow", "tags": {"team": "net"}});
    logs(&world.root(), "TagLogGroup", tags).ok();
    logs(&client, "GetLogEvents", of).ok();

    let by_request = json!({
        "StringEquals": {"aws:RequestTag/team": "net"},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["team", "env"]},
    });
    let world = allowed("logs:*", "*", by_request);
    let client = world.root().assume("r");
    for (n, (tags, expect)) in [
        (json!({"team": "net"}), "ok"),
        (json!({"team": "net", "env": "test"}), "ok"),
        (json!({"team": "web"}), "AccessDeniedException"),
        (json!({"team": "net", "cost": "1"}), "AccessDeniedException"),
        (json!({}), "AccessDeniedException"),
    ]
    .into_iter()
    .enumerate()
    {
        let members = json!({"logGroupName": format!("g{n}"), "tags": tags});
        assert_eq!(logs(&client, "CreateLogGroup", members).code(), expect, "{tags}");
    }
}

#[test]
fn resource_policies_allow_and_deny() {
    let world = allowed("s3:*", "*", Value::Null);
    let (root, client) = (world.root(), world.root().assume("r"));
    let flow = json!({"logGroupName": "/vpc/flow"});
    let policy = |effect: &str, resource: &str| {
        let role = "arn:aws:iam::123456789012:role/r";
        let statement =
            json!({"Effect": effect, "Principal": {"AWS": role}, "Action": "logs:*", "Resource": resource});
        json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
    };
    let denied = "AccessDeniedException";
    let reads = |expect: &str, what: &str| {
        assert_eq!(logs(&client, "DescribeLogStreams", flow.clone()).code(), expect, "{what}");
    };
    reads(denied, "no policy");

    let other = format!("{BASE}/other:*");
    let put = |name: &str, document: String| {
        logs(&root, "PutResourcePolicy", json!({"policyName": name, "policyDocument": document})).ok();
    };
    put("a", policy("Allow", &other));
    reads(denied, "another group's");
    put("b", policy("Allow", &format!("{BASE}/vpc/*")));
    reads("ok", "one of two allows");
    put("a", policy("Deny", "*"));
    reads(denied, "a denial of any wins");
    logs(&root, "DeleteResourcePolicy", json!({"policyName": "a"})).ok();
    reads("ok", "the denial is gone");
    logs(&root, "DeleteResourcePolicy", json!({"policyName": "b"})).ok();
    reads(denied, "all are gone");

    let of_group = |arn: String| {
        let document = policy("Allow", "*");
        logs(&root, "PutResourcePolicy", json!({"resourceArn": arn, "policyDocument": document})).ok();
    };
    logs(&root, "CreateLogGroup", json!({"logGroupName": "/other"})).ok();
    of_group(format!("{BASE}/other"));
    reads(denied, "another group's own policy");
    of_group(format!("{BASE}/vpc/flow"));
    reads("ok", "the group's own policy");
}
