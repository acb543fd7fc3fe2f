"""Firehose: streams to buckets and HTTP endpoints, from clients, flow logs and subscriptions."""

import base64
import gzip
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from botocore.exceptions import ClientError
from conftest import ACCOUNT, make_role
from netns import Pair
from test_s3_delivery import attach

TRUST = {"Version": "2012-10-17",
         "Statement": {"Effect": "Allow", "Principal": {"Service": "firehose.amazonaws.com"}, "Action": "sts:AssumeRole",
                       "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}}}  # fmt: skip
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k"
WRITE = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}}


def make_stream(server, name="s", **changes):
    role = make_role(server, name=f"to-{name}", trust=TRUST, policy=WRITE)
    server.boto("s3").create_bucket(Bucket=f"bucket-{name}")
    destination = {"RoleARN": role, "BucketARN": f"arn:aws:s3:::bucket-{name}",
                   "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 0}} | changes  # fmt: skip
    made = server.boto("firehose").create_delivery_stream(
        DeliveryStreamName=name, ExtendedS3DestinationConfiguration=destination
    )
    return made["DeliveryStreamARN"]


def wait_for_delivery(server, name="s"):
    server.wait_for_line(lambda e: e["fields"].get("message") == "delivered" and e["fields"].get("stream") == name)


def bodies(server, name="s"):
    s3 = server.boto("s3")
    listed = s3.list_objects_v2(Bucket=f"bucket-{name}").get("Contents", [])
    return {item["Key"]: s3.get_object(Bucket=f"bucket-{name}", Key=item["Key"])["Body"].read() for item in listed}


def test_records_become_objects_under_the_role(weir):
    make_stream(weir, CompressionFormat="GZIP", Prefix="y=!{timestamp:yyyy}/",
                ErrorOutputPrefix="e/!{firehose:error-output-type}/", S3BackupMode="Enabled",
                EncryptionConfiguration={"KMSEncryptionConfig": {"AWSKMSKeyARN": KEY}},
                ProcessingConfiguration={"Enabled": True, "Processors": [{"Type": "AppendDelimiterToRecord"}]},
                S3BackupConfiguration={"RoleARN": f"arn:aws:iam::{ACCOUNT}:role/to-s", "BucketARN": "arn:aws:s3:::bucket-s",
                                       "Prefix": "raw/"})  # fmt: skip
    firehose = weir.boto("firehose")
    put = firehose.put_record_batch(DeliveryStreamName="s", Records=[{"Data": b"one"}, {"Data": b"two"}])
    assert put["FailedPutCount"] == 0 and len(put["RequestResponses"]) == 2
    wait_for_delivery(weir)
    [(raw, source), (key, body)] = sorted(bodies(weir).items())
    assert key.startswith("y=20") and "/s-1-20" in key and key.endswith(".gz")
    assert gzip.decompress(body) == b"one\ntwo\n"
    assert raw.startswith("raw/20") and source == b"onetwo"
    head = weir.boto("s3").head_object(Bucket="bucket-s", Key=key)
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", KEY)


def test_what_is_acknowledged_survives_a_crash_and_is_delivered_once(serve):
    server = serve()
    make_stream(server, BufferingHints={"SizeInMBs": 1, "IntervalInSeconds": 900})
    firehose = server.boto("firehose")
    lines = [f"{n}\n".encode() for n in range(2000)]
    for at in range(0, len(lines), 500):
        batch = [{"Data": line} for line in lines[at : at + 500]]
        firehose.put_record_batch(DeliveryStreamName="s", Records=batch)
    server.kill()
    server = serve()
    assert bodies(server) == {}
    server.boto("firehose").update_destination(
        DeliveryStreamName="s", CurrentDeliveryStreamVersionId="1", DestinationId="destinationId-000000000001",
        ExtendedS3DestinationUpdate={"BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 0}},
    )  # fmt: skip
    wait_for_delivery(server)
    assert b"".join(bodies(server).values()) == b"".join(lines)


def test_a_role_that_may_not_write_is_tried_again(weir):
    make_stream(weir)
    iam = weir.boto("iam")
    name = "to-s"
    [policy] = iam.list_role_policies(RoleName=name)["PolicyNames"]
    iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(WRITE).replace("PutObject", "GetObject"))
    weir.boto("firehose").put_record(DeliveryStreamName="s", Record={"Data": b"late"})
    weir.wait_for_line(lambda e: "cannot deliver" in e["fields"].get("message", ""))
    iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(WRITE))
    wait_for_delivery(weir)
    assert list(bodies(weir).values()) == [b"late"]


class Endpoint:
    """An HTTP endpoint as Firehose wants it."""

    def __init__(self):
        self.requests = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                outer.requests.append((dict(self.headers), body))
                answer = json.dumps({"requestId": body["requestId"], "timestamp": body["timestamp"]}).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/"


def http_stream(server, url):
    role = make_role(server, name="to-http", trust=TRUST, policy=WRITE)
    server.boto("s3").create_bucket(Bucket="bucket-http")
    server.boto("firehose").create_delivery_stream(
        DeliveryStreamName="http",
        HttpEndpointDestinationConfiguration={
            "EndpointConfiguration": {"Url": url, "AccessKey": "secret"},
            "RequestConfiguration": {"CommonAttributes": [{"AttributeName": "a", "AttributeValue": "b"}]},
            "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 0},
            "RetryOptions": {"DurationInSeconds": 0},
            "S3BackupMode": "AllData",
            "S3Configuration": {"RoleARN": role, "BucketARN": "arn:aws:s3:::bucket-http"},
        },
    )


