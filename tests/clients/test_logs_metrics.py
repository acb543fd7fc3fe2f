"""Metrics, alarms, subscriptions and live tail with boto3, which speaks RPC v2 in CBOR to CloudWatch."""

import base64
import gzip
import json
import os
import stat
import time
from datetime import datetime, timedelta, timezone

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from conftest import make_role
from test_logs_guides import Receiver, receiver  # noqa: F401

RECORD = "2 123456789012 eni-1 203.0.113.12 10.0.1.10 40001 22 6 20 4249 1418530010 1418530070 {} OK"


def group(logs, name="g"):
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")


def put(logs, *messages, name="g"):
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": message} for message in messages]
    logs.put_log_events(logGroupName=name, logStreamName="s", logEvents=events)


def code(call, **arguments):
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return refused.value.response["Error"]["Code"]


def test_metric_data_round_trips(weir):
    cloudwatch = weir.boto("cloudwatch")
    now = datetime.now(timezone.utc).replace(second=0, microsecond=0)
    data = [{"MetricName": f"m{n}", "Value": n, "Timestamp": now, "Unit": "Count"} for n in range(1, 600)]
    cloudwatch.put_metric_data(Namespace="n", MetricData=data)  # large: compressed by the SDK
    listed = [m for page in cloudwatch.get_paginator("list_metrics").paginate(Namespace="n") for m in page["Metrics"]]
    assert len(listed) == 599
    dimensions = [{"Name": "a", "Value": "b"}]
    for value in (1.5, 2.5):
        cloudwatch.put_metric_data(
            Namespace="n", MetricData=[{"MetricName": "d", "Dimensions": dimensions, "Value": value}]
        )
    asked = dict(Namespace="n", MetricName="d", Dimensions=dimensions, Period=3600)
    span = dict(StartTime=now - timedelta(minutes=30), EndTime=now + timedelta(minutes=10))
    [point] = cloudwatch.get_metric_statistics(
        **asked, **span, Statistics=["Sum", "Average"], ExtendedStatistics=["p50"]
    )["Datapoints"]
    assert (point["Sum"], point["Average"], point["ExtendedStatistics"]) == (4.0, 2.0, {"p50": 1.5})
    assert point["Timestamp"].tzinfo is not None
    metric = {"Namespace": "n", "MetricName": "d", "Dimensions": dimensions}
    queries = [
        {"Id": "m", "MetricStat": {"Metric": metric, "Period": 86400, "Stat": "Sum"}, "ReturnData": False},
        {"Id": "e", "Expression": "m / 2"},
    ]
    [result] = cloudwatch.get_metric_data(MetricDataQueries=queries, **span)["MetricDataResults"]
    assert (result["Id"], sum(result["Values"])) == ("e", 2.0)
    assert code(cloudwatch.set_alarm_state, AlarmName="x", StateValue="OK", StateReason="r") == "ResourceNotFound"
    assert code(cloudwatch.get_metric_statistics, **asked, **span) == "InvalidParameterCombination"


def test_metrics_and_alarms_survive_a_kill(serve):
    server = serve()
    logs, cloudwatch = server.boto("logs"), server.boto("cloudwatch")
    group(logs)
    logs.put_metric_filter(
        logGroupName="g",
        filterName="f",
        filterPattern="[version, account, eni, source, destination, srcport, dstport, protocol, packets, bytes, start, end, action=REJECT, status]",
        metricTransformations=[{"metricName": "r", "metricNamespace": "n", "metricValue": "$bytes"}],
    )
    cloudwatch.put_metric_alarm(
        AlarmName="a",
        Namespace="n",
        MetricName="d",
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=5,
        ComparisonOperator="GreaterThanThreshold",
    )
    cloudwatch.put_metric_data(Namespace="n", MetricData=[{"MetricName": "d", "Value": 7}])
    server.kill()
    server.start()
    logs, cloudwatch = server.boto("logs"), server.boto("cloudwatch")
    assert [m["MetricName"] for m in cloudwatch.list_metrics(Namespace="n")["Metrics"]] == ["d"]
    assert [a["AlarmName"] for a in cloudwatch.describe_alarms()["MetricAlarms"]] == ["a"]
    put(logs, RECORD.format("REJECT"), RECORD.format("ACCEPT"))
    now = datetime.now(timezone.utc)
    span = dict(StartTime=now - timedelta(minutes=5), EndTime=now + timedelta(minutes=5), Period=3600)
    [point] = cloudwatch.get_metric_statistics(Namespace="n", MetricName="r", Statistics=["Sum"], **span)["Datapoints"]
    assert point["Sum"] == 4249.0


