//! What a user does in the usual order.

use super::*;

const GROUP: &str = "arn:aws:logs:us-east-1:123456789012:log-group:/vpc/flow";

#[test]
fn groups_are_made_found_and_deleted() {
    let world = world();
    let root = world.root();
    let made =
        logs(&root, "CreateLogGroup", json!({"logGroupName": "app", "logGroupClass": "DELIVERY"})).ok();
    assert_eq!(made.body, "", "an action without output has an empty body");
    assert_eq!(made.headers["content-type"], "application/x-amz-json-1.1");
    assert_eq!(made.headers["x-amzn-requestid"].len(), 36);

    let describe = |members| logs(&root, "DescribeLogGroups", members).ok().json();
    let flow = json!({
        "logGroupName": "/vpc/flow",
        "creationTime": START.0,
        "metricFilterCount": 0,
        "arn": format!("{GROUP}:*"),
        "logGroupArn": GROUP,
        "logGroupClass": "STANDARD",
        "storedBytes": 0,
        "deletionProtectionEnabled": false,
    });
    assert_eq!(describe(json!({"logGroupNamePrefix": "/vpc"})), json!({ "logGroups": [flow] }));
    let names = |answer: Value| -> Vec<String> {
        let groups = answer["logGroups"].as_array().unwrap();
        groups.iter().map(|group| group["logGroupName"].as_str().unwrap().to_owned()).collect()
    };
    for (members, expect) in [
        (json!({}), vec!["/vpc/flow", "app"]),
        (json!({"logGroupNamePattern": "flow"}), vec!["/vpc/flow"]),
        (json!({"logGroupNamePattern": ""}), vec!["/vpc/flow", "app"]),
        (json!({"logGroupNamePrefix": "vpc"}), vec![]),
        (json!({"logGroupClass": "DELIVERY"}), vec!["app"]),
        (json!({"logGroupIdentifiers": ["app", GROUP, "none"]}), vec!["/vpc/flow", "app"]),
        (json!({"logGroupIdentifiers": ["app", GROUP], "logGroupClass": "STANDARD"}), vec!["/vpc/flow"]),
        (json!({"includeLinkedAccounts": true, "accountIdentifiers": ["999999999999"]}), vec![]),
    ] {
        assert_eq!(names(describe(members.clone())), expect, "{members}");
    }
    let listed = logs(&root, "ListLogGroups", json!({"logGroupNamePattern": "^/vpc|none"})).ok().json();
    let brief = json!({"logGroupName": "/vpc/flow", "logGroupArn": GROUP, "logGroupClass": "STANDARD"});
    assert_eq!(listed, json!({ "logGroups": [brief] }));

    logs(&root, "DeleteLogGroup", json!({"logGroupName": "app"})).ok();
    assert_eq!(names(describe(json!({}))), ["/vpc/flow"]);
    let elsewhere = {
        let mut client = world.root();
        client.region = "eu-west-1".into();
        client
    };
    assert_eq!(logs(&elsewhere, "DescribeLogGroups", json!({})).ok().json(), json!({"logGroups": []}));
}

#[test]
fn groups_and_streams_come_in_pages() {
    let world = world();
    let root = world.root();
    for n in 0..60 {
        logs(&root, "CreateLogGroup", json!({ "logGroupName": format!("g{n:02}") })).ok();
        let stream = json!({"logGroupName": "/vpc/flow", "logStreamName": format!("s{n:02}")});
        logs(&root, "CreateLogStream", stream).ok();
    }
    for (action, list, members, sizes) in [
        ("DescribeLogGroups", "logGroups", json!({}), vec![50, 11]),
        ("DescribeLogGroups", "logGroups", json!({"logGroupNamePrefix": "g", "limit": 30}), vec![30, 30]),
        ("ListLogGroups", "logGroups", json!({}), vec![50, 11]),
        ("ListLogGroups", "logGroups", json!({"limit": 1000}), vec![61]),
        ("ListLogGroups", "logGroups", json!({"limit": 55, "nextToken": null}), vec![55, 6]),
        ("DescribeLogStreams", "logStreams", json!({"logGroupName": "/vpc/flow"}), vec![50, 11]),
        (
            "DescribeLogStreams",
            "logStreams",
            json!({"logGroupIdentifier": GROUP, "logStreamNamePrefix": "s", "descending": true, "limit": 40}),
            vec![40, 20],
        ),
    ] {
        let pages = pages(&root, action, &members, "nextToken");
        let found: Vec<usize> = pages.iter().map(|page| page[list].as_array().unwrap().len()).collect();
        assert_eq!(found, sizes, "{action} {members}");
    }
}

