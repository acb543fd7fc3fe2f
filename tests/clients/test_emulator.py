"""`--emulator`: what suites written for AWS emulators do, with credentials that nobody made.

Each test is a few lines in the manner of such suites: a resource is made, shown,
found by filters, changed and removed, and mistakes answer with AWS's codes.
"""

import json
import time
import urllib.request
import uuid

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from conftest import ACCOUNT, Server

ROLE = f"arn:aws:iam::{ACCOUNT}:role/nobody-made-it"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("emulator") / "data", "--emulator")
    yield server
    server.stop()


@pytest.fixture
def weir(server):
    """An empty emulator."""
    reset = urllib.request.Request(server.url + "/moto-api/reset", method="POST")
    assert json.load(urllib.request.urlopen(reset)) == {"status": "ok"}
    server.key = ("testing", "testing")
    return server


@pytest.fixture
def ec2(weir):
    return weir.boto("ec2", region="us-west-1")


@pytest.fixture
def vpc(ec2):
    return ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]


@pytest.fixture
def logs(weir):
    return weir.boto("logs")


def refused(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    metadata = caught.value.response["ResponseMetadata"]
    assert metadata["RequestId"]
    return caught.value.response["Error"]["Code"], metadata["HTTPStatusCode"]


def by(name, *values):
    return [{"Name": name, "Values": list(values)}]


def flow_log(ec2, vpc, **changes):
    arguments = {
        "ResourceType": "VPC",
        "ResourceIds": [vpc],
        "TrafficType": "ALL",
        "LogGroupName": "group",
        "DeliverLogsPermissionArn": ROLE,
    }
    return ec2.create_flow_logs(**arguments | changes)


# The emulator itself.


def test_any_credentials_any_clock_and_none(weir):
    anonymous = boto3.client(
        "sts", endpoint_url=weir.url, region_name="us-east-1", config=Config(signature_version=UNSIGNED)
    )
    for sts in (anonymous, weir.boto("sts"), weir.boto("sts", key=("a", "b"), token="c")):
        assert sts.get_caller_identity()["Account"] == ACCOUNT


def test_a_reset_empties_everything(weir, ec2, vpc, logs):
    logs.create_log_group(logGroupName="g")
    weir.boto("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")
    reset = urllib.request.Request(weir.url + "/moto-api/reset", method="POST")
    urllib.request.urlopen(reset)
    assert [v["IsDefault"] for v in ec2.describe_vpcs()["Vpcs"]] == [True]
    assert logs.describe_log_groups()["logGroups"] == []
    assert weir.boto("iam").list_roles()["Roles"] == []


# Flow logs.


def test_a_flow_log_by_group_name(ec2, vpc):
    made = flow_log(ec2, vpc)["FlowLogIds"]
    (shown,) = ec2.describe_flow_logs()["FlowLogs"]
    assert [shown["FlowLogId"]] == made
    assert shown["FlowLogStatus"] == "ACTIVE"
    assert shown["ResourceId"] == vpc
    assert shown["TrafficType"] == "ALL"
    assert shown["LogDestinationType"] == "cloud-watch-logs"
    assert shown["LogGroupName"] == "group"
    assert shown["DeliverLogsPermissionArn"] == ROLE
    assert shown["MaxAggregationInterval"] == 600


def test_a_flow_log_by_group_arn(ec2, vpc):
    arn = f"arn:aws:logs:us-west-1:{ACCOUNT}:log-group:group"
    made = ec2.create_flow_logs(
        ResourceType="VPC", ResourceIds=[vpc], TrafficType="ALL", LogDestination=arn, DeliverLogsPermissionArn=ROLE
    )
    (shown,) = ec2.describe_flow_logs(FlowLogIds=made["FlowLogIds"])["FlowLogs"]
    assert (shown["LogDestination"], shown["LogGroupName"]) == (arn, "group")


@pytest.mark.parametrize("interval", [60, 600])
def test_a_flow_log_with_an_interval(ec2, vpc, interval):
    flow_log(ec2, vpc, MaxAggregationInterval=interval)
    assert ec2.describe_flow_logs()["FlowLogs"][0]["MaxAggregationInterval"] == interval


def test_flow_logs_for_several_resources(ec2, vpc):
    other = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    made = flow_log(ec2, vpc, ResourceIds=[vpc, other])["FlowLogIds"]
    assert {log["ResourceId"] for log in ec2.describe_flow_logs(FlowLogIds=made)["FlowLogs"]} == {vpc, other}


def test_flow_logs_of_a_subnet_and_an_interface(ec2, vpc):
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    for kind, resource in (("Subnet", subnet), ("NetworkInterface", interface)):
        assert flow_log(ec2, vpc, ResourceType=kind, ResourceIds=[resource])["Unsuccessful"] == []
    found = ec2.describe_flow_logs(Filters=by("resource-id", interface))["FlowLogs"]
    assert [log["ResourceId"] for log in found] == [interface]


def test_traffic_types_in_any_case(ec2, vpc):
    flow_log(ec2, vpc, TrafficType="Reject")
    assert ec2.describe_flow_logs()["FlowLogs"][0]["TrafficType"] == "REJECT"


@pytest.mark.parametrize(
    "filters, found",
    [
        (by("log-destination-type", "cloud-watch-logs"), 2),
        (by("log-destination-type", "s3"), 0),
        (by("deliver-log-status", "SUCCESS"), 2),
        (by("deliver-log-status", "FAILED"), 0),
        (by("log-group-name", "group"), 1),
        (by("log-group-name", "group", "other"), 2),
        (by("traffic-type", "ACCEPT"), 1),
        (by("traffic-type", "A*"), 2),
        (by("tag:stage", "test"), 1),
        (by("tag-key", "stage"), 1),
        (by("tag-value", "test"), 1),
        (by("tag-key", "nothing"), 0),
        (by("traffic-type", "ALL") + by("log-group-name", "other"), 0),
    ],
)
def test_flow_logs_by_filters(ec2, vpc, filters, found):
    flow_log(ec2, vpc)
    tags = [{"ResourceType": "vpc-flow-log", "Tags": [{"Key": "stage", "Value": "test"}]}]
    flow_log(ec2, vpc, LogGroupName="other", TrafficType="ACCEPT", TagSpecifications=tags)
    assert len(ec2.describe_flow_logs(Filters=filters)["FlowLogs"]) == found


def test_unknown_flow_logs_are_left_out(ec2, vpc):
    made = flow_log(ec2, vpc)["FlowLogIds"]
    shown = ec2.describe_flow_logs(FlowLogIds=[*made, "fl-1a2b3c4d"])["FlowLogs"]
    assert [log["FlowLogId"] for log in shown] == made


def test_deleting_flow_logs(ec2, vpc):
    made = flow_log(ec2, vpc)["FlowLogIds"]
    other = flow_log(ec2, vpc, LogGroupName="other")["FlowLogIds"]
    assert ec2.delete_flow_logs(FlowLogIds=made)["Unsuccessful"] == []
    assert [log["FlowLogId"] for log in ec2.describe_flow_logs()["FlowLogs"]] == other
    # An unknown one is an error here, and the others go all the same.
    assert refused(ec2.delete_flow_logs, FlowLogIds=[*other, "fl-1a2b3c4d"]) == ("InvalidFlowLogId.NotFound", 400)
    assert ec2.describe_flow_logs()["FlowLogs"] == []


@pytest.mark.parametrize(
    "code, changes",
    [
        ("InvalidVpcID.NotFound", {"ResourceIds": ["vpc-0000000000000dead"]}),
        ("InvalidSubnetID.NotFound", {"ResourceType": "Subnet", "ResourceIds": ["subnet-0000000000000dead"]}),
        (
            "InvalidNetworkInterfaceID.NotFound",
            {"ResourceType": "NetworkInterface", "ResourceIds": ["eni-0000000000000dead"]},
        ),
        ("InvalidParameter", {"MaxAggregationInterval": 10}),
        ("InvalidParameter", {"LogDestinationType": "s3"}),
        ("FlowLogAlreadyExists", {}),
        ("DryRunOperation", {"DryRun": True}),
    ],
)
def test_flow_logs_that_cannot_be(ec2, vpc, code, changes):
    flow_log(ec2, vpc)
    assert refused(lambda: flow_log(ec2, vpc, **changes))[0] == code
    assert len(ec2.describe_flow_logs()["FlowLogs"]) == 1


# The network.


def test_the_default_vpc(ec2):
    (vpc,) = ec2.describe_vpcs(Filters=by("is-default", "true"))["Vpcs"]
    assert (vpc["CidrBlock"], vpc["IsDefault"], vpc["InstanceTenancy"]) == ("172.31.0.0/16", True, "default")
    subnets = ec2.describe_subnets(Filters=by("vpc-id", vpc["VpcId"]))["Subnets"]
    assert {subnet["AvailabilityZone"] for subnet in subnets} == {"us-west-1a", "us-west-1b"}
    assert all(subnet["MapPublicIpOnLaunch"] and subnet["DefaultForAz"] for subnet in subnets)


def test_a_vpc_has_its_defaults(ec2, vpc):
    (group,) = ec2.describe_security_groups(Filters=by("vpc-id", vpc))["SecurityGroups"]
    assert group["GroupName"] == "default"
    (acl,) = ec2.describe_network_acls(Filters=by("vpc-id", vpc))["NetworkAcls"]
    assert acl["IsDefault"]
    ec2.delete_vpc(VpcId=vpc)
    assert refused(ec2.delete_vpc, VpcId=vpc) == ("InvalidVpcID.NotFound", 400)


def test_vpcs_by_tags(ec2, vpc):
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    resource = boto3.resource("ec2", "us-west-1", endpoint_url=ec2.meta.endpoint_url, **keys)
    resource.Vpc(vpc).create_tags(Tags=[{"Key": "Name", "Value": "TestVPC"}])
    for filters in (by("tag:Name", "TestVPC"), by("tag-key", "Name"), by("tag-value", "TestVPC")):
        assert [v["VpcId"] for v in ec2.describe_vpcs(Filters=filters)["Vpcs"]] == [vpc]
    assert [v.id for v in resource.vpcs.filter(VpcIds=[vpc])] == [vpc]


@pytest.mark.parametrize(
    "code, message, block",
    [
        (
            "InvalidParameterValue",
            "Value (1000.1.0.0/20) for parameter cidrBlock is invalid. This is not a valid CIDR block.",
            "1000.1.0.0/20",
        ),
        ("InvalidVpc.Range", "The CIDR '10.1.0.0/29' is invalid.", "10.1.0.0/29"),
        ("InvalidVpc.Range", "The CIDR '10.1.0.0/8' is invalid.", "10.1.0.0/8"),
    ],
)
def test_vpcs_that_cannot_be(ec2, code, message, block):
    with pytest.raises(ClientError) as caught:
        ec2.create_vpc(CidrBlock=block)
    error = caught.value.response["Error"]
    assert (error["Code"], error["Message"]) == (code, message)


def test_subnets(ec2, vpc):
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24", AvailabilityZone="us-west-1b")["Subnet"]
    assert (subnet["AvailableIpAddressCount"], subnet["AvailabilityZone"]) == (251, "us-west-1b")
    assert subnet["PrivateDnsNameOptionsOnLaunch"]["HostnameType"] == "ip-name"
    for name, value in (("cidr", "10.0.0.0/24"), ("cidrBlock", "10.0.0.0/24"), ("subnet-id", subnet["SubnetId"])):
        assert len(ec2.describe_subnets(Filters=by(name, value))["Subnets"]) == 1
    conflict = refused(ec2.create_subnet, VpcId=vpc, CidrBlock="10.0.0.0/24")
    assert conflict == ("InvalidSubnet.Conflict", 400)
    assert refused(ec2.create_subnet, VpcId=vpc, CidrBlock="10.1.0.0/20")[0] == "InvalidSubnet.Range"
    nowhere = refused(ec2.create_subnet, VpcId=vpc, CidrBlock="10.0.9.0/24", AvailabilityZone="nowhere")
    assert nowhere[0] == "InvalidParameterValue"


def test_interfaces(ec2, vpc):
    """Suites for emulators give subnets IPv6 blocks that the VPC does not have."""
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24", Ipv6CidrBlock="2001:db8::/64")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
    made = ec2.create_network_interface(
        SubnetId=subnet, PrivateIpAddress="10.0.0.5", Groups=[group], Description="my", Ipv6AddressCount=1
    )["NetworkInterface"]
    assert made["PrivateIpAddress"] == "10.0.0.5"
    assert made["Ipv6Addresses"][0]["Ipv6Address"].startswith("2001:db8:")
    for name, value in (
        ("private-ip-address", "10.0.0.5"),
        ("addresses.private-ip-address", "10.0.0.5"),
        ("group-id", group),
        ("subnet-id", subnet),
        ("description", "m*"),
        ("network-interface-id", made["NetworkInterfaceId"]),
    ):
        assert len(ec2.describe_network_interfaces(Filters=by(name, value))["NetworkInterfaces"]) == 1, name
    assert ec2.describe_network_interfaces(Filters=by("association.public-ip", "1.2.3.4"))["NetworkInterfaces"] == []
    id_ = {"NetworkInterfaceId": made["NetworkInterfaceId"]}
    ec2.modify_network_interface_attribute(**id_, Description={"Value": "other"})
    ec2.delete_network_interface(**id_)
    assert refused(ec2.delete_network_interface, **id_)[0] == "InvalidNetworkInterfaceID.NotFound"


def test_network_acls_as_suites_write_them(ec2, vpc):
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    entry = {"NetworkAclId": acl, "RuleNumber": 110, "Protocol": "6", "Egress": False, "CidrBlock": "0.0.0.0/0"}
    ec2.create_network_acl_entry(**entry, RuleAction="ALLOW")
    (shown,) = ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"]
    first = next(e for e in shown["Entries"] if e["RuleNumber"] == 110)
    assert (first["RuleAction"], first["Protocol"], first["PortRange"]) == ("allow", "6", {"From": 0, "To": 65535})
    assert refused(ec2.create_network_acl_entry, **entry, RuleAction="allow")[0] == "NetworkAclEntryAlreadyExists"
    ec2.replace_network_acl_entry(**entry, RuleAction="DENY", PortRange={"From": 443, "To": 443})
    assert ec2.describe_network_acls(Filters=by("entry.port-range.from", "443"))["NetworkAcls"]
    ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=110, Egress=False)
    missing = refused(ec2.delete_network_acl_entry, NetworkAclId=acl, RuleNumber=110, Egress=False)
    assert missing[0] == "InvalidNetworkAclEntry.NotFound"
    ec2.delete_network_acl(NetworkAclId=acl)
    assert refused(ec2.describe_network_acls, NetworkAclIds=[acl])[0] == "InvalidNetworkAclID.NotFound"