def test_commands_run_only_if_they_are_allowed(serve, tmp_path):
    script, fifo = tmp_path / "page", tmp_path / "fifo"
    script.write_text(f'#!/bin/sh\necho "$WEIR_ALARM_NAME $WEIR_ALARM_STATE" > {fifo}\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    os.mkfifo(fifo)
    server = serve("--allow-alarm-command", str(script))
    cloudwatch = server.boto("cloudwatch")
    alarm = dict(
        Namespace="n",
        MetricName="m",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    cloudwatch.put_metric_alarm(AlarmName="no", AlarmActions=["exec:/bin/true"], **alarm)
    cloudwatch.put_metric_alarm(AlarmName="yes", AlarmActions=[f"exec:{script}"], **alarm)
    for name in ("no", "yes"):
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="test")
    assert fifo.read_text() == "yes ALARM\n"
    server.wait_for_line(lambda e: e["fields"].get("alarm") == "no" and "not allowed" in e["fields"].get("error", ""))
    history = cloudwatch.describe_alarm_history(AlarmName="no", HistoryItemType="Action")["AlarmHistoryItems"]
    assert "Failed to execute action exec:/bin/true" in [item["HistorySummary"] for item in history]


def live_tail(server, **arguments):
    logs = boto3.client(
        "logs",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id=server.key[0],
        aws_secret_access_key=server.key[1],
        config=Config(inject_host_prefix=False),
    )
    arn = "arn:aws:logs:us-east-1:123456789012:log-group:g"
    stream = iter(logs.start_live_tail(logGroupIdentifiers=[arn], **arguments)["responseStream"])
    assert next(stream)["sessionStart"]["logGroupIdentifiers"] == [arn]
    return stream


def test_live_tail(weir):
    logs = weir.boto("logs")
    group(logs)
    stream = live_tail(weir, logEventFilterPattern="REJECT")
    put(logs, RECORD.format("ACCEPT"), RECORD.format("REJECT"))
    for update in stream:
        results = update["sessionUpdate"]["sessionResults"]
        if results:
            break
    assert [(r["logStreamName"], r["message"]) for r in results] == [("s", RECORD.format("REJECT"))]
    assert update["sessionUpdate"]["sessionMetadata"] == {"sampled": False}
    # A stream that nobody holds is closed, and its session ends.
    held = [stream, *(live_tail(weir) for _ in range(14))]
    with pytest.raises(ClientError, match="15 live tail sessions"):
        live_tail(weir)
    # The place of one that is gone is free again: at the latest with the second update after it.
    del held[-1]
    deadline = time.monotonic() + 20
    while True:
        try:
            held.append(live_tail(weir))
            break
        except ClientError:
            assert time.monotonic() < deadline


TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "logs.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def unpack(data):
    return json.loads(gzip.decompress(base64.b64decode(data)))


def test_subscriptions_in_the_envelope_of_aws(serve, receiver):  # noqa: F811
    endpoints = [f"--subscription-endpoint={name}={receiver.url}" for name in ("lambda", "kinesis", "firehose")]
    server = serve(*endpoints)
    logs = server.boto("logs")
    role = make_role(server, "stream", TRUST, None)
    for name, resource, extra in (
        ("lambda", "function:f", {}),
        ("kinesis", "stream/s", {"roleArn": role}),
        ("firehose", "deliverystream/d", {"roleArn": role}),
    ):
        group(logs, name)
        subscription = dict(
            logGroupName=name,
            filterName="f",
            filterPattern="[..., action=REJECT, status]",
            destinationArn=f"arn:aws:{name}:us-east-1:123456789012:{resource}",
        )
        if extra:
            assert code(logs.put_subscription_filter, **subscription) == "InvalidParameterException"
        logs.put_subscription_filter(**subscription, **extra)
        put(logs, RECORD.format("ACCEPT"), RECORD.format("REJECT"), name=name)
    wanted = {
        "lambda": lambda path, head, body: "/functions/f/" in path and head["x-amz-invocation-type"] == "Event",
        "kinesis": lambda path, head, body: head.get("x-amz-target") == "Kinesis_20131202.PutRecords",
        "firehose": lambda path, head, body: head.get("x-amz-target") == "Firehose_20150804.PutRecordBatch",
    }
    for name, mine in wanted.items():
        def records(request):
            body = json.loads(request[2])
            if name == "lambda":
                return [unpack(body["awslogs"]["data"])]
            return [unpack(record["Data"]) for record in body["Records"]]

        def arrived(r):
            found = [record for request in r.requests if mine(*request) for record in records(request)]
            return [record for record in found if record["messageType"] == "DATA_MESSAGE"]

        [record] = receiver.wait(arrived)
        assert (record["owner"], record["logGroup"], record["logStream"]) == ("123456789012", name, "s")
        assert record["subscriptionFilters"] == ["f"]
        [event] = record["logEvents"]
        assert (event["message"], len(event["id"])) == (RECORD.format("REJECT"), 56)
        assert event["extractedFields"]["action"] == "REJECT"
    bodies = [json.loads(body) for _, _, body in receiver.requests]
    sent = [unpack(record["Data"]) for body in bodies for record in body.get("Records", [])]
    control = [record for record in sent if record["messageType"] == "CONTROL_MESSAGE"]
    assert len(control) == 2


class Refusing(Receiver):
    """Refuses until it is told otherwise."""

    refuses = True

    def take(self, path, headers, body):
        return (503, {}) if self.refuses else super().take(path, headers, body)


def test_what_cannot_be_sent_is_sent_again_after_a_restart_or_buried(serve, tmp_path):
    search = Refusing()
    try:
        server = serve()
        logs = server.boto("logs")
        group(logs)
        destination = f"weir:opensearch:{search.url}/flow"
        logs.put_subscription_filter(
            logGroupName="g", filterName="f", filterPattern="", destinationArn=destination
        )
        put(logs, RECORD.format("REJECT"))
        search.wait(lambda r: r.requests)
        server.kill()
        search.refuses = False
        server.start()
        [document] = search.wait(lambda r: list(r.documents.values()))
        assert document["action"] == "REJECT"
        server.stop()

        search.refuses = True
        server.arguments = ("--subscription-patience", "0.001")
        server.start()
        put(server.boto("logs"), RECORD.format("ACCEPT"))
        server.wait_for_line(lambda e: "dead letters" in e["fields"].get("message", ""))
        metrics = server.boto("cloudwatch").list_metrics(Namespace="AWS/Logs", MetricName="DroppedLogEvents")
        assert len(metrics["Metrics"]) == 1
        server.stop()
        with open(os.path.join(server.data_dir, "subscriptions", "dead-letters.jsonl")) as file:
            letters = [json.loads(line)["message"] for line in file]
        # The first record as well if the server was stopped before it had noted that it arrived.
        assert letters[-1]["logEvents"][-1]["message"] == RECORD.format("ACCEPT")
    finally:
        search.close()


def test_destinations_that_cannot_be_reached_are_refused(weir):
    logs = weir.boto("logs")
    group(logs)
    for destination in (
        "arn:aws:lambda:us-east-1:123456789012:function:f",
        "arn:aws:sns:us-east-1:123456789012:topic",
        "weir:opensearch:http://127.0.0.1:9/index",
    ):
        refused = code(
            logs.put_subscription_filter,
            logGroupName="g",
            filterName="f",
            filterPattern="",
            destinationArn=destination,
        )
        assert refused == "InvalidParameterException", destination
    assert logs.describe_subscription_filters(logGroupName="g")["subscriptionFilters"] == []
