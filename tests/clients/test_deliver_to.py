"""Flow logs delivered to services outside: another server stands for AWS."""

import json
import subprocess

import pytest
from conftest import PATIENCE_S, WEIR, WRITE_LOGS, make_role
from netns import INSIDE, OUTSIDE, Pair
from test_firehose import bodies, make_stream, wait_for_delivery
from test_s3_delivery import attach, create, objects, packets

DELIVER = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Resource": "*",
           "Action": ["s3:PutObject", "firehose:PutRecordBatch", "sts:AssumeRole"]}}  # fmt: skip


def test_credentials_are_needed(tmp_path):
    done = subprocess.run(
        [WEIR, "serve", "--listen", "127.0.0.1:0", "--data-dir", tmp_path, "--deliver-to", "s3=aws"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_S,
        env={"HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"},
    )  # fmt: skip
    assert done.returncode != 0
    assert "--deliver-to needs AWS credentials" in done.stderr and "hint: set AWS_ACCESS_KEY_ID" in done.stderr


@pytest.mark.live
def test_records_go_to_services_outside(serve):
    with Pair() as pair:
        aws = serve(name="aws")
        iam = aws.boto("iam")
        user = iam.create_user(UserName="weir")["User"]["Arn"]
        iam.put_user_policy(UserName="weir", PolicyName="deliver", PolicyDocument=json.dumps(DELIVER))
        key = iam.create_access_key(UserName="weir")["AccessKey"]
        trust = {"Version": "2012-10-17",
                 "Statement": {"Effect": "Allow", "Principal": {"AWS": user}, "Action": "sts:AssumeRole"}}  # fmt: skip
        role = make_role(aws, name="from-weir", trust=trust, policy=WRITE_LOGS)
        aws.boto("s3").create_bucket(Bucket="flows")
        stream = make_stream(aws)

        chosen = [word for service in ("s3", "logs", "firehose") for word in ("--deliver-to", f"{service}={aws.url}")]
        env = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
        here = serve(*chosen, "--interval", "1", "--s3-publish-every", "1", name="here", env=env)
        ec2 = here.boto("ec2")
        network, eni = attach(here, pair)
        # Neither the bucket nor the role nor the stream is here.
        made = [
            create(ec2, network, "arn:aws:s3:::flows", MaxAggregationInterval=60),
            ec2.create_flow_logs(ResourceType="VPC", ResourceIds=[network], TrafficType="ALL", LogGroupName="/flows",
                                 DeliverLogsPermissionArn=role, MaxAggregationInterval=60),
            ec2.create_flow_logs(ResourceType="VPC", ResourceIds=[network], TrafficType="ALL",
                                 LogDestinationType="kinesis-data-firehose", LogDestination=stream,
                                 MaxAggregationInterval=60),
        ]  # fmt: skip
        assert [one["Unsuccessful"] for one in made] == [[], [], []]
        sent = pair.traffic(pair.outside, "udp-send", INSIDE, 5000, 1000, 10)["packets"]
        # A stop writes the last window and delivers it.
        here.stop()
        assert packets(objects(aws.boto("s3"), "flows"), eni) == sent == 1000

        logs = aws.boto("logs")
        events = logs.get_paginator("filter_log_events").paginate(logGroupName="/flows")
        assert of(eni, [event["message"] for page in events for event in page["events"]]) == sent

        def put():
            lines = b"".join(bodies(aws).values()).decode().splitlines()
            return of(eni, [json.loads(line)["message"] for line in lines])

        while put() < sent:
            wait_for_delivery(aws)
        assert put() == sent


def of(eni, messages):
    """The packets that were sent, in records of the default format."""
    records = [message.split(" ") for message in messages]
    return sum(int(r[8]) for r in records if (r[2], r[3], r[6], r[13]) == (eni, OUTSIDE, "5000", "OK"))