#[test]
fn events_are_put_and_read_to_the_end_in_both_directions() {
    let world = world();
    let root = world.root();
    let put_1 = put(&world, "eni-1-all", 0..7);
    assert_eq!(put_1["nextSequenceToken"].as_str().unwrap().len(), 56);
    assert_eq!(put_1.as_object().unwrap().len(), 1, "nothing was rejected");

    let of = json!({"logGroupName": "/vpc/flow", "logStreamName": "eni-1-all", "limit": 3});
    let newest = logs(&root, "GetLogEvents", of.clone()).ok().json();
    assert_eq!(messages(&newest), [4, 5, 6]);
    let shown = json!({"timestamp": START.0, "message": "6", "ingestionTime": START.0});
    assert_eq!(newest["events"][2], shown);

    let forward =
        pages(&root, "GetLogEvents", &with(&of, json!({"startFromHead": true})), "nextForwardToken");
    let read: Vec<Vec<i64>> = forward.iter().map(messages).collect();
    assert_eq!(read, [vec![0, 1, 2], vec![3, 4, 5], vec![6], vec![]]);
    let backward = pages(&root, "GetLogEvents", &of, "nextBackwardToken");
    let read: Vec<Vec<i64>> = backward.iter().map(messages).collect();
    assert_eq!(read, [vec![4, 5, 6], vec![1, 2, 3], vec![0], vec![]]);

    // The last token goes on when more events arrive.
    let last = forward.last().unwrap()["nextForwardToken"].clone();
    world.advance(60);
    put(&world, "eni-1-all", 7..9);
    let more = logs(&root, "GetLogEvents", with(&of, json!({ "nextToken": last }))).ok().json();
    assert_eq!(messages(&more), [7, 8]);

    // The start is included, the end is not.
    let times = json!({"startTime": START.0 - 5000, "endTime": START.0 - 3000});
    let by_arn = with(&times, json!({"logGroupName": null, "logGroupIdentifier": GROUP}));
    assert_eq!(messages(&logs(&root, "GetLogEvents", with(&of, by_arn)).ok().json()), [1, 2]);
}

#[test]
fn an_empty_stream_has_tokens_too() {
    let world = world();
    let of = json!({"logGroupName": "/vpc/flow", "logStreamName": "eni-1-all"});
    let pages = pages(&world.root(), "GetLogEvents", &of, "nextForwardToken");
    assert_eq!(pages.len(), 2, "the token that was sent came back");
    for page in pages {
        assert_eq!(page["events"], json!([]));
        assert!(page["nextForwardToken"].as_str().unwrap().starts_with("f/"));
        assert!(page["nextBackwardToken"].as_str().unwrap().starts_with("b/"));
    }
}

