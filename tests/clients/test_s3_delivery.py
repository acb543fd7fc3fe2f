"""Flow logs to S3: what creation checks and changes, and every packet in an object, once."""

import gzip
import io
import json
import re

import pyarrow.parquet
import pytest
from botocore.exceptions import ClientError
from conftest import ACCOUNT
from netns import INSIDE, OUTSIDE, Pair

NAME = re.compile(
    r"(?P<prefix>.*?)AWSLogs/123456789012/vpcflowlogs/us-east-1/(?P<day>\d{4}/\d\d/\d\d)/(?P<hour>\d\d/)?"
    r"123456789012_vpcflowlogs_us-east-1_(?P<log>fl-[0-9a-f]{17})_(?P<slot>\d{8}T\d{4})Z_[0-9a-f]{8}\.log\.(?P<kind>gz|parquet)"
)


def vpc(ec2):
    return ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]


def create(ec2, resource, destination, kind="VPC", **more):
    return ec2.create_flow_logs(
        ResourceType=kind, ResourceIds=[resource], TrafficType="ALL", LogDestinationType="s3",
        LogDestination=destination, **more,
    )  # fmt: skip


def policy(s3, bucket):
    try:
        return json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    except ClientError as error:
        assert error.response["Error"]["Code"] == "NoSuchBucketPolicy"
        return []


def objects(s3, bucket):
    """All records of a bucket's objects, by their fields."""
    records = []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for item in page.get("Contents", []):
            name = NAME.fullmatch(item["Key"])
            assert name, item["Key"]
            slot = name["slot"]
            assert name["day"].replace("/", "") == slot[:8] and int(slot[-2:]) % 5 == 0
            body = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
            if name["kind"] == "parquet":
                rows = pyarrow.parquet.read_table(io.BytesIO(body)).to_pylist()
                records += [{k: "-" if v is None else str(v) for k, v in row.items()} for row in rows]
            else:
                header, *lines = gzip.decompress(body).decode().splitlines()
                names = [n.replace("-", "_") for n in header.split(" ")]
                records += [dict(zip(names, line.split(" "))) for line in lines]
    return records


def test_a_bucket_that_is_not_there_is_unsuccessful(weir):
    ec2 = weir.boto("ec2")
    made = create(ec2, vpc(ec2), "arn:aws:s3:::missing")
    assert made["FlowLogIds"] == []
    assert made["Unsuccessful"][0]["Error"] == {"Code": "400", "Message": "LogDestination: missing does not exist."}
    assert ec2.describe_flow_logs()["FlowLogs"] == []


def test_the_policy_is_added_to_and_says_everything_once(weir):
    ec2, s3 = weir.boto("ec2"), weir.boto("s3")
    s3.create_bucket(Bucket="flows")
    own = {"Sid": "Mine", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject",
           "Resource": "arn:aws:s3:::flows/*"}  # fmt: skip
    s3.put_bucket_policy(Bucket="flows", Policy=json.dumps({"Version": "2012-10-17", "Statement": own}))
    a = vpc(ec2)
    assert create(ec2, a, "arn:aws:s3:::flows")["Unsuccessful"] == []
    first = policy(s3, "flows")
    assert [s["Sid"] for s in first] == ["Mine", "AWSLogDeliveryWrite", "AWSLogDeliveryAclCheck"]
    assert first[0] == own
    assert first[1]["Resource"] == [f"arn:aws:s3:::flows/AWSLogs/{ACCOUNT}/*"]
    # What is let in already changes nothing.
    create(ec2, vpc(ec2), "arn:aws:s3:::flows")
    assert policy(s3, "flows") == first
    options = {"FileFormat": "parquet", "HiveCompatiblePartitions": True, "PerHourPartition": True}
    made = create(ec2, a, "arn:aws:s3:::flows/x/", DestinationOptions=options)
    more = policy(s3, "flows")
    assert len(more) == 3 and len(more[1]["Resource"]) == 2
    assert f"arn:aws:s3:::flows/x/AWSLogs/aws-account-id={ACCOUNT}/*" in more[1]["Resource"]
    shown = ec2.describe_flow_logs(FlowLogIds=made["FlowLogIds"])["FlowLogs"][0]
    assert shown["DestinationOptions"] == options and shown["LogDestinationType"] == "s3"
    for n in range(40):
        create(ec2, a, f"arn:aws:s3:::flows/folder-{n}/")
    assert policy(s3, "flows")[1]["Resource"] == ["arn:aws:s3:::flows/*"]


