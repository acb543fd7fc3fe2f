"""The unmodified AWS CLI: the story of a person who sets up flow logs."""

import json
import time

from conftest import ACCOUNT, FLOW_LOGS_TRUST, WRITE_LOGS

ALL_TCP_22 = json.dumps(
    [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "ssh"}]}]
)


def make_network(weir):
    vpc = weir.aws("ec2", "create-vpc", "--cidr-block", "10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = weir.aws("ec2", "create-subnet", "--vpc-id", vpc, "--cidr-block", "10.0.1.0/24")["Subnet"]["SubnetId"]
    return vpc, subnet


def test_who_am_i(weir):
    assert weir.aws("sts", "get-caller-identity") == {
        "UserId": ACCOUNT,
        "Account": ACCOUNT,
        "Arn": f"arn:aws:iam::{ACCOUNT}:root",
    }


def test_a_default_vpc_is_there_in_every_region(weir):
    for region in ("us-east-1", "eu-central-1"):
        vpcs = weir.aws("ec2", "describe-vpcs", "--region", region)["Vpcs"]
        assert [(vpc["CidrBlock"], vpc["IsDefault"]) for vpc in vpcs] == [("172.31.0.0/16", True)]
        subnets = weir.aws("ec2", "describe-subnets", "--region", region)["Subnets"]
        assert subnets and all(subnet["DefaultForAz"] for subnet in subnets)
    ids = {
        region: weir.aws("ec2", "describe-vpcs", "--region", region)["Vpcs"][0]["VpcId"]
        for region in ("us-east-1", "eu-central-1")
    }
    assert len(set(ids.values())) == 2


def test_vpc_subnet_and_interface(weir):
    vpc, subnet = make_network(weir)
    found = weir.aws("ec2", "describe-vpcs", "--vpc-ids", vpc)["Vpcs"][0]
    assert (found["CidrBlock"], found["State"], found["IsDefault"]) == ("10.0.0.0/16", "available", False)
    found = weir.aws("ec2", "describe-subnets", "--filters", f"Name=vpc-id,Values={vpc}")["Subnets"]
    assert [(s["SubnetId"], s["CidrBlock"], s["AvailableIpAddressCount"]) for s in found] == [
        (subnet, "10.0.1.0/24", 251)
    ]
    made = weir.aws(
        "ec2", "create-network-interface", "--subnet-id", subnet, "--private-ip-address", "10.0.1.10",
        "--description", "web", "--tag-specifications",
        "ResourceType=network-interface,Tags=[{Key=Name,Value=web}]",
    )["NetworkInterface"]  # fmt: skip
    assert (made["PrivateIpAddress"], made["VpcId"], made["Description"]) == ("10.0.1.10", vpc, "web")
    assert made["TagSet"] == [{"Key": "Name", "Value": "web"}]
    found = weir.aws("ec2", "describe-network-interfaces", "--filters", "Name=tag:Name,Values=w*")
    assert [i["NetworkInterfaceId"] for i in found["NetworkInterfaces"]] == [made["NetworkInterfaceId"]]
    found = weir.aws("ec2", "describe-subnets", "--subnet-ids", subnet)["Subnets"][0]
    assert found["AvailableIpAddressCount"] == 250


def test_security_groups(weir):
    vpc, _ = make_network(weir)
    group = weir.aws(
        "ec2", "create-security-group", "--group-name", "web", "--description", "web servers", "--vpc-id", vpc
    )["GroupId"]
    made = weir.aws(
        "ec2", "authorize-security-group-ingress", "--group-id", group, "--ip-permissions", ALL_TCP_22
    )
    assert made["Return"] is True and made["SecurityGroupRules"][0]["FromPort"] == 22
    # The flat form, and a reference to a group.
    weir.aws(
        "ec2", "authorize-security-group-ingress", "--group-id", group, "--protocol", "icmp", "--port", "-1",
        "--cidr", "10.0.0.0/8",
    )  # fmt: skip
    weir.aws(
        "ec2", "authorize-security-group-ingress", "--group-id", group, "--protocol", "tcp", "--port", "5432",
        "--source-group", group,
    )  # fmt: skip
    found = weir.aws("ec2", "describe-security-groups", "--group-ids", group)["SecurityGroups"][0]
    assert sorted(p["IpProtocol"] for p in found["IpPermissions"]) == ["icmp", "tcp", "tcp"]
    assert found["IpPermissionsEgress"][0]["IpProtocol"] == "-1"
    weir.aws(
        "ec2", "revoke-security-group-egress", "--group-id", group, "--ip-permissions",
        json.dumps([{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]),
    )  # fmt: skip
    weir.aws(
        "ec2", "authorize-security-group-egress", "--group-id", group, "--ip-permissions",
        json.dumps([{"IpProtocol": "udp", "FromPort": 123, "ToPort": 123, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]),
    )  # fmt: skip
    weir.aws("ec2", "revoke-security-group-ingress", "--group-id", group, "--ip-permissions", ALL_TCP_22)
    found = weir.aws("ec2", "describe-security-groups", "--group-ids", group)["SecurityGroups"][0]
    assert [(p["IpProtocol"], p["FromPort"]) for p in found["IpPermissionsEgress"]] == [("udp", 123)]
    assert 22 not in [p.get("FromPort") for p in found["IpPermissions"]]
    again = ("ec2", "revoke-security-group-ingress", "--group-id", group, "--ip-permissions", ALL_TCP_22)
    assert weir.aws_error(*again) == "InvalidPermission.NotFound"


def test_network_acls(weir):
    vpc, subnet = make_network(weir)
    acl = weir.aws("ec2", "create-network-acl", "--vpc-id", vpc)["NetworkAcl"]["NetworkAclId"]
    entry = (
        "--network-acl-id", acl, "--ingress", "--rule-number", "90", "--protocol", "tcp", "--port-range",
        "From=22,To=22", "--cidr-block", "203.0.113.0/24",
    )  # fmt: skip
    weir.aws("ec2", "create-network-acl-entry", *entry, "--rule-action", "allow")
    assert (
        weir.aws_error("ec2", "create-network-acl-entry", *entry, "--rule-action", "allow")
        == "NetworkAclEntryAlreadyExists"
    )
    weir.aws("ec2", "replace-network-acl-entry", *entry, "--rule-action", "deny")
    found = weir.aws("ec2", "describe-network-acls", "--network-acl-ids", acl)["NetworkAcls"][0]
    rules = {(e["Egress"], e["RuleNumber"]): e["RuleAction"] for e in found["Entries"]}
    assert rules == {(False, 90): "deny", (False, 32767): "deny", (True, 32767): "deny"}
    filters = f"Name=association.subnet-id,Values={subnet}"
    default = weir.aws("ec2", "describe-network-acls", "--filters", filters)["NetworkAcls"][0]
    assert default["IsDefault"]
    association = next(a for a in default["Associations"] if a["SubnetId"] == subnet)["NetworkAclAssociationId"]
    weir.aws("ec2", "replace-network-acl-association", "--association-id", association, "--network-acl-id", acl)
    found = weir.aws("ec2", "describe-network-acls", "--filters", filters)["NetworkAcls"][0]
    assert found["NetworkAclId"] == acl
    weir.aws("ec2", "delete-network-acl-entry", "--network-acl-id", acl, "--ingress", "--rule-number", "90")


def test_tags(weir):
    vpc, _ = make_network(weir)
    weir.aws("ec2", "create-tags", "--resources", vpc, "--tags", "Key=Name,Value=main", "Key=env,Value=prod")
    weir.aws("ec2", "delete-tags", "--resources", vpc, "--tags", "Key=env")
    found = weir.aws("ec2", "describe-vpcs", "--filters", "Name=tag-key,Values=Name")["Vpcs"]
    assert [v["Tags"] for v in found] == [[{"Key": "Name", "Value": "main"}]]
    found = weir.aws("ec2", "describe-tags", "--filters", f"Name=resource-id,Values={vpc}")["Tags"]
    assert found == [{"Key": "Name", "ResourceId": vpc, "ResourceType": "vpc", "Value": "main"}]


def test_roles_and_sessions(weir):
    role = weir.aws(
        "iam", "create-role", "--role-name", "flow-logs", "--assume-role-policy-document", json.dumps(FLOW_LOGS_TRUST)
    )["Role"]
    assert role["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/flow-logs"
    weir.aws(
        "iam", "put-role-policy", "--role-name", "flow-logs", "--policy-name", "write", "--policy-document",
        json.dumps(WRITE_LOGS),
    )  # fmt: skip
    found = weir.aws("iam", "get-role", "--role-name", "flow-logs")["Role"]
    assert found["AssumeRolePolicyDocument"] == FLOW_LOGS_TRUST
    found = weir.aws("iam", "get-role-policy", "--role-name", "flow-logs", "--policy-name", "write")
    assert found["PolicyDocument"] == WRITE_LOGS
    # The role trusts the flow-logs service only.
    arguments = ("sts", "assume-role", "--role-arn", role["Arn"], "--role-session-name", "me")
    assert weir.aws_error(*arguments) == "AccessDenied"
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}],
    }
    weir.aws(
        "iam", "update-assume-role-policy", "--role-name", "flow-logs", "--policy-document", json.dumps(trust)
    )
    session = weir.aws(*arguments)["Credentials"]
    env = {
        "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
        "AWS_SESSION_TOKEN": session["SessionToken"],
    }
    assert weir.aws("sts", "get-caller-identity", env=env)["Arn"] == (
        f"arn:aws:sts::{ACCOUNT}:assumed-role/flow-logs/me"
    )
    weir.aws("logs", "create-log-group", "--log-group-name", "by-session", env=env)
    assert weir.aws_error("ec2", "describe-vpcs", env=env) == "UnauthorizedOperation"
    assert weir.aws_error("logs", "delete-log-group", "--log-group-name", "by-session", env=env) == (
        "AccessDeniedException"
    )


def test_logs(weir):
    weir.aws("logs", "create-log-group", "--log-group-name", "g")
    assert weir.aws_error("logs", "create-log-group", "--log-group-name", "g") == "ResourceAlreadyExistsException"
    weir.aws("logs", "put-retention-policy", "--log-group-name", "g", "--retention-in-days", "7")
    found = weir.aws("logs", "describe-log-groups", "--log-group-name-prefix", "g")["logGroups"][0]
    assert (found["logGroupName"], found["retentionInDays"]) == ("g", 7)
    assert found["arn"] == f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:g:*"
    weir.aws("logs", "create-log-stream", "--log-group-name", "g", "--log-stream-name", "s")
    now = int(time.time() * 1000)
    events = json.dumps([{"timestamp": now + n, "message": f"line {n}"} for n in range(3)])
    names = ("--log-group-name", "g", "--log-stream-name", "s")
    weir.aws("logs", "put-log-events", *names, "--log-events", events)
    found = weir.aws("logs", "get-log-events", *names, "--start-from-head")
    assert [e["message"] for e in found["events"]] == ["line 0", "line 1", "line 2"]
    found = weir.aws("logs", "filter-log-events", "--log-group-name", "g", "--start-time", str(now + 1))
    assert [e["message"] for e in found["events"]] == ["line 1", "line 2"]
    found = weir.aws("logs", "filter-log-events", "--log-group-name", "g", "--log-stream-names", "s")
    assert len(found["events"]) == 3
    streams = weir.aws("logs", "describe-log-streams", "--log-group-name", "g")["logStreams"]
    assert (streams[0]["logStreamName"], streams[0]["firstEventTimestamp"]) == ("s", now)


def test_flow_logs(weir):
    vpc, subnet = make_network(weir)
    eni = weir.aws("ec2", "create-network-interface", "--subnet-id", subnet)["NetworkInterface"]["NetworkInterfaceId"]
    role = weir.aws(
        "iam", "create-role", "--role-name", "r", "--assume-role-policy-document", json.dumps(FLOW_LOGS_TRUST)
    )["Role"]["Arn"]
    made = {}
    for kind, resource, traffic, destination in (
        ("VPC", vpc, "ALL", ("--log-group-name", "flows")),
        ("Subnet", subnet, "REJECT", ("--log-group-name", "flows")),
        (
            "NetworkInterface", eni, "ACCEPT",
            ("--log-destination", f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:by-arn"),
        ),
    ):  # fmt: skip
        answer = weir.aws(
            "ec2", "create-flow-logs", "--resource-type", kind, "--resource-ids", resource, "--traffic-type", traffic,
            "--deliver-logs-permission-arn", role, "--max-aggregation-interval", "60", "--tag-specifications",
            f"ResourceType=vpc-flow-log,Tags=[{{Key=kind,Value={kind}}}]", *destination,
            "--log-destination-type", "cloud-watch-logs",
        )  # fmt: skip
        assert answer["Unsuccessful"] == []
        made[kind] = answer["FlowLogIds"][0]
    found = {f["FlowLogId"]: f for f in weir.aws("ec2", "describe-flow-logs")["FlowLogs"]}
    assert set(found) == set(made.values())
    one = found[made["VPC"]]
    assert (one["ResourceId"], one["TrafficType"], one["FlowLogStatus"], one["LogGroupName"]) == (
        vpc, "ALL", "ACTIVE", "flows",
    )  # fmt: skip
    assert (one["LogDestinationType"], one["MaxAggregationInterval"]) == ("cloud-watch-logs", 60)
    assert one["LogFormat"].startswith("${version} ${account-id} ${interface-id} ${srcaddr}")
    assert one["Tags"] == [{"Key": "kind", "Value": "VPC"}]
    assert found[made["NetworkInterface"]]["LogGroupName"] == "by-arn"
    by_filter = weir.aws("ec2", "describe-flow-logs", "--filter", "Name=traffic-type,Values=REJECT")["FlowLogs"]
    assert [f["FlowLogId"] for f in by_filter] == [made["Subnet"]]
    custom = "${version} ${vpc-id} ${tcp-flags} ${srcaddr}"
    answer = weir.aws(
        "ec2", "create-flow-logs", "--resource-type", "VPC", "--resource-ids", vpc, "--traffic-type", "ALL",
        "--log-group-name", "other", "--deliver-logs-permission-arn", role, "--log-format", custom,
    )  # fmt: skip
    one = weir.aws("ec2", "describe-flow-logs", "--flow-log-ids", answer["FlowLogIds"][0])["FlowLogs"][0]
    assert (one["LogFormat"], one["MaxAggregationInterval"]) == (custom, 600)
    answer = weir.aws("ec2", "delete-flow-logs", "--flow-log-ids", made["VPC"], made["Subnet"])
    assert answer["Unsuccessful"] == []
    assert len(weir.aws("ec2", "describe-flow-logs")["FlowLogs"]) == 2


def test_state_survives_a_restart(serve):
    weir = serve()
    vpc, _ = make_network(weir)
    weir.aws("logs", "create-log-group", "--log-group-name", "g")
    key = weir.key
    assert weir.stop() == 0
    weir.start()
    assert weir.key == key
    assert weir.aws("ec2", "describe-vpcs", "--vpc-ids", vpc)["Vpcs"][0]["CidrBlock"] == "10.0.0.0/16"
    assert weir.aws("logs", "describe-log-groups")["logGroups"][0]["logGroupName"] == "g"