#[test]
fn events_of_several_streams_are_filtered_in_order_of_time() {
    let world = world();
    let root = world.root();
    logs(&root, "CreateLogStream", json!({"logGroupName": "/vpc/flow", "logStreamName": "eni-2-all"})).ok();
    put(&world, "eni-1-all", 0..3);
    world.advance(60);
    put(&world, "eni-2-all", 3..5);
    world.advance(60);
    put(&world, "eni-1-all", 5..6);

    let of = json!({"logGroupName": "/vpc/flow", "limit": 2});
    let found = pages(&root, "FilterLogEvents", &of, "nextToken");
    assert_eq!(found.iter().flat_map(messages).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    assert!(found.iter().all(|page| page["searchedLogStreams"] == json!([])));
    let event = &found[1]["events"][1];
    assert_eq!(event["logStreamName"], "eni-2-all");
    assert_eq!(event["eventId"].as_str().unwrap().len(), 56);
    assert_eq!((&event["timestamp"], &event["message"]), (&json!(START.0 + 59_000), &json!("3")));
    assert_eq!(event["ingestionTime"], START.0 + 60_000);

    for (more, expect) in [
        (json!({"logStreamNames": ["eni-2-all"]}), vec![3, 4]),
        (json!({"logStreamNamePrefix": "eni-1"}), vec![0, 1, 2, 5]),
        (json!({"logStreamNamePrefix": "eni-3"}), vec![]),
        // Both ends are included.
        (json!({"startTime": START.0 - 1000, "endTime": START.0}), vec![1, 2]),
        (json!({"filterPattern": "", "interleaved": false, "limit": 1}), vec![0]),
        (json!({"filterPattern": "?3 ?5"}), vec![3, 5]),
        (json!({"filterPattern": "[n < 3 && n != 1]", "limit": 1}), vec![0]),
    ] {
        let given = with(&json!({"logGroupName": "/vpc/flow"}), more);
        let answer = logs(&root, "FilterLogEvents", given.clone()).ok().json();
        assert_eq!(messages(&answer), expect, "{given}");
    }
}

#[test]
fn streams_show_their_events() {
    let world = world();
    let root = world.root();
    logs(&root, "CreateLogStream", json!({"logGroupName": "/vpc/flow", "logStreamName": "a"})).ok();
    let token = put(&world, "eni-1-all", 0..2)["nextSequenceToken"].clone();
    let by_time = json!({"logGroupName": "/vpc/flow", "orderBy": "LastEventTime", "descending": true});
    let expect = json!({ "logStreams": [
        {
            "logStreamName": "eni-1-all",
            "arn": format!("{GROUP}:log-stream:eni-1-all"),
            "creationTime": START.0,
            "storedBytes": 0,
            "firstEventTimestamp": START.0 - 1000,
            "lastEventTimestamp": START.0,
            "lastIngestionTime": START.0,
            "uploadSequenceToken": token,
        },
        {
            "logStreamName": "a",
            "arn": format!("{GROUP}:log-stream:a"),
            "creationTime": START.0,
            "storedBytes": 0,
        },
    ]});
    assert_eq!(logs(&root, "DescribeLogStreams", by_time).ok().json(), expect);
    logs(&root, "DeleteLogStream", json!({"logGroupName": "/vpc/flow", "logStreamName": "a"})).ok();
    let left = logs(&root, "DescribeLogStreams", json!({"logGroupName": "/vpc/flow"})).ok().json();
    assert_eq!(left["logStreams"].as_array().unwrap().len(), 1);
}

#[test]
fn retention_hides_old_events_and_rejects_older_ones() {
    let world = world();
    let root = world.root();
    put(&world, "eni-1-all", 0..2);
    logs(&root, "PutRetentionPolicy", json!({"logGroupName": "/vpc/flow", "retentionInDays": 3})).ok();
    let group = || logs(&root, "DescribeLogGroups", json!({})).ok().json()["logGroups"][0].clone();
    assert_eq!(group()["retentionInDays"], 3);
    world.advance(4 * 86_400);
    let of = json!({"logGroupName": "/vpc/flow", "logStreamName": "eni-1-all"});
    assert_eq!(logs(&root, "GetLogEvents", of.clone()).ok().json()["events"], json!([]));

    let day = 86_400_000;
    let now = world.now().0;
    let batch = |ages: &[i64]| {
        let events: Vec<Value> =
            ages.iter().map(|age| json!({"timestamp": now - age, "message": "9"})).collect();
        logs(&root, "PutLogEvents", with(&of, json!({ "logEvents": events }))).ok().json()
    };
    let mixed = batch(&[15 * day, 4 * day, 1000, 0, -3 * 3_600_000]);
    let info = json!({
        "tooOldLogEventEndIndex": 1, "expiredLogEventEndIndex": 2, "tooNewLogEventStartIndex": 4,
    });
    assert_eq!(mixed["rejectedLogEventsInfo"], info);
    assert_eq!(messages(&logs(&root, "GetLogEvents", of.clone()).ok().json()), [9, 9]);
    assert_eq!(batch(&[0]).get("rejectedLogEventsInfo"), None);

    for _ in 0..2 {
        logs(&root, "DeleteRetentionPolicy", json!({"logGroupName": "/vpc/flow"})).ok();
        assert_eq!(group().get("retentionInDays"), None);
    }
}

#[test]
fn tags_are_one_set_for_both_families_of_actions() {
    let world = world();
    let root = world.root();
    let (arn, name) = (json!({ "resourceArn": GROUP }), json!({"logGroupName": "/vpc/flow"}));
    logs(&root, "TagResource", with(&arn, json!({"tags": {"a": "1", "b": "2"}}))).ok();
    logs(&root, "TagLogGroup", with(&name, json!({"tags": {"b": "3", "c": ""}}))).ok();
    let tags = json!({"tags": {"a": "1", "b": "3", "c": ""}});
    assert_eq!(logs(&root, "ListTagsForResource", arn.clone()).ok().json(), tags);
    assert_eq!(logs(&root, "ListTagsLogGroup", name.clone()).ok().json(), tags);
    logs(&root, "UntagResource", with(&arn, json!({"tagKeys": ["a", "none"]}))).ok();
    logs(&root, "UntagLogGroup", with(&name, json!({"tags": ["b"]}))).ok();
    assert_eq!(logs(&root, "ListTagsForResource", arn).ok().json(), json!({"tags": {"c": ""}}));

    let tagged = json!({"logGroupName": "tagged", "tags": {"team": "net"}});
    logs(&root, "CreateLogGroup", tagged).ok();
    let found = logs(&root, "ListTagsLogGroup", json!({"logGroupName": "tagged"})).ok().json();
    assert_eq!(found, json!({"tags": {"team": "net"}}));
}

#[test]
fn protection_and_keys_are_kept() {
    let world = world();
    let root = world.root();
    let group = || logs(&root, "DescribeLogGroups", json!({})).ok().json()["logGroups"][0].clone();
    let protect = |on: bool| {
        let members = json!({"logGroupIdentifier": GROUP, "deletionProtectionEnabled": on});
        logs(&root, "PutLogGroupDeletionProtection", members).ok();
    };
    protect(true);
    assert_eq!(group()["deletionProtectionEnabled"], true);
    let refused = logs(&root, "DeleteLogGroup", json!({"logGroupName": "/vpc/flow"}));
    assert_eq!(refused.fault(), "ValidationException 400");

    let key = "arn:aws:kms:us-east-1:123456789012:key/k";
    logs(&root, "AssociateKmsKey", json!({"resourceIdentifier": GROUP, "kmsKeyId": key})).ok();
    assert_eq!(group()["kmsKeyId"], key);
    logs(&root, "DisassociateKmsKey", json!({"logGroupName": "/vpc/flow"})).ok();
    assert_eq!(group().get("kmsKeyId"), None);

    protect(false);
    logs(&root, "DeleteLogGroup", json!({"logGroupName": "/vpc/flow"})).ok();
    assert_eq!(logs(&root, "DescribeLogGroups", json!({})).ok().json(), json!({"logGroups": []}));
}

#[test]
fn the_emulator_forgets_everything() {
    let world = World::emulator();
    let root = world.root();
    let create = || logs(&root, "CreateLogGroup", json!({"logGroupName": "g"}));
    create().ok();
    assert_eq!(create().code(), "ResourceAlreadyExistsException");
    let reset = axum::http::Request::post("/moto-api/reset").body(axum::body::Body::empty()).unwrap();
    world.send(reset).ok();
    create().ok();
}