def test_who_may_not_change_the_policy_needs_one_that_is_right(weir):
    ec2, s3, iam = weir.boto("ec2"), weir.boto("s3"), weir.boto("iam")
    s3.create_bucket(Bucket="flows")
    iam.create_user(UserName="u")
    allowed = ["ec2:*", "logs:CreateLogDelivery", "s3:GetBucketPolicy"]
    statement = {"Effect": "Allow", "Action": allowed, "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": statement}
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName="u")["AccessKey"]
    user = weir.boto("ec2", key=(key["AccessKeyId"], key["SecretAccessKey"]))
    a = vpc(ec2)
    refused = create(user, a, "arn:aws:s3:::flows")["Unsuccessful"][0]["Error"]
    assert refused == {
        "Code": "400",
        "Message": "Access Denied for LogDestination: flows. Please check LogDestination permission",
    }
    assert policy(s3, "flows") == []
    # The owner lets deliveries in: that is enough.
    create(ec2, a, "arn:aws:s3:::flows")
    before = policy(s3, "flows")
    assert create(user, vpc(ec2), "arn:aws:s3:::flows")["Unsuccessful"] == []
    assert policy(s3, "flows") == before
    # Without logs:CreateLogDelivery nobody makes one.
    statement["Action"] = ["ec2:*", "s3:*"]
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=json.dumps(document))
    with pytest.raises(ClientError) as error:
        create(user, a, "arn:aws:s3:::flows/y")
    assert error.value.response["Error"]["Code"] == "UnauthorizedOperation"


def attach(server, pair):
    """An interface with security groups that let UDP in, on the inner end of the pair."""
    ec2 = server.boto("ec2")
    network = vpc(ec2)
    subnet = ec2.create_subnet(VpcId=network, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="g", Description="g", VpcId=network)["GroupId"]
    udp = {"IpProtocol": "udp", "FromPort": 1, "ToPort": 65535, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[udp])
    made = ec2.create_network_interface(SubnetId=subnet, PrivateIpAddress=INSIDE, Groups=[group])
    eni = made["NetworkInterface"]["NetworkInterfaceId"]
    done = server.weir("attach", "--interface", eni, "--device", "eth0", "--netns", pair.inside, "--mode", "enforce")
    assert done.returncode == 0, done.stderr
    return network, eni


def packets(records, eni):
    assert all(r["log_status"] in ("OK", "NODATA") for r in records), records
    return sum(
        int(r["packets"])
        for r in records
        if (r["srcaddr"], r["interface_id"], r["dstport"], r["log_status"]) == (OUTSIDE, eni, "5000", "OK")
    )


def has_delivered(server, ec2, flow_log):
    """The status is written soon after the log line; every question gives another line."""
    while True:
        shown = ec2.describe_flow_logs(FlowLogIds=[flow_log])["FlowLogs"][0]
        if (shown.get("DeliverLogsStatus"), shown.get("DeliverLogsErrorMessage")) == ("SUCCESS", None):
            return True
        server.wait_for_line(lambda e: e["fields"].get("action") == "DescribeFlowLogs")


@pytest.mark.live
@pytest.mark.parametrize("file_format", ["plain-text", "parquet"])
def test_every_packet_is_in_one_object_whatever_happens_to_server_and_bucket(serve, file_format):
    arguments = ("--interval", "1", "--s3-publish-every", "2")
    with Pair() as pair:
        server = serve(*arguments)
        ec2, s3 = server.boto("ec2"), server.boto("s3")
        s3.create_bucket(Bucket="flows")
        network, eni = attach(server, pair)
        made = create(ec2, network, "arn:aws:s3:::flows/a/b", MaxAggregationInterval=60,
                      DestinationOptions={"FileFormat": file_format, "PerHourPartition": True})  # fmt: skip
        flow_log = made["FlowLogIds"][0]
        sent = 0

        def send(count):
            nonlocal sent
            done = pair.traffic(pair.outside, "udp-send", INSIDE, 5000, count, 10)
            sent += done["packets"]

        def put(entry):
            return entry["fields"].get("message", "").startswith("delivery") and flow_log in str(entry)

        send(1000)
        server.wait_for_line(put)
        assert has_delivered(server, ec2, flow_log)
        # Nobody may write any more: an access error, until the policy is back.
        allowed = s3.get_bucket_policy(Bucket="flows")["Policy"]
        s3.delete_bucket_policy(Bucket="flows")
        send(500)
        server.wait_for_line(lambda e: put(e) and "fails" in e["fields"]["message"])
        # A stop writes the last window; a crash then finds all of it in the spool.
        server.stop()
        server = serve(*arguments)
        ec2, s3 = server.boto("ec2"), server.boto("s3")
        server.kill()
        server = serve(*arguments)
        ec2, s3 = server.boto("ec2"), server.boto("s3")
        s3.put_bucket_policy(Bucket="flows", Policy=allowed)
        server.wait_for_line(lambda e: put(e) and "works" in e["fields"]["message"])
        assert has_delivered(server, ec2, flow_log)
        send(2000)
        server.stop()
        server = serve(*arguments)
        server.stop()
        server = serve(*arguments)
        records = objects(server.boto("s3"), "flows")
        assert packets(records, eni) == sent
        assert sent == 3500
