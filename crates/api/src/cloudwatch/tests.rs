//! Metrics and alarms over the whole endpoint, in the query protocol and JSON;
//! CBOR is what boto3 sends (tests/clients).

use super::listener::LogMetrics;
use crate::testing::{Client, Reply, World, allow};
use serde_json::json;
use std::sync::Arc;

fn query(client: &Client<'_>, action: &str, params: &[(&str, &str)]) -> Reply {
    client.query("monitoring", action, params)
}

const ALARM: [(&str, &str); 9] = [
    ("AlarmName", "ssh"),
    ("Namespace", "FlowLogs"),
    ("MetricName", "RejectedSsh"),
    ("Statistic", "Sum"),
    ("Period", "3600"),
    ("EvaluationPeriods", "1"),
    ("Threshold", "10"),
    ("ComparisonOperator", "GreaterThanThreshold"),
    ("AlarmActions.member.1", "http://127.0.0.1:9/hook"),
];

#[test]
fn values_become_statistics() {
    let world = World::new();
    let root = world.root();
    for value in ["1", "3"] {
        let put = [
            ("Namespace", "n"),
            ("MetricData.member.1.MetricName", "m"),
            ("MetricData.member.1.Value", value),
            ("MetricData.member.1.Dimensions.member.1.Name", "d"),
            ("MetricData.member.1.Dimensions.member.1.Value", "x"),
        ];
        query(&root, "PutMetricData", &put).ok();
    }
    let get = [
        ("Namespace", "n"),
        ("MetricName", "m"),
        ("Dimensions.member.1.Name", "d"),
        ("Dimensions.member.1.Value", "x"),
        ("StartTime", "2026-11-01T12:00:00Z"),
        ("EndTime", "2026-11-01T13:00:00"),
        ("Period", "60"),
        ("Statistics.member.1", "Sum"),
        ("Statistics.member.2", "Average"),
        ("ExtendedStatistics.member.1", "p50"),
    ];
    let answer = query(&root, "GetMetricStatistics", &get).ok();
    assert_eq!(answer.text("Timestamp"), "2026-11-01T12:00:00.000Z");
    assert_eq!(
        (answer.text("Sum"), answer.text("Average"), answer.text("value")),
        ("4.0".into(), "2.0".into(), "1.0".into())
    );
    let listed = query(&root, "ListMetrics", &[("Namespace", "n")]).ok();
    assert_eq!(listed.texts("MetricName"), ["m"]);
    let data = json!({
        "StartTime": world.now().seconds(), "EndTime": world.now().seconds() + 60,
        "MetricDataQueries": [
            {"Id": "m1", "ReturnData": false, "MetricStat": {
                "Metric": {"Namespace": "n", "MetricName": "m", "Dimensions": [{"Name": "d", "Value": "x"}]},
                "Period": 60, "Stat": "Sum"}},
            {"Id": "e1", "Expression": "m1 * 2"},
        ],
    });
    let answer = root.json("monitoring", "GetMetricData", data).ok().json();
    assert_eq!(answer["MetricDataResults"].as_array().unwrap().len(), 1);
    assert_eq!(answer["MetricDataResults"][0]["Values"], json!([8.0]));
    assert_eq!(answer["MetricDataResults"][0]["Timestamps"], json!([world.now().seconds()]));
}

#[test]
fn faults_have_their_codes_in_every_form() {
    let world = World::new();
    let root = world.root();
    for (action, params, expected) in [
        ("PutMetricData", vec![], "MissingParameter 400"),
        (
            "PutMetricData",
            vec![("Namespace", "AWS/x"), ("MetricData.member.1.MetricName", "m")],
            "InvalidParameterValue 400",
        ),
        (
            "PutMetricData",
            vec![
                ("Namespace", "n"),
                ("MetricData.member.1.MetricName", "m"),
                ("MetricData.member.1.Value", "NaN"),
            ],
            "InvalidParameterValue 400",
        ),
        (
            "SetAlarmState",
            vec![("AlarmName", "a"), ("StateValue", "OK"), ("StateReason", "r")],
            "ResourceNotFound 404",
        ),
        ("DescribeAlarms", vec![("NextToken", "x")], "InvalidNextToken 400"),
        ("DescribeAlarms", vec![("StateValue", "x")], "ValidationError 400"),
        ("PutMetricAlarm", vec![("AlarmName", "a")], "MissingParameter 400"),
        ("GetNothing", vec![], "InvalidAction 400"),
    ] {
        assert_eq!(query(&root, action, &params).fault(), expected, "{action} {params:?}");
    }
    let told = root.json("monitoring", "PutMetricData", json!({}));
    assert_eq!(told.code(), "MissingRequiredParameterException");
    assert_eq!(told.headers["x-amzn-query-error"], "MissingParameter;Sender");
}

