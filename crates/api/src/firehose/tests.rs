use super::intake::Intake;
use crate::testing::{ACCOUNT, World, allow};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// Keeps what it is given; full when told so.
#[derive(Default)]
struct Kept {
    records: Mutex<Vec<Vec<u8>>>,
    is_full: Mutex<bool>,
}

impl Intake for Kept {
    fn put(&self, _: &str, records: &[Vec<u8>]) -> Result<(), String> {
        if *self.is_full.lock().unwrap() {
            return Err("full".into());
        }
        self.records.lock().unwrap().extend(records.iter().cloned());
        Ok(())
    }

    fn forget(&self, _: &str) {
        self.records.lock().unwrap().clear();
    }

    fn flush(&self, _: &str) {}
}

fn world() -> (World, Arc<Kept>) {
    let world = World::new();
    let kept = Arc::new(Kept::default());
    drop(world.services.intake.set(kept.clone()));
    world.role("delivery", &allow("s3:PutObject"));
    (world, kept)
}

fn s3() -> Value {
    json!({"RoleARN": format!("arn:aws:iam::{ACCOUNT}:role/delivery"), "BucketARN": "arn:aws:s3:::b"})
}

#[test]
fn a_stream_is_made_shown_changed_and_deleted() {
    let (world, kept) = world();
    let ask = |action: &str, members: Value| world.root().json("firehose", action, members);
    let made = ask(
        "CreateDeliveryStream",
        json!({"DeliveryStreamName": "s", "ExtendedS3DestinationConfiguration": s3()}),
    );
    assert_eq!(
        made.ok().json()["DeliveryStreamARN"],
        format!("arn:aws:firehose:us-east-1:{ACCOUNT}:deliverystream/s")
    );
    let again =
        ask("CreateDeliveryStream", json!({"DeliveryStreamName": "s", "S3DestinationConfiguration": s3()}));
    assert_eq!(again.code(), "ResourceInUseException");
    let shown = ask("DescribeDeliveryStream", json!({"DeliveryStreamName": "s"})).ok().json();
    let shown = &shown["DeliveryStreamDescription"];
    assert_eq!((&shown["VersionId"], &shown["DeliveryStreamStatus"]), (&json!("1"), &json!("ACTIVE")));
    let s3_shown = &shown["Destinations"][0]["S3DestinationDescription"];
    assert_eq!(s3_shown["BufferingHints"], json!({"SizeInMBs": 5, "IntervalInSeconds": 300}));

    let update = json!({"DeliveryStreamName": "s", "CurrentDeliveryStreamVersionId": "1",
        "DestinationId": "destinationId-000000000001", "ExtendedS3DestinationUpdate": {"Prefix": "p/"}});
    ask("UpdateDestination", update.clone()).ok();
    assert_eq!(ask("UpdateDestination", update).code(), "ConcurrentModificationException");
    let shown = ask("DescribeDeliveryStream", json!({"DeliveryStreamName": "s"})).ok().json();
    let destination = &shown["DeliveryStreamDescription"]["Destinations"][0];
    assert_eq!(destination["ExtendedS3DestinationDescription"]["Prefix"], "p/");
    assert_eq!(destination["S3DestinationDescription"]["Prefix"], "p/");

    ask("PutRecord", json!({"DeliveryStreamName": "s", "Record": {"Data": "b25l"}})).ok();
    let batch = json!({"DeliveryStreamName": "s", "Records": [{"Data": "dHdv"}, {"Data": ""}]});
    let answer = ask("PutRecordBatch", batch.clone()).ok().json();
    assert_eq!(
        (answer["FailedPutCount"].as_u64(), answer["RequestResponses"].as_array().unwrap().len()),
        (Some(0), 2)
    );
    assert_eq!(*kept.records.lock().unwrap(), [b"one".to_vec(), b"two".to_vec(), Vec::new()]);
    *kept.is_full.lock().unwrap() = true;
    assert_eq!(ask("PutRecordBatch", batch.clone()).code(), "ServiceUnavailableException");

    ask("DeleteDeliveryStream", json!({"DeliveryStreamName": "s"})).ok();
    assert!(kept.records.lock().unwrap().is_empty());
    assert_eq!(ask("PutRecordBatch", batch).code(), "ResourceNotFoundException");
}

#[test]
fn what_cannot_be_is_refused() {
    let (world, _) = world();
    let ask =
        |members: Value| world.root().json("firehose", "CreateDeliveryStream", members).code().to_owned();
    let with = |changes: Value| {
        let mut config = s3();
        config.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        ask(json!({"DeliveryStreamName": "s", "ExtendedS3DestinationConfiguration": config}))
    };
    for changes in [
        json!({"RoleARN": "arn:aws:iam::123456789012:role/missing"}),
        json!({"BucketARN": "b"}),
        json!({"CompressionFormat": "ZIP"}),
        json!({"CompressionFormat": "BZIP"}),
        json!({"BufferingHints": {"SizeInMBs": 5}}),
        json!({"BufferingHints": {"SizeInMBs": 500, "IntervalInSeconds": 60}}),
        json!({"Prefix": "!{timestamp:yyyy}/"}),
        json!({"Prefix": "!{other:x}/", "ErrorOutputPrefix": "!{firehose:error-output-type}/"}),
        json!({"DynamicPartitioningConfiguration": {"Enabled": true}}),
        json!({"ProcessingConfiguration": {"Enabled": true, "Processors": [{"Type": "Lambda"}]}}),
    ] {
        assert_eq!(with(changes.clone()), "InvalidArgumentException", "{changes}");
    }
    assert_eq!(ask(json!({"DeliveryStreamName": "s"})), "InvalidArgumentException");
    assert_eq!(
        ask(json!({"DeliveryStreamName": "a b", "S3DestinationConfiguration": s3()})),
        "ValidationException"
    );
    assert_eq!(ask(json!({"S3DestinationConfiguration": s3()})), "ValidationException");
    let splunk = json!({"DeliveryStreamName": "s", "SplunkDestinationConfiguration": {}});
    assert_eq!(ask(splunk), "InvalidArgumentException");
}

