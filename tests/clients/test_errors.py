"""Mistakes, and AWS's answer to each."""

import datetime
import json

import pytest
from botocore import auth
from botocore.exceptions import ClientError
from conftest import ACCOUNT, FLOW_LOGS_TRUST, Server, make_role

NO_VPC, NO_SUBNET, NO_ENI = ("vpc-0000000000000dead", "subnet-0000000000000dead", "eni-0000000000000dead")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("errors") / "data")
    ec2 = server.boto("ec2")
    server.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    server.subnet = ec2.create_subnet(VpcId=server.vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    server.group = ec2.create_security_group(GroupName="g", Description="g", VpcId=server.vpc)["GroupId"]
    server.acl = ec2.create_network_acl(VpcId=server.vpc)["NetworkAcl"]["NetworkAclId"]
    server.role = make_role(server)
    yield server
    server.stop()


def code_of(work):
    with pytest.raises(ClientError) as caught:
        work()
    return caught.value.response["Error"]["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


def tcp(port, **peer):
    return [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **peer}]


@pytest.mark.parametrize(
    "code, action, arguments",
    [
        ("InvalidVpc.Range", "create_vpc", lambda w: {"CidrBlock": "10.0.0.0/8"}),
        ("InvalidParameterValue", "create_vpc", lambda w: {"CidrBlock": "10.0.0.0/33"}),
        ("MissingParameter", "create_vpc", lambda w: {}),
        ("InvalidVpcID.NotFound", "describe_vpcs", lambda w: {"VpcIds": [NO_VPC]}),
        ("InvalidVpcID.NotFound", "create_subnet", lambda w: {"VpcId": NO_VPC, "CidrBlock": "10.0.2.0/24"}),
        ("InvalidSubnet.Conflict", "create_subnet", lambda w: {"VpcId": w.vpc, "CidrBlock": "10.0.1.128/25"}),
        ("InvalidSubnet.Range", "create_subnet", lambda w: {"VpcId": w.vpc, "CidrBlock": "10.9.0.0/24"}),
        ("InvalidSubnetID.NotFound", "describe_subnets", lambda w: {"SubnetIds": [NO_SUBNET]}),
        ("InvalidSubnetID.NotFound", "create_network_interface", lambda w: {"SubnetId": NO_SUBNET}),
        ("InvalidNetworkInterfaceID.NotFound", "delete_network_interface", lambda w: {"NetworkInterfaceId": NO_ENI}),
        ("DependencyViolation", "delete_vpc", lambda w: {"VpcId": w.vpc}),
        (
            "InvalidGroup.Duplicate",
            "create_security_group",
            lambda w: {"GroupName": "g", "Description": "g", "VpcId": w.vpc},
        ),
        (
            "InvalidGroup.NotFound",
            "authorize_security_group_ingress",
            lambda w: {"GroupId": "sg-0000000000000dead", "IpPermissions": tcp(22, IpRanges=[{"CidrIp": "0.0.0.0/0"}])},
        ),
        (
            "InvalidParameterValue",
            "authorize_security_group_ingress",
            lambda w: {"GroupId": w.group, "IpPermissions": tcp(22, IpRanges=[{"CidrIp": "10.0.0.0/40"}])},
        ),
        (
            "InvalidNetworkAclID.NotFound",
            "delete_network_acl",
            lambda w: {"NetworkAclId": "acl-0000000000000dead"},
        ),
        (
            "InvalidNetworkAclEntry.NotFound",
            "delete_network_acl_entry",
            lambda w: {"NetworkAclId": w.acl, "RuleNumber": 77, "Egress": True},
        ),
        (
            "DryRunOperation",
            "create_vpc",
            lambda w: {"CidrBlock": "10.5.0.0/16", "DryRun": True},
        ),
    ],
)
def test_ec2(world, code, action, arguments):
    ec2 = world.boto("ec2")
    call = getattr(ec2, action)
    assert code_of(lambda: call(**arguments(world)))[0] == code


def flow_log(world, **changes):
    arguments = {
        "ResourceType": "VPC",
        "ResourceIds": [world.vpc],
        "TrafficType": "ALL",
        "LogGroupName": "flows",
        "DeliverLogsPermissionArn": world.role,
    } | changes
    return {name: value for name, value in arguments.items() if value is not None}


@pytest.mark.parametrize(
    "code, changes",
    [
        ("InvalidParameter", {"LogGroupName": None}),
        ("InvalidParameter", {"DeliverLogsPermissionArn": None}),
        ("InvalidParameter", {"MaxAggregationInterval": 61}),
        ("InvalidParameterValue", {"LogFormat": "${version} ${nonsense}"}),
        ("InvalidParameterValue", {"LogFormat": "${version} "}),
        ("InvalidParameter", {"DeliverLogsPermissionArn": f"arn:aws:iam::{ACCOUNT}:role/nobody"}),
        ("InvalidParameter", {"LogDestinationType": "s3", "LogDestination": "arn:aws:s3:::b"}),
    ],
)
def test_flow_log_combinations(world, code, changes):
    ec2 = world.boto("ec2")
    assert code_of(lambda: ec2.create_flow_logs(**flow_log(world, **changes)))[0] == code


def test_the_same_flow_log_twice(world):
    ec2 = world.boto("ec2")
    made = ec2.create_flow_logs(**flow_log(world, LogGroupName="twice"))
    assert made["Unsuccessful"] == []
    again = code_of(lambda: ec2.create_flow_logs(**flow_log(world, LogGroupName="twice")))
    assert again[0] == "FlowLogAlreadyExists"
    # The same token is the same request, not a second one.
    first = ec2.create_flow_logs(**flow_log(world, LogGroupName="token", ClientToken="t1"))
    second = ec2.create_flow_logs(**flow_log(world, LogGroupName="token", ClientToken="t1"))
    assert first["FlowLogIds"] == second["FlowLogIds"]
    other = code_of(lambda: ec2.create_flow_logs(**flow_log(world, LogGroupName="other", ClientToken="t1")))
    assert other[0] == "IdempotentParameterMismatch"


def test_flow_logs_of_resources_that_are_not_there(world):
    ec2 = world.boto("ec2")
    for kind, resource, code in (
        ("VPC", NO_VPC, "InvalidVpcID.NotFound"),
        ("Subnet", NO_SUBNET, "InvalidSubnetID.NotFound"),
        ("NetworkInterface", NO_ENI, "InvalidNetworkInterfaceID.NotFound"),
    ):
        arguments = flow_log(world, ResourceType=kind, ResourceIds=[resource])
        try:
            answer = ec2.create_flow_logs(**arguments)
            found = answer["Unsuccessful"][0]["Error"]["Code"]
        except ClientError as error:
            found = error.response["Error"]["Code"]
        assert found == code
    missing = ec2.delete_flow_logs(FlowLogIds=["fl-0000000000000dead"])["Unsuccessful"]
    assert missing[0]["Error"]["Code"] == "InvalidFlowLogId.NotFound"


def test_wrong_signatures(world):
    wrong = (world.key[0], "not-the-secret-not-the-secret-not-the-sec")
    unknown = ("AKIAAAAAAAAAAAAAAAAA", world.key[1])
    for service, work, codes in (
        ("ec2", lambda c: c.describe_vpcs(), ("AuthFailure", "AuthFailure")),
        ("sts", lambda c: c.get_caller_identity(), ("SignatureDoesNotMatch", "InvalidClientTokenId")),
        ("logs", lambda c: c.describe_log_groups(), ("InvalidSignatureException", "UnrecognizedClientException")),
    ):
        assert code_of(lambda: work(world.boto(service, key=wrong)))[0] == codes[0]
        assert code_of(lambda: work(world.boto(service, key=unknown)))[0] == codes[1]


def test_an_expired_clock(world, monkeypatch):
    """Requests that were signed an hour ago."""
    late = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) - datetime.timedelta(hours=1)
    monkeypatch.setattr(auth, "get_current_datetime", lambda *_, **__: late)
    for service, work, code in (
        ("ec2", lambda c: c.describe_vpcs(), "RequestExpired"),
        ("sts", lambda c: c.get_caller_identity(), "SignatureDoesNotMatch"),
        ("logs", lambda c: c.describe_log_groups(), "InvalidSignatureException"),
    ):
        assert code_of(lambda: work(world.boto(service)))[0] == code