def test_http_endpoints_get_records_and_the_bucket_what_they_refuse(weir):
    endpoint = Endpoint()
    http_stream(weir, endpoint.url)
    firehose = weir.boto("firehose")
    shown = firehose.describe_delivery_stream(DeliveryStreamName="http")["DeliveryStreamDescription"]
    assert "secret" not in json.dumps(shown, default=str)
    # The bucket fails first: the endpoint gets the records once all the same.
    iam = weir.boto("iam")
    [policy] = iam.list_role_policies(RoleName="to-http")["PolicyNames"]
    iam.put_role_policy(RoleName="to-http", PolicyName=policy, PolicyDocument=json.dumps(WRITE).replace("PutObject", "GetObject"))
    firehose.put_record(DeliveryStreamName="http", Record={"Data": b"hello"})
    weir.wait_for_line(lambda e: "cannot deliver" in e["fields"].get("message", ""))
    iam.put_role_policy(RoleName="to-http", PolicyName=policy, PolicyDocument=json.dumps(WRITE))
    wait_for_delivery(weir, "http")
    [(headers, body)] = endpoint.requests
    assert list(bodies(weir, "http").values()) == [b"hello"]
    headers = {name.lower(): value for name, value in headers.items()}
    assert base64.b64decode(body["records"][0]["data"]) == b"hello"
    assert headers["x-amz-firehose-access-key"] == "secret"
    assert json.loads(headers["x-amz-firehose-common-attributes"]) == {"commonAttributes": {"a": "b"}}
    endpoint.server.shutdown()
    endpoint.server.server_close()
    firehose.put_record(DeliveryStreamName="http", Record={"Data": b"lost?"})
    wait_for_delivery(weir, "http")
    found = bodies(weir, "http")
    [(key, body)] = [item for item in found.items() if item[0].startswith("http-endpoint-failed/")]
    assert sorted(found.values())[:2] == [b"hello", b"lost?"]
    assert base64.b64decode(json.loads(body)["rawData"]) == b"lost?"


def test_subscriptions_reach_a_stream_of_this_server(weir):
    processing = {"Enabled": True, "Processors": [
        {"Type": "Decompression"},
        {"Type": "CloudWatchLogProcessing",
         "Parameters": [{"ParameterName": "DataMessageExtraction", "ParameterValue": "true"}]},
    ]}  # fmt: skip
    arn = make_stream(weir, ProcessingConfiguration=processing)
    trust = json.loads(json.dumps(TRUST).replace("firehose.amazonaws.com", "logs.amazonaws.com"))
    put = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "firehose:*", "Resource": arn}}
    role = make_role(weir, name="logs-to-firehose", trust=trust, policy=put)
    logs = weir.boto("logs")
    logs.create_log_group(logGroupName="g")
    logs.create_log_stream(logGroupName="g", logStreamName="s")
    logs.put_subscription_filter(
        logGroupName="g", filterName="f", filterPattern="", destinationArn=arn, roleArn=role
    )
    now = int(time.time() * 1000)
    logs.put_log_events(
        logGroupName="g", logStreamName="s",
        logEvents=[{"timestamp": now, "message": "one"}, {"timestamp": now, "message": "two"}],
    )  # fmt: skip
    wait_for_delivery(weir)
    assert b"".join(bodies(weir).values()) == b"one\ntwo\n"
    # A role that may not put is refused when the filter is made.
    other = make_role(weir, name="other", trust=trust, policy=WRITE)
    with pytest.raises(ClientError) as error:
        logs.put_subscription_filter(
            logGroupName="g", filterName="h", filterPattern="", destinationArn=arn, roleArn=other
        )
    assert "Could not deliver test message to specified Firehose stream" in str(error.value)


@pytest.mark.live
def test_a_flow_log_to_a_stream_is_json_lines(serve):
    server = serve("--interval", "1")
    arn = make_stream(server)
    with Pair() as pair:
        network, eni = attach(server, pair)
        ec2 = server.boto("ec2")
        made = ec2.create_flow_logs(
            ResourceType="VPC", ResourceIds=[network], TrafficType="ALL", LogDestination=arn,
            LogDestinationType="kinesis-data-firehose", MaxAggregationInterval=60,
        )  # fmt: skip
        assert made["Unsuccessful"] == []
        tags = server.boto("firehose").list_tags_for_delivery_stream(DeliveryStreamName="s")["Tags"]
        assert tags == [{"Key": "LogDeliveryEnabled", "Value": "true"}]
        wait_for_delivery(server)
        lines = b"".join(bodies(server).values()).decode().splitlines()
        assert all(json.loads(line)["message"].startswith(f"2 {ACCOUNT} {eni} ") for line in lines)
        missing = arn.replace("/s", "/missing")
        made = ec2.create_flow_logs(
            ResourceType="VPC", ResourceIds=[network], TrafficType="ALL", LogDestination=missing,
            LogDestinationType="kinesis-data-firehose",
        )  # fmt: skip
        assert made["Unsuccessful"][0]["Error"]["Message"] == "LogDestination: missing does not exist."
