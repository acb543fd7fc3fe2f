//! Destinations, exports and index policies, as clients see them.

use super::{logs, put, world};
use crate::testing::{World, allow};
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use std::io::Read;
use std::sync::Arc;
use weir_objects::Store;
use weir_objects::store::Bucket;

const TARGET: &str = "arn:aws:kinesis:us-east-1:123456789012:stream/s";
const ROLE: &str = "arn:aws:iam::123456789012:role/r";
const ARN: &str = "arn:aws:logs:us-east-1:123456789012:destination:d";

/// With a bucket `b`.
fn with_bucket(world: &World, policy: Option<&Value>) -> (Arc<Store>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(folder.path()).unwrap());
    let bucket = Bucket {
        name: "b".into(),
        account: crate::testing::ACCOUNT.into(),
        region: crate::testing::REGION.into(),
        created_ms: 0,
        policy: None,
        tags: None,
    };
    store.create_bucket(&bucket).unwrap();
    store.set_policy("b", policy.map(Value::to_string).as_deref()).unwrap();
    crate::objects::serve(&world.services, store.clone());
    (store, folder)
}

/// An object's bytes.
fn object(store: &Store, key: &str) -> Vec<u8> {
    let object = store.object("b", key).unwrap();
    std::fs::read(store.path(&object.file)).unwrap()
}

#[test]
fn destinations_are_put_shown_and_deleted_and_filters_send_to_them() {
    let world = World::emulator();
    let root = world.root();
    let given = json!({"destinationName": "d", "targetArn": TARGET, "roleArn": ROLE, "tags": {"a": "b"}});
    let made = logs(&root, "PutDestination", given.clone()).ok().json()["destination"].clone();
    assert_eq!(
        made,
        json!({
            "destinationName": "d", "targetArn": TARGET, "roleArn": ROLE, "arn": ARN, "creationTime": world.now().0,
        })
    );
    let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
    let put_policy = json!({"destinationName": "d", "accessPolicy": policy});
    assert_eq!(logs(&root, "PutDestinationPolicy", put_policy).ok().body, "");
    world.advance(60);
    logs(&root, "PutDestination", super::with(&given, json!({"targetArn": format!("{TARGET}2")}))).ok();
    let shown = logs(&root, "DescribeDestinations", json!({"DestinationNamePrefix": "d"})).ok().json();
    let shown = &shown["destinations"][0];
    assert_eq!(shown["accessPolicy"], policy);
    assert_eq!(shown["creationTime"], made["creationTime"]);
    assert_eq!(shown["targetArn"], format!("{TARGET}2"));
    let none = logs(&root, "DescribeDestinations", json!({"DestinationNamePrefix": "x"})).ok().json();
    assert_eq!(none, json!({"destinations": []}));

    logs(&root, "CreateLogGroup", json!({"logGroupName": "g"})).ok();
    let filter = json!({"logGroupName": "g", "filterName": "f", "filterPattern": "", "destinationArn": ARN});
    logs(&root, "PutSubscriptionFilter", filter.clone()).ok();
    let shown = logs(&root, "DescribeSubscriptionFilters", json!({"logGroupName": "g"})).ok().json();
    assert_eq!(shown["subscriptionFilters"][0]["destinationArn"], ARN);
    let (_, named) = world.services.logs.subscription_filters().remove(0);
    assert_eq!(named.filter.destination_arn, format!("{TARGET}2"));
    assert_eq!(named.filter.role_arn.as_deref(), Some(ROLE));

    logs(&root, "TagResource", json!({"resourceArn": ARN, "tags": {"c": "d"}})).ok();
    logs(&root, "UntagResource", json!({"resourceArn": ARN, "tagKeys": ["a"]})).ok();
    let tags = logs(&root, "ListTagsForResource", json!({"resourceArn": ARN})).ok().json();
    assert_eq!(tags, json!({"tags": {"c": "d"}}));

    logs(&root, "DeleteDestination", json!({"destinationName": "d"})).ok();
    for (action, members) in [
        ("DeleteDestination", json!({"destinationName": "d"})),
        ("PutDestinationPolicy", json!({"destinationName": "d", "accessPolicy": policy})),
        ("PutSubscriptionFilter", filter),
        ("ListTagsForResource", json!({"resourceArn": ARN})),
    ] {
        let gone = logs(&root, action, members);
        assert_eq!(gone.fault(), "ResourceNotFoundException 400", "{action}");
        assert_eq!(gone.message(), "The specified destination does not exist.");
    }
}