def test_another_region_has_other_resources(world):
    ec2 = world.boto("ec2", region="eu-west-1")
    assert code_of(lambda: ec2.describe_vpcs(VpcIds=[world.vpc]))[0] == "InvalidVpcID.NotFound"
    assert ec2.describe_flow_logs()["FlowLogs"] == []


def test_malformed_policies(world):
    iam = world.boto("iam")
    make = lambda text: iam.create_role(RoleName="bad", AssumeRolePolicyDocument=text)
    for text in ("{", '{"Version":"2012-10-17"}', json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "allow"}]})):
        assert code_of(lambda: make(text)) == ("MalformedPolicyDocument", 400)
    assert code_of(lambda: iam.get_role(RoleName="nobody")) == ("NoSuchEntity", 404)
    iam.create_role(RoleName="twice", AssumeRolePolicyDocument=json.dumps(FLOW_LOGS_TRUST))
    again = code_of(lambda: iam.create_role(RoleName="twice", AssumeRolePolicyDocument=json.dumps(FLOW_LOGS_TRUST)))
    assert again == ("EntityAlreadyExists", 409)


def test_logs(world):
    logs = world.boto("logs")
    for work in (
        lambda: logs.get_log_events(logGroupName="none", logStreamName="s"),
        lambda: logs.put_retention_policy(logGroupName="none", retentionInDays=7),
        lambda: logs.delete_log_group(logGroupName="none"),
    ):
        assert code_of(work)[0] == "ResourceNotFoundException"
    logs.create_log_group(logGroupName="g")
    assert code_of(lambda: logs.put_retention_policy(logGroupName="g", retentionInDays=8))[0] == (
        "InvalidParameterException"
    )
    stream = {"logGroupName": "g", "logStreamName": "s"}
    logs.create_log_stream(**stream)
    back = [{"timestamp": 2, "message": "b"}, {"timestamp": 1, "message": "a"}]
    assert code_of(lambda: logs.put_log_events(**stream, logEvents=back))[0] == "InvalidParameterException"
    assert code_of(lambda: logs.get_log_events(**stream, nextToken="f/nonsense"))[0] == "InvalidParameterException"