def test_security_groups(ec2, vpc):
    group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
    again = refused(ec2.create_security_group, GroupName="g", Description="d", VpcId=vpc)
    assert again == ("InvalidGroup.Duplicate", 400)
    rules = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "1.2.3.4/32"}]}]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rules)
    twice = refused(ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=rules)
    assert twice[0] == "InvalidPermission.Duplicate"
    assert len(ec2.describe_security_groups(Filters=by("ip-permission.cidr", "1.2.3.4/32"))["SecurityGroups"]) == 1
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=rules)
    gone = refused(ec2.revoke_security_group_ingress, GroupId=group, IpPermissions=rules)
    assert gone[0] == "InvalidPermission.NotFound"
    ec2.delete_security_group(GroupId=group)
    assert refused(ec2.describe_security_groups, GroupIds=[group])[0] == "InvalidGroup.NotFound"


def test_tags(ec2, vpc):
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}])
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "a", "Value": "2"}])
    shown = ec2.describe_tags(Filters=by("resource-id", vpc))["Tags"]
    assert {(tag["Key"], tag["Value"], tag["ResourceType"]) for tag in shown} == {("a", "2", "vpc"), ("b", "", "vpc")}
    assert len(ec2.describe_tags(Filters=by("resource-type", "vpc") + by("key", "a"))["Tags"]) == 1
    ec2.delete_tags(Resources=[vpc], Tags=[{"Key": "a", "Value": "other"}])
    assert len(ec2.describe_tags(Filters=by("key", "a"))["Tags"]) == 1
    ec2.delete_tags(Resources=[vpc], Tags=[{"Key": "a"}])
    assert [tag["Key"] for tag in ec2.describe_tags()["Tags"]] == ["b"]


