//! Every error of AWS's catalogue that these actions have, code and text.

use super::*;

/// All of them are 400.
#[track_caller]
fn check(client: &Client<'_>, action: &str, members: Value, code: &str, message: &str) {
    let answer = logs(client, action, members.clone());
    let told = (answer.fault(), answer.message());
    assert_eq!(told, (format!("{code} 400"), message.to_owned()), "{action} {members}");
}

const INVALID: &str = "InvalidParameterException";
const NOT_FOUND: &str = "ResourceNotFoundException";
const EXISTS: &str = "ResourceAlreadyExistsException";

#[test]
fn what_is_not_there() {
    let world = world();
    let root = world.root();
    let none = json!({"logGroupName": "none"});
    for (action, more) in [
        ("DeleteLogGroup", json!({})),
        ("PutRetentionPolicy", json!({"retentionInDays": 1})),
        ("DeleteRetentionPolicy", json!({})),
        ("CreateLogStream", json!({"logStreamName": "s"})),
        ("DeleteLogStream", json!({"logStreamName": "s"})),
        ("DescribeLogStreams", json!({})),
        ("PutLogEvents", json!({"logStreamName": "s", "logEvents": [{"timestamp": 1, "message": "m"}]})),
        ("GetLogEvents", json!({"logStreamName": "s"})),
        ("FilterLogEvents", json!({})),
        ("TagLogGroup", json!({"tags": {"k": "v"}})),
        ("UntagLogGroup", json!({"tags": ["k"]})),
        ("ListTagsLogGroup", json!({})),
        ("AssociateKmsKey", json!({"kmsKeyId": "k"})),
        ("DisassociateKmsKey", json!({})),
    ] {
        check(&root, action, with(&none, more), NOT_FOUND, "The specified log group does not exist.");
    }
    let arn = json!({"resourceArn": "arn:aws:logs:us-east-1:123456789012:log-group:none"});
    for (action, members) in [
        ("TagResource", with(&arn, json!({"tags": {"k": "v"}}))),
        ("UntagResource", with(&arn, json!({"tagKeys": ["k"]}))),
        ("ListTagsForResource", arn),
        (
            "PutLogGroupDeletionProtection",
            json!({"logGroupIdentifier": "none", "deletionProtectionEnabled": true}),
        ),
    ] {
        check(&root, action, members, NOT_FOUND, "The specified log group does not exist.");
    }
    let stream = json!({"logGroupName": "/vpc/flow", "logStreamName": "none"});
    for (action, more) in [
        ("DeleteLogStream", json!({})),
        ("GetLogEvents", json!({})),
        ("PutLogEvents", json!({"logEvents": [{"timestamp": 1, "message": "m"}]})),
        ("FilterLogEvents", json!({"logStreamNames": ["none"]})),
    ] {
        check(&root, action, with(&stream, more), NOT_FOUND, "The specified log stream does not exist.");
    }
}

#[test]
fn what_is_there_already() {
    let world = world();
    let root = world.root();
    let group = json!({"logGroupName": "/vpc/flow"});
    check(&root, "CreateLogGroup", group.clone(), EXISTS, "The specified log group already exists");
    let stream = with(&group, json!({"logStreamName": "eni-1-all"}));
    check(&root, "CreateLogStream", stream, EXISTS, "The specified log stream already exists");
}

#[test]
fn parameters_that_exclude_each_other() {
    let world = world();
    let root = world.root();
    let text = "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.";
    let both = json!({"logGroupNamePrefix": "a", "logGroupNamePattern": "b"});
    check(&root, "DescribeLogGroups", both, INVALID, text);

    let both = json!({"logGroupName": "/vpc/flow", "logGroupIdentifier": "/vpc/flow", "logStreamName": "s"});
    let text = "LogGroup name and LogGroup ARN are mutually exclusive parameters.";
    for action in ["DescribeLogStreams", "GetLogEvents", "FilterLogEvents"] {
        check(&root, action, both.clone(), "ValidationException", text);
    }
    let ordered =
        json!({"logGroupName": "/vpc/flow", "orderBy": "LastEventTime", "logStreamNamePrefix": "eni"});
    let text = "Cannot order by LastEventTime with a logStreamNamePrefix.";
    check(&root, "DescribeLogStreams", ordered, INVALID, text);
    let streams = json!({"logGroupName": "/vpc/flow", "logStreamNames": ["a"], "logStreamNamePrefix": "a"});
    let text = "logStreamNames and logStreamNamePrefix are mutually exclusive parameters.";
    check(&root, "FilterLogEvents", streams, INVALID, text);
}

#[test]
fn tokens_that_nobody_gave() {
    let world = world();
    let root = world.root();
    let of = json!({"logGroupName": "/vpc/flow", "logStreamName": "eni-1-all", "nextToken": "invalid"});
    for action in
        ["DescribeLogGroups", "ListLogGroups", "DescribeLogStreams", "GetLogEvents", "FilterLogEvents"]
    {
        check(&root, action, of.clone(), INVALID, "The specified nextToken is invalid.");
    }
}

