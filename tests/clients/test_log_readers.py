"""What people read CloudWatch Logs with: awslogs and boto3's paginators; and an export to a bucket."""

import gzip
import json
import os
import signal
import subprocess
import threading
import time

import pytest
from conftest import AWS, PATIENCE_S

GROUP = "/vpc/flow"
AWSLOGS = os.path.join(os.path.dirname(AWS), "awslogs")
STREAMS = [f"eni-{i:03}-all" for i in range(8)]


@pytest.fixture
def filled(weir):
    """A server with a group of eight streams; the first two have events of now and of two hours ago."""
    logs = weir.boto("logs")
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_group(logGroupName="/other")
    for stream in STREAMS:
        logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
    now = int(time.time() * 1000)
    for stream in STREAMS[:2]:
        events = [
            {"timestamp": now - 7_200_000, "message": f"{stream} old"},
            {"timestamp": now - 1000, "message": f"{stream} REJECT new"},
        ]
        logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=events)
    weir.logs = logs
    return weir


class Following:
    """A program that follows a group, and its lines as they come."""

    def __init__(self, server, *command):
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=server.env() | {"PYTHONUNBUFFERED": "1"},
        )
        self.lines, self.changed = [], threading.Condition()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line)
                self.changed.notify_all()

    def wait_for(self, text):
        with self.changed:
            found = self.changed.wait_for(lambda: any(text in line for line in self.lines), PATIENCE_S)
        assert found, f"{text} is not in {self.lines}"

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


def awslogs(server, *arguments):
    done = subprocess.run(
        [AWSLOGS, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=server.env(),
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, f"{done.stdout} {done.stderr} {server.drain()}"
    return done.stdout.splitlines()


def put(server, stream, message):
    event = {"timestamp": int(time.time() * 1000), "message": message}
    server.logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=[event])


def test_awslogs(filled):
    assert awslogs(filled, "groups") == ["/other", GROUP]
    # Those with events in the time asked for, and those that have none at all.
    assert awslogs(filled, "streams", GROUP, "-s", "1h") == STREAMS
    got = awslogs(filled, "get", GROUP, "ALL", "-s", "1h", "--no-color")
    assert sorted(got) == [f"{GROUP} {stream} {stream} REJECT new" for stream in STREAMS[:2]]
    got = awslogs(filled, "get", GROUP, "eni-001.*", "-s", "3h", "-f", "?old ?ACCEPT", "-G", "-S", "--no-color")
    assert got == ["eni-001-all old"]

    watching = Following(filled, AWSLOGS, "get", GROUP, "ALL", "-w", "-i", "1", "-s", "1h", "--no-color")
    try:
        watching.wait_for("REJECT new")
        put(filled, STREAMS[5], "a late one")
        watching.wait_for("a late one")
    finally:
        watching.stop()


def test_every_paginator(filled):
    logs = filled.logs
    kinesis = "arn:aws:kinesis:us-east-1:123456789012:stream/s"
    transformation = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
    for i in range(3):
        logs.put_metric_filter(
            logGroupName=GROUP, filterName=f"f{i}", filterPattern="", metricTransformations=[transformation]
        )
        logs.put_query_definition(name=f"q{i}", queryString="limit 1")
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "delivery.logs.amazonaws.com"},
            "Action": "logs:PutLogEvents",
            "Resource": "*",
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        logs.put_resource_policy(policyName=f"p{i}", policyDocument=document)
    for operation, member, arguments, expected in [
        ("describe_log_groups", "logGroups", {}, 2),
        ("describe_log_streams", "logStreams", {"logGroupName": GROUP}, len(STREAMS)),
        ("describe_log_streams", "logStreams", {"logGroupName": GROUP, "orderBy": "LastEventTime"}, len(STREAMS)),
        ("describe_metric_filters", "metricFilters", {"logGroupName": GROUP}, 3),
        ("describe_subscription_filters", "subscriptionFilters", {"logGroupName": GROUP}, 0),
        ("describe_resource_policies", "resourcePolicies", {}, 3),
        ("describe_destinations", "destinations", {}, 0),
        ("describe_export_tasks", "exportTasks", {}, 0),
        ("describe_queries", "queries", {}, 0),
        ("filter_log_events", "events", {"logGroupName": GROUP}, 4),
    ]:
        found = []
        for page in logs.get_paginator(operation).paginate(**arguments, PaginationConfig={"PageSize": 1}):
            assert len(page[member]) <= 1, operation
            found += page[member]
        assert len(found) == expected, operation
        assert len({json.dumps(item, sort_keys=True, default=str) for item in found}) == expected, operation
    with pytest.raises(logs.exceptions.InvalidParameterException):
        logs.put_destination(destinationName="d", targetArn=kinesis, roleArn="arn:aws:iam::123456789012:role/none")


def test_export_to_a_bucket(filled):
    s3 = filled.boto("s3")
    s3.create_bucket(Bucket="exported")
    statement = {"Effect": "Allow", "Principal": {"Service": "logs.us-east-1.amazonaws.com"}}
    s3.put_bucket_policy(
        Bucket="exported",
        Policy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    statement | {"Action": "s3:GetBucketAcl", "Resource": "arn:aws:s3:::exported"},
                    statement | {"Action": "s3:PutObject", "Resource": "arn:aws:s3:::exported/*"},
                ],
            }
        ),
    )
    logs, now = filled.logs, int(time.time() * 1000)
    task = logs.create_export_task(
        logGroupName=GROUP, fromTime=now - 3_600_000, to=now, destination="exported", destinationPrefix="flow"
    )["taskId"]
    deadline = time.monotonic() + PATIENCE_S
    while logs.describe_export_tasks(taskId=task)["exportTasks"][0]["status"]["code"] != "COMPLETED":
        assert time.monotonic() < deadline, logs.describe_export_tasks(taskId=task)
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket="exported")["Contents"]]
    assert keys == sorted(
        ["flow/aws-logs-write-test"] + [f"flow/{task}/{stream}/000000.gz" for stream in STREAMS[:2]]
    )
    body = s3.get_object(Bucket="exported", Key=f"flow/{task}/{STREAMS[0]}/000000.gz")["Body"].read()
    line = gzip.decompress(body).decode()
    assert line.endswith(f"Z {STREAMS[0]} REJECT new\n") and len(line.splitlines()) == 1