#[test]
fn each_has_its_permission() {
    let world = world();
    let (_store, _folder) = with_bucket(&world, None);
    world.role("writer", &allow("logs:Put*"));
    let writer = world.root().assume("writer");
    let group = json!({"logGroupName": "/vpc/flow", "from": 0, "to": 1, "destination": "b"});
    for (action, members) in [
        ("DescribeDestinations", json!({})),
        ("TagResource", json!({"resourceArn": ARN, "tags": {"a": "b"}})),
        ("DeleteDestination", json!({"destinationName": "d"})),
        ("CreateExportTask", group),
        ("DescribeExportTasks", json!({})),
        ("CancelExportTask", json!({"taskId": "t"})),
        ("DescribeIndexPolicies", json!({"logGroupIdentifiers": ["/vpc/flow"]})),
        ("DeleteIndexPolicy", json!({"logGroupIdentifier": "/vpc/flow"})),
    ] {
        assert_eq!(logs(&writer, action, members).code(), "AccessDeniedException", "{action}");
    }
    let target = json!({"destinationName": "d", "targetArn": "arn:aws:sqs:r:1:q", "roleArn": ROLE});
    assert_eq!(logs(&writer, "PutDestination", target).code(), "InvalidParameterException");
}

#[test]
fn a_group_is_exported_stream_by_stream() {
    let world = World::emulator();
    let root = world.root();
    let (store, _folder) = with_bucket(&world, None);
    logs(&root, "CreateLogGroup", json!({"logGroupName": "/vpc/flow"})).ok();
    for stream in ["eni/1", "eni-1", "eni-2", "other", "empty"] {
        logs(&root, "CreateLogStream", json!({"logGroupName": "/vpc/flow", "logStreamName": stream})).ok();
    }
    put(&world, "eni/1", 0..3);
    put(&world, "eni-1", 1..2);
    put(&world, "eni-2", 5..6);
    put(&world, "other", 8..9);
    let now = world.now().0;
    let asked = json!({
        "taskName": "t", "logGroupName": "/vpc/flow", "logStreamNamePrefix": "eni", "from": now - 1000, "to": now,
        "destination": "b", "destinationPrefix": "logs/flow",
    });
    let id = logs(&root, "CreateExportTask", asked).ok().json()["taskId"].clone();
    let id = id.as_str().unwrap();
    let shown = logs(&root, "DescribeExportTasks", json!({"taskId": id})).ok().json();
    assert_eq!(
        shown["exportTasks"][0],
        json!({
            "taskId": id, "taskName": "t", "logGroupName": "/vpc/flow", "from": now - 1000, "to": now,
            "destination": "b", "destinationPrefix": "logs/flow",
            "status": {"code": "COMPLETED", "message": "Completed successfully"},
            "executionInfo": {"creationTime": now, "completionTime": now},
        })
    );
    assert_eq!(object(&store, "logs/flow/aws-logs-write-test"), b"Permission Check Successful");
    // Streams that AWS's keys cannot tell apart keep objects of their own.
    for (number, expected) in
        [(0, "2026-11-01T12:00:00.000Z 1\n"), (1, "2026-11-01T11:59:59.000Z 1\n2026-11-01T12:00:00.000Z 2\n")]
    {
        let mut text = String::new();
        let bytes = object(&store, &format!("logs/flow/{id}/eni-1/{number:06}.gz"));
        GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
        assert_eq!(text, expected);
    }
    assert!(store.object("b", &format!("logs/flow/{id}/eni-2/000000.gz")).is_ok());
    assert!(store.object("b", &format!("logs/flow/{id}/other/000000.gz")).is_err());
    let done = logs(&root, "CancelExportTask", json!({"taskId": id}));
    assert_eq!(done.fault(), "InvalidOperationException 400");
    assert_eq!(done.message(), "The specified export task has already finished");
    let running = logs(&root, "DescribeExportTasks", json!({"statusCode": "RUNNING"})).ok().json();
    assert_eq!(running, json!({"exportTasks": []}));
}

#[test]
fn an_export_needs_a_bucket_that_lets_it_in() {
    let world = world();
    let root = world.root();
    let statement = |action: &str, resource: &str| {
        json!({
            "Effect": "Allow", "Action": action, "Resource": resource,
            "Principal": {"Service": "logs.us-east-1.amazonaws.com"},
            "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:logs:us-east-1:123456789012:log-group:*"}},
        })
    };
    let acl = statement("s3:GetBucketAcl", "arn:aws:s3:::b");
    let write = statement("s3:PutObject", "arn:aws:s3:::b/*");
    let (store, _folder) = with_bucket(&world, None);
    let ask = |more: Value| {
        let asked = json!({"logGroupName": "/vpc/flow", "from": 0, "to": 1, "destination": "b"});
        logs(&root, "CreateExportTask", super::with(&asked, more))
    };
    let failed = |action| {
        format!(
            "{action} call on the given bucket failed. Please check if CloudWatch Logs has been granted \
             permission to perform this operation."
        )
    };
    assert_eq!(ask(json!({})).message(), failed("GetBucketAcl"));
    let policy =
        |statements: Vec<&Value>| json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    store.set_policy("b", Some(&policy(vec![&acl]))).unwrap();
    assert_eq!(ask(json!({})).message(), failed("PutObject"));
    store.set_policy("b", Some(&policy(vec![&acl, &write]))).unwrap();
    let id = ask(json!({})).ok().json()["taskId"].clone();
    let tasks = logs(&root, "DescribeExportTasks", json!({"taskId": id})).ok().json();
    assert_eq!(tasks["exportTasks"][0]["destinationPrefix"], "exportedlogs");

    let missing = "The given bucket does not exist. Please make sure the bucket is valid.";
    assert_eq!(ask(json!({"destination": "x"})).message(), missing);
    assert_eq!(ask(json!({"logGroupName": "x"})).code(), "ResourceNotFoundException");
    assert_eq!(ask(json!({"from": 2})).code(), "InvalidParameterException");
    for action in ["DescribeExportTasks", "CancelExportTask"] {
        let unknown = logs(&root, action, json!({"taskId": "x"}));
        assert_eq!(unknown.message(), "The specified export task does not exist.");
    }
}