#[test]
fn batches_that_are_refused_as_a_whole() {
    let world = world();
    let root = world.root();
    let at = |ms: i64, message: &str| json!({"timestamp": START.0 + ms, "message": message});
    let big = "x".repeat(1_048_576 - 25);
    let half = "x".repeat(524_288);
    for (events, text) in [
        (
            json!([at(1, "b"), at(0, "a")]),
            "Log events in a single PutLogEvents request must be in chronological order.",
        ),
        (
            json!([at(-86_400_001, "a"), at(0, "b")]),
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        ),
        (json!([at(0, &half), at(0, &half)]), "Upload too large: 1048628 bytes exceeds limit of 1048576"),
        (json!([at(0, &big)]), "Log event too large: 1048577 bytes exceeds limit of 1048576"),
        (
            json!([]),
            "1 validation error detected: Value '[]' at 'logEvents' failed to satisfy constraint: \
             Member must have length greater than or equal to 1",
        ),
        (
            json!([at(0, "")]),
            "1 validation error detected: Value '' at 'logEvents.1.member.message' failed to satisfy \
             constraint: Member must have length greater than or equal to 1",
        ),
    ] {
        let batch = json!({"logGroupName": "/vpc/flow", "logStreamName": "eni-1-all", "logEvents": events});
        check(&root, "PutLogEvents", batch, INVALID, text);
    }
    let of = json!({"logGroupName": "/vpc/flow", "logStreamName": "eni-1-all"});
    assert_eq!(logs(&root, "GetLogEvents", of).ok().json()["events"], json!([]));
}

#[test]
fn values_outside_the_model() {
    let world = world();
    let root = world.root();
    let long = "x".repeat(513);
    let group = json!({"logGroupName": "/vpc/flow"});
    let too_long = "Invalid LogGroup or LogStream, both must have length less than or equal to 512.";
    check(&root, "CreateLogGroup", json!({ "logGroupName": long }), INVALID, too_long);
    check(&root, "CreateLogStream", with(&group, json!({ "logStreamName": long })), INVALID, too_long);
    for (action, more, value, rule) in [
        (
            "CreateLogGroup",
            json!({"logGroupName": "a b"}),
            "'a b' at 'logGroupName'",
            r"Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+",
        ),
        (
            "CreateLogStream",
            json!({"logStreamName": "a:b"}),
            "'a:b' at 'logStreamName'",
            "Member must satisfy regular expression pattern: [^:*]*",
        ),
        ("CreateLogStream", json!({}), "null at 'logStreamName'", "Member must not be null"),
        (
            "PutRetentionPolicy",
            json!({"retentionInDays": 10}),
            "'10' at 'retentionInDays'",
            "Member must satisfy enum value set: [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]",
        ),
        ("PutRetentionPolicy", json!({}), "null at 'retentionInDays'", "Member must not be null"),
        (
            "DescribeLogGroups",
            json!({"limit": 51}),
            "'51' at 'limit'",
            "Member must have value less than or equal to 50",
        ),
        (
            "DescribeLogStreams",
            json!({"limit": 0}),
            "'0' at 'limit'",
            "Member must have value greater than or equal to 1",
        ),
        (
            "GetLogEvents",
            json!({"logStreamName": "s", "limit": 10001}),
            "'10001' at 'limit'",
            "Member must have value less than or equal to 10000",
        ),
        (
            "FilterLogEvents",
            json!({"startTime": -1}),
            "'-1' at 'startTime'",
            "Member must have value greater than or equal to 0",
        ),
        (
            "TagLogGroup",
            json!({"tags": {}}),
            "'{}' at 'tags'",
            "Member must have length greater than or equal to 1",
        ),
    ] {
        let text = format!("1 validation error detected: Value {value} failed to satisfy constraint: {rule}");
        check(&root, action, with(&group, more), INVALID, &text);
    }
    check(
        &root,
        "CreateLogGroup",
        json!({"logGroupName": true}),
        "SerializationException",
        "The member logGroupName must be a string",
    );
}

#[test]
fn too_many_tags() {
    let world = world();
    let root = world.root();
    let tags = |from: usize, to: usize| -> Value {
        let tags: serde_json::Map<String, Value> =
            (from..to).map(|n| (format!("k{n}"), json!("v"))).collect();
        json!({"logGroupName": "/vpc/flow", "tags": tags})
    };
    logs(&root, "TagLogGroup", tags(0, 50)).ok();
    assert_eq!(logs(&root, "TagLogGroup", tags(50, 51)).fault(), "TooManyTagsException 400");
    assert_eq!(logs(&root, "TagLogGroup", tags(0, 51)).fault(), format!("{INVALID} 400"));
}

#[test]
fn filter_patterns() {
    let world = world();
    for (pattern, message) in [
        ("[a=1 || b=2]", "Invalid filter pattern"),
        ("{ $.a = }", "Invalid filter pattern"),
        ("%(a)%", "Invalid character(s) in term '%(a)%'"),
    ] {
        let members = json!({"logGroupName": "/vpc/flow", "filterPattern": pattern});
        check(&world.root(), "FilterLogEvents", members, INVALID, message);
    }
}

#[test]
fn actions_that_are_not_there() {
    let world = World::new();
    let answer = logs(&world.root(), "StartTimeTravel", json!({}));
    assert_eq!(answer.fault(), "UnknownOperationException 400");
}