# IAM.


def test_roles_as_suites_make_them(weir):
    iam = weir.boto("iam")
    made = iam.create_role(RoleName="my-role", AssumeRolePolicyDocument="some policy", Path="my-path")["Role"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/my-path/my-role"
    again = refused(iam.create_role, RoleName="my-role", AssumeRolePolicyDocument="{}")
    assert again == ("EntityAlreadyExists", 409)
    policy = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
    iam.put_role_policy(RoleName="my-role", PolicyName="p", PolicyDocument=policy)
    assert refused(iam.delete_role, RoleName="my-role") == ("DeleteConflict", 409)
    assert iam.list_role_policies(RoleName="my-role")["PolicyNames"] == ["p"]
    # Nobody can assume a role whose trust policy is none.
    sts = weir.boto("sts")
    assert refused(sts.assume_role, RoleArn=made["Arn"], RoleSessionName="x1") == ("AccessDenied", 403)
    iam.delete_role_policy(RoleName="my-role", PolicyName="p")
    iam.delete_role(RoleName="my-role")
    assert refused(iam.get_role, RoleName="my-role") == ("NoSuchEntity", 404)


# CloudWatch Logs.


def test_log_groups(logs):
    name = f"/a/{uuid.uuid4()}"
    logs.create_log_group(logGroupName=name, tags={"k": "v"})
    again = refused(logs.create_log_group, logGroupName=name)
    assert again == ("ResourceAlreadyExistsException", 400)
    logs.put_retention_policy(logGroupName=name, retentionInDays=7)
    (shown,) = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    assert (shown["retentionInDays"], shown["metricFilterCount"], shown["storedBytes"]) == (7, 0, 0)
    logs.delete_retention_policy(logGroupName=name)
    assert "retentionInDays" not in logs.describe_log_groups()["logGroups"][0]
    assert logs.list_tags_log_group(logGroupName=name)["tags"] == {"k": "v"}
    logs.delete_log_group(logGroupName=name)
    assert refused(logs.delete_log_group, logGroupName=name) == ("ResourceNotFoundException", 400)


def test_log_events(logs):
    place = {"logGroupName": "g", "logStreamName": "s"}
    assert refused(logs.create_log_stream, **place)[0] == "ResourceNotFoundException"
    logs.create_log_group(logGroupName="g")
    logs.create_log_stream(**place)
    now = int(time.time() * 1000)
    events = [{"timestamp": now + n, "message": f"message {n}"} for n in range(20)]
    logs.put_log_events(**place, logEvents=events)
    first = logs.get_log_events(**place, limit=10, startFromHead=True)
    second = logs.get_log_events(**place, limit=10, startFromHead=True, nextToken=first["nextForwardToken"])
    shown = [event["message"] for page in (first, second) for event in page["events"]]
    assert shown == [event["message"] for event in events]
    end = logs.get_log_events(**place, nextToken=second["nextForwardToken"])
    assert (end["events"], end["nextForwardToken"]) == ([], second["nextForwardToken"])
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName="g", PaginationConfig={"PageSize": 3})
    assert [event["message"] for page in pages for event in page["events"]] == shown
    late = [{"timestamp": now + 3 * 3_600_000, "message": "x"}]
    assert logs.put_log_events(**place, logEvents=late)["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 0}
    wrong = refused(logs.put_log_events, **place, logEvents=events[::-1])
    assert wrong[0] == "InvalidParameterException"


def test_a_flow_log_needs_its_bucket(weir, ec2):
    wish = {
        "ResourceType": "VPC", "ResourceIds": [ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]],
        "TrafficType": "ALL", "LogDestinationType": "s3", "LogDestination": "arn:aws:s3:::flows/prefix/",
    }  # fmt: skip
    failed = ec2.create_flow_logs(**wish)
    assert failed["FlowLogIds"] == []
    assert failed["Unsuccessful"][0]["Error"] == {"Code": "400", "Message": "LogDestination: flows does not exist."}
    weir.boto("s3", region="us-west-1").create_bucket(
        Bucket="flows", CreateBucketConfiguration={"LocationConstraint": "us-west-1"}
    )
    assert len(ec2.create_flow_logs(**wish)["FlowLogIds"]) == 1