#[test]
fn index_policies_are_of_a_group() {
    let world = world();
    let root = world.root();
    let document = r#"{"Fields": ["action", "srcAddr"]}"#;
    let group = json!({"logGroupIdentifier": "/vpc/flow"});
    let of = json!({"logGroupIdentifiers": ["/vpc/flow"]});
    let arn = "arn:aws:logs:us-east-1:123456789012:log-group:/vpc/flow";
    let asked = super::with(&group, json!({"policyDocument": document}));
    let made = logs(&root, "PutIndexPolicy", asked.clone()).ok().json();
    let policy = json!({
        "logGroupIdentifier": arn, "policyDocument": document, "lastUpdateTime": world.now().0, "source": "LOG_GROUP",
    });
    assert_eq!(made, json!({ "indexPolicy": policy }));
    assert_eq!(
        logs(&root, "DescribeIndexPolicies", of.clone()).ok().json(),
        json!({"indexPolicies": [policy]})
    );
    let fields = logs(&root, "DescribeFieldIndexes", of.clone()).ok().json();
    assert_eq!(fields["fieldIndexes"][1]["fieldIndexName"], "srcAddr");
    logs(&root, "DeleteIndexPolicy", group.clone()).ok();
    assert_eq!(logs(&root, "DeleteIndexPolicy", group).code(), "ResourceNotFoundException");
    // A group that is made again has none.
    logs(&root, "PutIndexPolicy", asked).ok();
    logs(&root, "DeleteLogGroup", json!({"logGroupName": "/vpc/flow"})).ok();
    logs(&root, "CreateLogGroup", json!({"logGroupName": "/vpc/flow"})).ok();
    assert_eq!(logs(&root, "DescribeIndexPolicies", of).ok().json(), json!({"indexPolicies": []}));
    let none = logs(&root, "DescribeIndexPolicies", json!({"logGroupIdentifiers": []}));
    assert_eq!(none.code(), "InvalidParameterException");
}

#[test]
fn what_is_not_here_says_why() {
    let answer = logs(&World::new().root(), "PutDeliverySource", json!({}));
    assert_eq!(answer.fault(), "InvalidOperationException 400");
    assert!(answer.message().contains("ec2:CreateFlowLogs"));
}

#[test]
fn five_filters_with_regular_expressions() {
    let world = world();
    let root = world.root();
    let filter = |n: i32| {
        json!({
            "logGroupName": "/vpc/flow", "filterName": format!("f{n}"), "filterPattern": "%a+%",
            "metricTransformations": [{"metricName": "m", "metricNamespace": "n", "metricValue": "1"}],
        })
    };
    for n in 0..5 {
        logs(&root, "PutMetricFilter", filter(n)).ok();
    }
    logs(&root, "PutMetricFilter", filter(4)).ok();
    assert_eq!(logs(&root, "PutMetricFilter", filter(5)).fault(), "LimitExceededException 400");
    let plain = super::with(&filter(6), json!({"filterPattern": "a"}));
    logs(&root, "PutMetricFilter", plain).ok();
}

#[test]
fn filters_say_for_which_accounts_and_regions_they_are() {
    let world = World::emulator();
    let root = world.root();
    logs(&root, "CreateLogGroup", json!({"logGroupName": "g"})).ok();
    let put = |region: &str| {
        let filter = json!({
            "logGroupName": "g", "filterName": region, "filterPattern": "", "destinationArn": TARGET, "roleArn": ROLE,
            "fieldSelectionCriteria": format!("@aws.region = \"{region}\""), "emitSystemFields": ["@aws.region"],
        });
        logs(&root, "PutSubscriptionFilter", filter)
    };
    put("us-east-1").ok();
    put("eu-west-1").ok();
    let shown = logs(&root, "DescribeSubscriptionFilters", json!({"logGroupName": "g"})).ok().json();
    let shown = &shown["subscriptionFilters"][0];
    assert_eq!(shown["fieldSelectionCriteria"], "@aws.region = \"eu-west-1\"");
    assert_eq!(shown["emitSystemFields"], json!(["@aws.region"]));
    let running = world.services.logs.subscription_filters();
    assert_eq!(running.iter().map(|(_, named)| named.name.as_str()).collect::<Vec<_>>(), ["us-east-1"]);
    assert_eq!(put("\"").code(), "InvalidParameterException");
}
