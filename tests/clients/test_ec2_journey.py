"""A person sets up flow logs for a VPC, a subnet and an interface, makes every mistake on the way, and repairs it.

The story is written once and told twice: by the AWS CLI and by boto3. A call is an action with its JSON members, the
answer is the same of both, and so is the code of an error.
"""

import json
import re
import time

import pytest
from botocore.exceptions import ClientError

from conftest import ACCOUNT, FLOW_LOGS_TRUST, WRITE_LOGS
from netns import OUTSIDE, Pair

OTHER_ACCOUNT = "210987654321"
FOREIGN_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
EVERYBODY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}],
}


def allow(*actions):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}


class Refused(Exception):
    """An error of the service: code and message."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Boto3:
    def __init__(self, server, session=None):
        self.server = server
        key = session and (session["AccessKeyId"], session["SecretAccessKey"])
        self.arguments = {"key": key, "token": session and session["SessionToken"]}

    def call(self, service, action, **members):
        client = self.server.boto(service, **self.arguments)
        method = re.sub(r"(?<!^)(?=[A-Z])", "_", action).lower()
        try:
            answer = getattr(client, method)(**members)
        except ClientError as error:
            raise Refused(error.response["Error"]["Code"], error.response["Error"]["Message"])
        answer.pop("ResponseMetadata")
        return answer


class AwsCli:
    def __init__(self, server, session=None):
        self.server = server
        names = {"AccessKeyId": "ACCESS_KEY_ID", "SecretAccessKey": "SECRET_ACCESS_KEY", "SessionToken": "SESSION_TOKEN"}
        self.env = {f"AWS_{name}": session[key] for key, name in names.items()} if session else {}

    def call(self, service, action, **members):
        command = re.sub(r"(?<!^)(?=[A-Z])", "-", action).lower()
        done = self.server.run_aws(service, command, "--cli-input-json", json.dumps(members), env=self.env)
        if done.returncode == 0:
            return json.loads(done.stdout) if done.stdout.strip() else {}
        found = re.search(r"An error occurred \(([^)]+)\) when calling the \w+ operation: (.*)", done.stderr, re.S)
        assert found, done.stderr
        raise Refused(found[1], found[2].strip())


@pytest.fixture(params=[Boto3, AwsCli], ids=["boto3", "cli"])
def client(request):
    return request.param


class Person:
    """Somebody at a keyboard, with the calls of this story."""

    def __init__(self, client, server, session=None):
        self.kind = client
        self.server = server
        self.client = client(server, session)

    def call(self, service, action, **members):
        return self.client.call(service, action, **members)

    def refused(self, service, action, **members):
        with pytest.raises(Refused) as error:
            self.call(service, action, **members)
        return error.value

    def network(self):
        vpc = self.call("ec2", "CreateVpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = self.call("ec2", "CreateSubnet", VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
        made = self.call("ec2", "CreateNetworkInterface", SubnetId=subnet, PrivateIpAddress="10.0.1.10")
        return {"VPC": vpc, "Subnet": subnet, "NetworkInterface": made["NetworkInterface"]["NetworkInterfaceId"]}

    def role(self, name, trust, policy=None):
        made = self.call("iam", "CreateRole", RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        if policy:
            self.permit(name, policy)
        return made["Role"]["Arn"]

    def permit(self, role, policy):
        self.call("iam", "PutRolePolicy", RoleName=role, PolicyName="inline", PolicyDocument=json.dumps(policy))

    def become(self, role):
        made = self.call("sts", "AssumeRole", RoleArn=role, RoleSessionName="me")
        return Person(self.kind, self.server, made["Credentials"])

    def status(self, flow_log):
        found = self.call("ec2", "DescribeFlowLogs", FlowLogIds=[flow_log])["FlowLogs"][0]
        return found["DeliverLogsStatus"], found.get("DeliverLogsErrorMessage")

    def wait_for_status(self, flow_log, wanted):
        # Written by another thread, moments after the delivery.
        deadline = time.monotonic() + 40
        while (status := self.status(flow_log)) != wanted and time.monotonic() < deadline:
            pass
        assert status == wanted


def ask(kind, resources, role, **others):
    resources = resources if isinstance(resources, list) else [resources]
    members = {"LogGroupName": "flows", "DeliverLogsPermissionArn": role, "TrafficType": "ALL"}
    return {"ResourceType": kind, "ResourceIds": resources} | members | others


def test_flow_logs_are_set_up_with_every_mistake_on_the_way(client, serve):
    server = serve()
    admin = Person(client, server)
    network = admin.network()
    vpc, subnet, eni = network.values()
    role = admin.role("flow-logs", FLOW_LOGS_TRUST, WRITE_LOGS)

    # A caller who may make flow logs, but not pass the role; then only another one; then this one.
    operator = admin.role("operator", EVERYBODY, allow("ec2:CreateFlowLogs", "ec2:DescribeFlowLogs"))
    person = admin.become(operator)
    refused = person.refused("ec2", "CreateFlowLogs", **ask("VPC", vpc, role))
    assert refused.code == "UnauthorizedOperation" and "iam:PassRole" in refused.message
    passing = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": f"arn:aws:iam::{ACCOUNT}:role/another"}
    policy = allow("ec2:CreateFlowLogs", "ec2:DescribeFlowLogs", "ec2:DeleteFlowLogs")
    admin.permit("operator", policy | {"Statement": policy["Statement"] + [passing]})
    assert person.refused("ec2", "CreateFlowLogs", **ask("VPC", vpc, role)).code == "UnauthorizedOperation"
    passing["Resource"] = role
    passing["Condition"] = {"StringEquals": {"iam:PassedToService": "vpc-flow-logs.amazonaws.com"}}
    admin.permit("operator", policy | {"Statement": policy["Statement"] + [passing]})
    dry = person.refused("ec2", "CreateFlowLogs", **ask("VPC", vpc, role, DryRun=True))
    assert dry.code == "DryRunOperation"
    made = person.call("ec2", "CreateFlowLogs", **ask("VPC", vpc, role))
    assert made["Unsuccessful"] == []
    flow_logs = {"VPC": made["FlowLogIds"][0]}

    # The same again; the same with the same token; with a token of other parameters.
    refused = person.refused("ec2", "CreateFlowLogs", **ask("VPC", vpc, role))
    assert (refused.code, refused.message) == (
        "FlowLogAlreadyExists",
        "Error. There is an existing Flow Log with the same configuration and log destination.",
    )
    tokened = ask("Subnet", subnet, role, ClientToken="once")
    flow_logs["Subnet"] = person.call("ec2", "CreateFlowLogs", **tokened)["FlowLogIds"][0]
    again = person.call("ec2", "CreateFlowLogs", **tokened)
    assert (again["FlowLogIds"], again["ClientToken"]) == ([flow_logs["Subnet"]], "once")
    other = tokened | {"TrafficType": "REJECT"}
    assert person.refused("ec2", "CreateFlowLogs", **other).code == "IdempotentParameterMismatch"

    # Wrong resources: none of that id, an id of another kind, a mistyped kind, one right of two.
    for kind, resource, code in (
        ("VPC", "vpc-00000000000000001", "InvalidVpcID.NotFound"),
        ("Subnet", "subnet-00000000000000001", "InvalidSubnetID.NotFound"),
        ("NetworkInterface", "eni-00000000000000001", "InvalidNetworkInterfaceID.NotFound"),
        ("VPC", subnet, "InvalidVpcID.Malformed"),
    ):
        assert person.refused("ec2", "CreateFlowLogs", **ask(kind, resource, role)).code == code
    both = ask("NetworkInterface", ["eni-00000000000000001", eni], role)
    made = person.call("ec2", "CreateFlowLogs", **both)
    flow_logs["NetworkInterface"] = made["FlowLogIds"][0]
    failed = [(item["ResourceId"], item["Error"]["Code"]) for item in made["Unsuccessful"]]
    assert failed == [("eni-00000000000000001", "InvalidNetworkInterfaceID.NotFound")]

    # Wrong destinations and roles, each with what is wrong.
    without = ask("VPC", vpc, role, TrafficType="REJECT")
    for changes, code, text in (
        ({"LogGroupName": None}, "InvalidParameter", "LogDestination can't be empty if LogGroupName is not provided."),
        (
            {"LogDestinationType": "s3"}, "InvalidParameter",
            "LogDestination type must be cloud-watch-logs if LogGroupName is provided.",
        ),
        (
            {"LogGroupName": None, "LogDestination": "arn:aws:s3:::bucket", "LogDestinationType": "s3"},
            "InvalidParameter", "DeliverLogsPermissionArn is not applicable for s3 delivery",
        ),
        (
            {"LogGroupName": None, "LogDestination": "arn:aws:s3:::bucket"}, "InvalidParameter",
            "LogDestination: arn:aws:s3:::bucket is not the ARN of a log group",
        ),
        (
            {"DeliverLogsPermissionArn": None}, "InvalidParameter",
            "DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs.",
        ),
        ({"MaxAggregationInterval": 120}, "InvalidParameter", "Invalid Flow Log Max Aggregation Interval"),
        ({"LogFormat": "${srcaddr} "}, "InvalidParameterValue", "logFormat"),
    ):  # fmt: skip
        members = {name: value for name, value in (without | changes).items() if value is not None}
        refused = person.refused("ec2", "CreateFlowLogs", **members)
        assert refused.code == code and text in refused.message, refused
    ghost = f"arn:aws:iam::{ACCOUNT}:role/ghost"
    refused = admin.refused("ec2", "CreateFlowLogs", **ask("VPC", vpc, ghost, TrafficType="REJECT"))
    assert refused.message == f"Unable to assume given IAM role: '{ghost}'"
    admin.role("ghost", FLOW_LOGS_TRUST, WRITE_LOGS)
    made = admin.call("ec2", "CreateFlowLogs", **ask("VPC", vpc, ghost, TrafficType="REJECT"))
    assert made["Unsuccessful"] == []

    # What there is now, as a filter finds it.
    for kind, flow_log in flow_logs.items():
        by = [{"Name": "resource-id", "Values": [network[kind]]}, {"Name": "traffic-type", "Values": ["ALL"]}]
        found = person.call("ec2", "DescribeFlowLogs", Filters=by)["FlowLogs"]
        assert [one["FlowLogId"] for one in found] == [flow_log]

    # Nobody without the permission deletes one, nor does another account; a wrong id is told apart.
    reader = admin.become(admin.role("reader", EVERYBODY, allow("ec2:DescribeFlowLogs")))
    refused = reader.refused("ec2", "DeleteFlowLogs", FlowLogIds=[flow_logs["VPC"]])
    assert refused.code == "UnauthorizedOperation" and "ec2:DeleteFlowLogs" in refused.message
    neighbour = Person(client, serve("--account-id", OTHER_ACCOUNT, name="neighbour"))
    left = neighbour.call("ec2", "DeleteFlowLogs", FlowLogIds=[flow_logs["VPC"]])["Unsuccessful"]
    assert [(item["ResourceId"], item["Error"]["Code"]) for item in left] == [
        (flow_logs["VPC"], "InvalidFlowLogId.NotFound")
    ]
    assert person.call("ec2", "DescribeFlowLogs", FlowLogIds=[flow_logs["VPC"]])["FlowLogs"]
    left = person.call("ec2", "DeleteFlowLogs", FlowLogIds=[flow_logs["VPC"], "fl-00000000000000001"])
    assert [item["ResourceId"] for item in left["Unsuccessful"]] == ["fl-00000000000000001"]
    gone = person.refused("ec2", "DescribeFlowLogs", FlowLogIds=[flow_logs["VPC"]])
    assert gone.code == "InvalidFlowLogId.NotFound"

    # What goes takes its flow logs along.
    admin.call("ec2", "DeleteNetworkInterface", NetworkInterfaceId=eni)
    admin.call("ec2", "DeleteSubnet", SubnetId=subnet)
    left = {one["ResourceId"] for one in person.call("ec2", "DescribeFlowLogs")["FlowLogs"]}
    assert left == {vpc}
    admin.call("ec2", "DeleteVpc", VpcId=vpc)
    assert person.call("ec2", "DescribeFlowLogs")["FlowLogs"] == []


@pytest.mark.live
def test_a_role_without_trust_and_permissions_is_repaired(client, serve):
    server = serve("--interval", "5")
    admin = Person(client, server)
    with Pair() as pair:
        network = admin.network()
        eni = network["NetworkInterface"]
        done = server.weir("attach", "--interface", eni, "--device", "eth0", "--netns", pair.inside)
        assert done.returncode == 0, done.stderr
        role = admin.role("flow-logs", FOREIGN_TRUST)
        made = admin.call("ec2", "CreateFlowLogs", **ask("NetworkInterface", eni, role))
        flow_log = made["FlowLogIds"][0]
        pair.traffic(pair.outside, "udp-send", "10.0.1.10", 9000, 3, 100)

        def refused(action):
            denied = {"AccessDenied", "AccessDeniedException"}
            server.wait_for_line(lambda e: e["fields"].get("action") == action and e["fields"].get("code") in denied)
            admin.wait_for_status(flow_log, ("FAILED", "Access error"))

        # No trust: the service cannot take the role. Then it can, and may not write. Then it may.
        refused("AssumeRole")
        trust = json.dumps(FLOW_LOGS_TRUST)
        admin.call("iam", "UpdateAssumeRolePolicy", RoleName="flow-logs", PolicyDocument=trust)
        refused("PutLogEvents")
        admin.permit("flow-logs", WRITE_LOGS)
        admin.wait_for_status(flow_log, ("SUCCESS", None))
        stream = {"logGroupName": "flows", "logStreamName": f"{eni}-all"}
        events = server.wait_until(
            lambda: [
                event["message"]
                for event in admin.call("logs", "GetLogEvents", startFromHead=True, **stream)["events"]
                if f" {OUTSIDE} 10.0.1.10 " in event["message"]
            ]
        )
        assert sum(int(event.split(" ")[8]) for event in events) == 3