#[test]
fn settings_that_would_do_nothing_are_refused() {
    let (world, _) = world();
    let ask = |action: &str, members: Value| world.root().json("firehose", action, members);
    let create = |more: Value| {
        let mut given = s3();
        given.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ask(
            "CreateDeliveryStream",
            json!({"DeliveryStreamName": "s", "ExtendedS3DestinationConfiguration": given}),
        )
    };
    for wrong in [
        json!({"CustomTimeZone": "Europe/Berlin"}),
        json!({"S3BackupMode": "Enabled"}),
        json!({"S3BackupMode": "Enabled", "S3BackupConfiguration": {"BucketARN": "arn:aws:s3:::c"}}),
        json!({"EncryptionConfiguration": {"KMSEncryptionConfig": {}}}),
    ] {
        assert_eq!(create(wrong.clone()).code(), "InvalidArgumentException", "{wrong}");
    }
    create(json!({
        "CustomTimeZone": "UTC", "S3BackupMode": "Enabled", "S3BackupConfiguration": s3(),
        "Prefix": "!{timestamp:yyyy}/", "ErrorOutputPrefix": "e/!{firehose:error-output-type}/",
    }))
    .ok();
    // An update is checked with what it leaves.
    let mut version = 1;
    for (update, is_right) in [
        (json!({"ErrorOutputPrefix": "e/"}), false),
        (json!({"Prefix": "!{timestamp:MM}/"}), true),
        (json!({"S3BackupUpdate": {"Prefix": "raw/"}}), true),
        (json!({"Prefix": "plain/", "ErrorOutputPrefix": ""}), true),
        (json!({"Prefix": "!{timestamp:MM}/"}), false),
    ] {
        let members = json!({"DeliveryStreamName": "s", "CurrentDeliveryStreamVersionId": version.to_string(),
            "DestinationId": "destinationId-000000000001", "ExtendedS3DestinationUpdate": update});
        let answer = ask("UpdateDestination", members);
        if is_right {
            answer.ok();
            version += 1;
        } else {
            assert_eq!(answer.code(), "InvalidArgumentException", "{update}");
        }
    }
    let shown = ask("DescribeDeliveryStream", json!({"DeliveryStreamName": "s"})).ok().json();
    let shown = &shown["DeliveryStreamDescription"]["Destinations"][0]["ExtendedS3DestinationDescription"];
    let backup = &shown["S3BackupDescription"];
    assert_eq!((&backup["Prefix"], &backup["BucketARN"]), (&json!("raw/"), &json!("arn:aws:s3:::b")));
}

#[test]
fn tags_decide_who_may_put() {
    let (world, _) = world();
    let root = world.root();
    root.json(
        "firehose",
        "CreateDeliveryStream",
        json!({"DeliveryStreamName": "s", "S3DestinationConfiguration": s3()}),
    )
    .ok();
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"firehose:PutRecord","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/LogDeliveryEnabled":"true"}}}]}"#;
    world.role("writer", policy);
    let writer = root.assume("writer");
    let put = json!({"DeliveryStreamName": "s", "Record": {"Data": "b25l"}});
    assert_eq!(writer.json("firehose", "PutRecord", put.clone()).code(), "AccessDeniedException");
    let tags = json!([{"Key": "LogDeliveryEnabled", "Value": "true"}]);
    root.json("firehose", "TagDeliveryStream", json!({"DeliveryStreamName": "s", "Tags": tags})).ok();
    writer.json("firehose", "PutRecord", put.clone()).ok();
    root.json(
        "firehose",
        "UntagDeliveryStream",
        json!({"DeliveryStreamName": "s", "TagKeys": ["LogDeliveryEnabled"]}),
    )
    .ok();
    assert_eq!(writer.json("firehose", "PutRecord", put).code(), "AccessDeniedException");
}

#[test]
fn a_flow_log_to_a_stream_tags_it_and_makes_the_role() {
    let (world, _) = world();
    let root = world.root();
    let vpc = root.query("ec2", "CreateVpc", &[("CidrBlock", "10.0.0.0/16")]).ok();
    let vpc = vpc.text("vpcId").to_owned();
    let arn = format!("arn:aws:firehose:us-east-1:{ACCOUNT}:deliverystream/s");
    let create = || {
        root.query(
            "ec2",
            "CreateFlowLogs",
            &[
                ("ResourceType", "VPC"),
                ("ResourceId.1", vpc.as_str()),
                ("TrafficType", "ALL"),
                ("LogDestinationType", "kinesis-data-firehose"),
                ("LogDestination", arn.as_str()),
            ],
        )
    };
    assert_eq!(create().ok().text("message"), "LogDestination: s does not exist.");
    root.json(
        "firehose",
        "CreateDeliveryStream",
        json!({"DeliveryStreamName": "s", "S3DestinationConfiguration": s3()}),
    )
    .ok();
    create().ok();
    let tags =
        root.json("firehose", "ListTagsForDeliveryStream", json!({"DeliveryStreamName": "s"})).ok().json();
    assert_eq!(tags["Tags"], json!([{"Key": "LogDeliveryEnabled", "Value": "true"}]));
    root.query("iam", "GetRole", &[("RoleName", "AWSServiceRoleForLogDelivery")]).ok();
}