#[test]
fn rejected_ssh_raises_an_alarm() {
    let world = World::new();
    world.services.logs.listen(Arc::new(LogMetrics(world.services.metrics.clone())));
    let root = world.root();
    root.json("logs", "CreateLogGroup", json!({"logGroupName": "g"})).ok();
    root.json("logs", "CreateLogStream", json!({"logGroupName": "g", "logStreamName": "s"})).ok();
    let filter = json!({
        "logGroupName": "g", "filterName": "f", "filterPattern": "[..., dstport=22, p, n, b, s, e, action=REJECT, status]",
        "metricTransformations": [{"metricName": "RejectedSsh", "metricNamespace": "FlowLogs", "metricValue": "1"}],
    });
    root.json("logs", "PutMetricFilter", filter).ok();
    query(&root, "PutMetricAlarm", &ALARM).ok();
    let line = "2 1 eni-1 192.0.2.1 10.0.0.5 39611 22 6 1 40 1563108188 1563108227 REJECT OK";
    let put = |count: usize| {
        let events = vec![json!({"timestamp": world.now().0, "message": line}); count];
        root.json(
            "logs",
            "PutLogEvents",
            json!({"logGroupName": "g", "logStreamName": "s", "logEvents": events}),
        )
        .ok();
        let metrics = &world.services.metrics;
        metrics.evaluate_alarms(world.now(), world.now()).unwrap();
        query(&root, "DescribeAlarms", &[]).ok().text("StateValue")
    };
    assert_eq!(put(10), "INSUFFICIENT_DATA");
    assert_eq!(put(1), "ALARM");
    let history = query(&root, "DescribeAlarmHistory", &[("HistoryItemType", "StateUpdate")]).ok();
    assert_eq!(history.texts("HistorySummary"), ["Alarm updated from INSUFFICIENT_DATA to ALARM"]);
    let of = [("Namespace", "FlowLogs"), ("MetricName", "RejectedSsh")];
    assert_eq!(query(&root, "DescribeAlarmsForMetric", &of).ok().texts("AlarmName"), ["ssh"]);
    let text = super::prometheus::render(&world.services.metrics);
    assert!(
        text.contains("flowlogs_rejectedssh_sum{account=\"123456789012\",region=\"us-east-1\"} 11\n"),
        "{text}"
    );
    assert!(text.contains("alarm=\"ssh\",state=\"ALARM\"} 1\n"), "{text}");
    assert!(text.contains("aws_logs_incominglogevents_sum{account=\"123456789012\",region=\"us-east-1\",loggroupname=\"g\"} 11\n"), "{text}");
}

#[test]
fn alarms_are_tagged_disabled_and_deleted() {
    let world = World::new();
    let root = world.root();
    query(&root, "PutMetricAlarm", &ALARM).ok();
    let arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:ssh";
    query(
        &root,
        "TagResource",
        &[("ResourceARN", arn), ("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "b")],
    )
    .ok();
    assert_eq!(query(&root, "ListTagsForResource", &[("ResourceARN", arn)]).ok().text("Value"), "b");
    query(&root, "UntagResource", &[("ResourceARN", arn), ("TagKeys.member.1", "a")]).ok();
    assert!(query(&root, "ListTagsForResource", &[("ResourceARN", arn)]).ok().texts("Value").is_empty());
    query(&root, "DisableAlarmActions", &[("AlarmNames.member.1", "ssh")]).ok();
    let set = [("AlarmName", "ssh"), ("StateValue", "ALARM"), ("StateReason", "test")];
    query(&root, "SetAlarmState", &set).ok();
    assert!(world.services.metrics.alarms.pending().is_empty());
    let shown = query(&root, "DescribeAlarms", &[("AlarmNamePrefix", "s")]).ok();
    assert_eq!((shown.text("ActionsEnabled"), shown.text("StateReason")), ("false".into(), "test".into()));
    query(&root, "EnableAlarmActions", &[("AlarmNames.member.1", "ssh")]).ok();
    query(&root, "SetAlarmState", &[set[0], ("StateValue", "OK"), set[2]]).ok();
    query(&root, "SetAlarmState", &set).ok();
    assert_eq!(world.services.metrics.alarms.pending().len(), 1);
    query(&root, "DeleteAlarms", &[("AlarmNames.member.1", "ssh"), ("AlarmNames.member.2", "none")]).ok();
    assert!(query(&root, "DescribeAlarms", &[]).ok().texts("AlarmName").is_empty());
}

#[test]
fn policies_decide() {
    let world = World::new();
    world.role("reader", &allow("cloudwatch:Describe*"));
    let reader = world.root().assume("reader");
    query(&reader, "DescribeAlarms", &[]).ok();
    assert_eq!(query(&reader, "PutMetricAlarm", &ALARM).fault(), "AccessDenied 403");
    assert_eq!(query(&reader, "ListMetrics", &[]).fault(), "AccessDenied 403");
}
