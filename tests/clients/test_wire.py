"""Answers against botocore's models, and requests as no SDK writes them."""

import json
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from conftest import ACCOUNT, FLOW_LOGS_TRUST, WRITE_LOGS, Server


@pytest.fixture(scope="module")
def weir(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("wire") / "data")
    yield server
    server.stop()


# Every member of every answer is one of the model, of the model's type.

# AWS answers these though its model does not have them.
BESIDE_THE_MODEL = {"CreateSecurityGroupResponse/return"}


def local(element):
    return element.tag.rpartition("}")[2]


def wrong_xml(element, shape, path):
    """What of an XML element is not as its shape says."""
    kind, found = shape.type_name, []
    if kind == "structure":
        names = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        for child in element:
            place = f"{path}/{local(child)}"
            if local(child) in names:
                found += wrong_xml(child, names[local(child)], place)
            elif place not in BESIDE_THE_MODEL:
                found.append(f"{place}: not in the model")
        there = {local(child) for child in element}
        required = [shape.members[name].serialization.get("name", name) for name in shape.required_members]
        found += [f"{path}/{name}: missing" for name in required if name not in there]
    elif kind == "list":
        item = shape.member.serialization.get("name", "member")
        for child in element:
            if local(child) != item:
                found.append(f"{path}: item is {local(child)}, not {item}")
            found += wrong_xml(child, shape.member, f"{path}[]")
    elif len(element):
        found.append(f"{path}: has children")
    else:
        found += wrong_text(element.text or "", shape, path)
    return found


def wrong_text(text, shape, path):
    kind = shape.type_name
    fits = {
        "boolean": lambda: text in ("true", "false"),
        "integer": lambda: str(int(text)) == text,
        "long": lambda: str(int(text)) == text,
        "timestamp": lambda: text.endswith("Z") and "T" in text,
        "string": lambda: not getattr(shape, "enum", None) or text in shape.enum,
    }
    return [] if fits[kind]() else [f"{path}: {text!r} is no {kind}"]


def wrong_json(value, shape, path):
    """What of a JSON value is not as its shape says."""
    kind = shape.type_name
    if kind == "structure":
        found = [f"{path}.{name}: missing" for name in shape.required_members if name not in value]
        for name, inner in value.items():
            if name not in shape.members:
                found.append(f"{path}.{name}: not in the model")
            else:
                found += wrong_json(inner, shape.members[name], f"{path}.{name}")
        return found
    if kind == "list":
        return [w for item in value for w in wrong_json(item, shape.member, f"{path}[]")]
    if kind == "map":
        return [w for item in value.values() for w in wrong_json(item, shape.value, f"{path}{{}}")]
    python = {"string": str, "integer": int, "long": int, "boolean": bool, "float": float, "double": float}
    enum = getattr(shape, "enum", None)
    if type(value) is not python[kind] or (enum and value not in enum):
        return [f"{path}: {value!r} is no {kind}"]
    return []


def wrong(model, protocol, body):
    """What of an answer's body is not as the operation's model says."""
    shape = model.output_shape
    if protocol == "json":
        if shape is None:
            return [] if body in (b"", b"{}") else [f"{model.name}: {body!r}"]
        return wrong_json(json.loads(body), shape, model.name)
    root = ElementTree.fromstring(body)
    path = f"{model.name}Response"
    if local(root) != path:
        return [f"{path}: the root is {local(root)}"]
    children = {local(child): child for child in root}
    if protocol == "ec2":
        root.remove(children["requestId"])
        if shape is None:
            return [] if children["return"].text == "true" else [f"{path}: no return"]
        return wrong_xml(root, shape, path)
    assert "ResponseMetadata" in children
    if shape is None:
        return [f"{path}/{name}" for name in children if name != "ResponseMetadata"]
    return wrong_xml(children[shape.serialization["resultWrapper"]], shape, path)


class Checked:
    """A client whose every answer is held against the model."""

    def __init__(self, server, service, calls):
        self.client = server.boto(service)
        protocol = self.client.meta.service_model.metadata["protocol"]
        session = self.client._endpoint.http_session
        send, bodies = session.send, []

        def record(request):
            response = send(request)
            bodies.append(response.content)
            return response

        def check(http_response, model, **_):
            if http_response.status_code < 300:
                assert wrong(model, protocol, bodies[-1]) == []
                calls.add(model.name)

        session.send = record
        self.client.meta.events.register("after-call", check)


def tags(kind):
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": "x"}, {"Key": "a&<b>", "Value": "\u00fc'\""}]}]


def test_every_answer_is_as_the_model_says(weir):
    calls = set()
    ec2, iam, sts, logs = (Checked(weir, name, calls).client for name in ("ec2", "iam", "sts", "logs"))
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True, TagSpecifications=tags("vpc"))
    block = vpc["Vpc"]["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"].replace("/56", "/64")
    vpc = vpc["Vpc"]["VpcId"]
    ec2.get_waiter("vpc_exists").wait(VpcIds=[vpc])
    ec2.get_waiter("vpc_available").wait(VpcIds=[vpc])
    subnet = ec2.create_subnet(
        VpcId=vpc, CidrBlock="10.0.1.0/24", Ipv6CidrBlock=block, TagSpecifications=tags("subnet")
    )["Subnet"]["SubnetId"]
    ec2.get_waiter("subnet_available").wait(SubnetIds=[subnet])
    group, other = (
        ec2.create_security_group(
            GroupName=name, Description="d", VpcId=vpc, TagSpecifications=tags("security-group")
        )["GroupId"]
        for name in ("web", "db")
    )
    ec2.get_waiter("security_group_exists").wait(GroupIds=[group])
    peers = {
        "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "x"}],
        "Ipv6Ranges": [{"CidrIpv6": "::/0"}],
        "UserIdGroupPairs": [{"GroupId": other, "Description": "y"}],
    }
    rules = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, **peers}]
    for way in ("ingress", "egress"):
        authorize = getattr(ec2, f"authorize_security_group_{way}")
        authorize(GroupId=group, IpPermissions=rules, TagSpecifications=tags("security-group-rule"))
    ec2.describe_security_groups()
    ec2.describe_security_group_rules()
    for way in ("ingress", "egress"):
        getattr(ec2, f"revoke_security_group_{way}")(GroupId=group, IpPermissions=rules)
    acl = ec2.create_network_acl(VpcId=vpc, TagSpecifications=tags("network-acl"))["NetworkAcl"]["NetworkAclId"]
    entry = {"NetworkAclId": acl, "RuleNumber": 1, "RuleAction": "allow", "Egress": False}
    port = {"Protocol": "6", "CidrBlock": "0.0.0.0/0", "PortRange": {"From": 22, "To": 23}}
    icmp = {"Protocol": "58", "Ipv6CidrBlock": "::/0", "IcmpTypeCode": {"Type": 128, "Code": -1}}
    ec2.create_network_acl_entry(**entry, **port)
    ec2.create_network_acl_entry(**entry | {"RuleNumber": 2}, **icmp)
    ec2.replace_network_acl_entry(**entry | {"RuleAction": "deny"}, **port)
    ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=1, Egress=False)
    shown = ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])
    association = shown["NetworkAcls"][0]["Associations"][0]["NetworkAclAssociationId"]
    ec2.replace_network_acl_association(AssociationId=association, NetworkAclId=acl)
    interface = ec2.create_network_interface(
        SubnetId=subnet, Groups=[group], Ipv6AddressCount=1, TagSpecifications=tags("network-interface")
    )["NetworkInterface"]["NetworkInterfaceId"]
    ec2.get_waiter("network_interface_available").wait(NetworkInterfaceIds=[interface])
    ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, Groups=[other])

    trust = json.dumps(FLOW_LOGS_TRUST)
    role = iam.create_role(
        RoleName="flow", Path="/a/", AssumeRolePolicyDocument=trust, Tags=[{"Key": "k", "Value": "v"}]
    )["Role"]["Arn"]
    iam.get_waiter("role_exists").wait(RoleName="flow")
    iam.put_role_policy(RoleName="flow", PolicyName="p", PolicyDocument=json.dumps(WRITE_LOGS))
    assert iam.get_role(RoleName="flow")["Role"]["RoleLastUsed"] == {}
    assert iam.get_role_policy(RoleName="flow", PolicyName="p")["PolicyDocument"] == WRITE_LOGS
    for call in ("list_role_policies", "list_attached_role_policies", "list_instance_profiles_for_role"):
        getattr(iam, call)(RoleName="flow")
    iam.list_role_tags(RoleName="flow")
    iam.list_roles()
    iam.tag_role(RoleName="flow", Tags=[{"Key": "z", "Value": "1"}])
    iam.untag_role(RoleName="flow", TagKeys=["z"])
    iam.update_role(RoleName="flow", Description="x")
    iam.update_role_description(RoleName="flow", Description="y")
    iam.update_assume_role_policy(RoleName="flow", PolicyDocument=trust)
    sts.get_caller_identity()
    anyone = trust.replace('{"Service": "vpc-flow-logs.amazonaws.com"}', f'{{"AWS": "arn:aws:iam::{ACCOUNT}:root"}}')
    me = iam.create_role(RoleName="me", AssumeRolePolicyDocument=anyone)["Role"]["Arn"]
    sts.assume_role(RoleArn=me, RoleSessionName="session")

    destination = {"LogGroupName": "flows", "DeliverLogsPermissionArn": role, "TrafficType": "ALL"}
    nobody = "subnet-0000000000000dead"
    made = ec2.create_flow_logs(
        ResourceType="Subnet",
        ResourceIds=[subnet, nobody],
        TagSpecifications=tags("vpc-flow-log"),
        **destination,
    )
    assert [item["ResourceId"] for item in made["Unsuccessful"]] == [nobody]
    ec2.describe_flow_logs()
    ec2.create_tags(Resources=made["FlowLogIds"], Tags=[{"Key": "q", "Value": ""}])
    ec2.describe_tags()
    ec2.delete_tags(Resources=made["FlowLogIds"], Tags=[{"Key": "q"}])
    for call in ("vpcs", "subnets", "network_interfaces", "availability_zones", "regions"):
        getattr(ec2, f"describe_{call}")()
    ec2.delete_flow_logs(FlowLogIds=[*made["FlowLogIds"], "fl-0000000000000dead"])

    here = {"logGroupName": "g"}
    stream = here | {"logStreamName": "s"}
    logs.create_log_group(**here, tags={"a": "b"})
    logs.create_log_stream(**stream)
    now = int(time.time() * 1000)
    logs.put_log_events(**stream, logEvents=[{"timestamp": now - 20 * 86_400_000, "message": "old"}])
    logs.put_log_events(**stream, logEvents=[{"timestamp": now, "message": "\u00fc"}])
    logs.put_retention_policy(**here, retentionInDays=7)
    logs.get_log_events(**stream)
    logs.filter_log_events(**here)
    logs.describe_log_groups()
    logs.describe_log_streams(**here)
    logs.list_log_groups()
    arn = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:g"
    logs.tag_resource(resourceArn=arn, tags={"c": "d"})
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"a": "b", "c": "d"}
    logs.untag_resource(resourceArn=arn, tagKeys=["c"])
    logs.delete_retention_policy(**here)
    logs.delete_log_stream(**stream)
    logs.delete_log_group(**here)

    ec2.delete_network_interface(NetworkInterfaceId=interface)
    ec2.delete_subnet(SubnetId=subnet)
    for id_ in (group, other):
        ec2.delete_security_group(GroupId=id_)
    ec2.delete_network_acl(NetworkAclId=acl)
    ec2.delete_vpc(VpcId=vpc)
    iam.delete_role_policy(RoleName="flow", PolicyName="p")
    iam.delete_role(RoleName="flow")
    assert len(calls) >= 66, sorted(calls)
    assert ec2.describe_tags()["Tags"] == []


def documented_filters(client, operation):
    """The filters that botocore's documentation of an operation lists."""
    members = client.meta.service_model.operation_model(operation).input_shape.members
    name = next(name for name in members if name.startswith("Filter"))
    for item in members[name].documentation.split("<li>")[1:]:
        found = item.partition("<code>")[2].partition("</code>")[0]
        yield name, "tag:k" if found == "tag" else found.replace("&lt;key&gt;", "k")


@pytest.mark.parametrize(
    "operation",
    [
        "DescribeVpcs",
        "DescribeSubnets",
        "DescribeSecurityGroups",
        "DescribeSecurityGroupRules",
        "DescribeNetworkAcls",
        "DescribeNetworkInterfaces",
        "DescribeFlowLogs",
        "DescribeTags",
        "DescribeRegions",
        "DescribeAvailabilityZones",
    ],
)
def test_every_documented_filter_is_known(weir, operation):
    ec2 = weir.boto("ec2")
    method = next(name for name, of in ec2.meta.method_to_api_mapping.items() if of == operation)
    names = list(documented_filters(ec2, operation))
    assert names
    refused = []
    for parameter, name in names:
        value = "sg-0" if name == "group-id" else "x"
        try:
            getattr(ec2, method)(**{parameter: [{"Name": name, "Values": [value]}]})
        except ClientError as error:
            refused.append(f"{name}: {error}")
    assert refused == []


def test_pages_have_everything_once(weir):
    ec2, iam, logs = weir.boto("ec2"), weir.boto("iam"), weir.boto("logs")
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    for n in range(13):
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.1.{n}.0/24")["Subnet"]["SubnetId"]
        ec2.create_security_group(GroupName=f"page-{n}", Description="x", VpcId=vpc)
        ec2.create_network_acl(VpcId=vpc)
        ec2.create_network_interface(SubnetId=subnet)
        ec2.create_tags(Resources=[subnet], Tags=[{"Key": "n", "Value": str(n)}, {"Key": "m", "Value": ""}])
        iam.create_role(RoleName=f"page-{n}", AssumeRolePolicyDocument=json.dumps(FLOW_LOGS_TRUST))
        logs.create_log_group(logGroupName=f"page-{n}")
        logs.create_log_stream(logGroupName="page-0", logStreamName=f"page-{n}")
    for client, call, member, arguments in [
        (ec2, "describe_subnets", "Subnets", {}),
        (ec2, "describe_security_groups", "SecurityGroups", {}),
        (ec2, "describe_security_group_rules", "SecurityGroupRules", {}),
        (ec2, "describe_network_acls", "NetworkAcls", {}),
        (ec2, "describe_network_interfaces", "NetworkInterfaces", {}),
        (ec2, "describe_tags", "Tags", {}),
        (iam, "list_roles", "Roles", {}),
        (logs, "describe_log_groups", "logGroups", {}),
        (logs, "describe_log_streams", "logStreams", {"logGroupName": "page-0"}),
    ]:
        whole = getattr(client, call)(**arguments)[member]
        pages = client.get_paginator(call).paginate(**arguments, PaginationConfig={"PageSize": 6})
        assert len(whole) >= 13, call
        assert [item for page in pages for item in page[member]] == whole, call


# Requests that no SDK writes.


def request(weir, body, service="ec2", region="us-east-1", headers=None, sign=True, method="POST"):
    """Status and body of the answer to a request with this body, or query string for GET."""
    body = urllib.parse.urlencode(body) if isinstance(body, dict) else body
    url, data = (weir.url + "/?" + body, None) if method == "GET" else (weir.url + "/", body)
    made = AWSRequest(method=method, url=url, data=data, headers=headers or {})
    if sign:
        SigV4Auth(Credentials(*weir.key), service, region).add_auth(made)
    made = made.prepare()
    data = made.body.encode() if isinstance(made.body, str) else made.body
    sent = urllib.request.Request(made.url, data=data, headers=dict(made.headers), method=method)
    try:
        with urllib.request.urlopen(sent, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


IAM, STS = {"Version": "2010-05-08"}, {"Version": "2011-06-15"}
EC2 = {"Version": "2016-11-15"}
ENTRY = {"NetworkAclId": "acl-1", "RuleNumber": "1", "Protocol": "-1", "RuleAction": "allow", "CidrBlock": "::/0"}
SUBNET = {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24"}


@pytest.mark.parametrize(
    "status, part, service, body",
    [
        (400, "<Code>MissingAction</Code>", "ec2", {}),
        (400, "The action Nope is not valid for this web service.", "ec2", {"Action": "Nope"}),
        (400, "Could not find operation Nope for version 2010-05-08", "iam", IAM | {"Action": "Nope"}),
        (400, "Could not find operation Nope for version 2011-06-15", "sts", STS | {"Action": "Nope"}),
        (400, "<Code>UnknownServiceException</Code>", "sqs", {"Action": "X"}),
        (401, "<Code>AuthFailure</Code>", "ec2@nowhere", {"Action": "DescribeVpcs"}),
        (200, "<isDefault>true</isDefault>", "ec2@eu-west-1", {"Action": "DescribeVpcs"}),
        (200, "<ListRolesResult>", "iam@eu-west-1", IAM | {"Action": "ListRoles"}),
        (400, "must contain the parameter VpcId", "ec2", {"Action": "DeleteVpc"}),
        (400, "must include the ResourceIds parameter", "ec2", {"Action": "CreateFlowLogs", "ResourceType": "VPC"}),
        (400, "must contain the parameter egress", "ec2", ENTRY | {"Action": "CreateNetworkAclEntry"}),
        (400, "must contain the parameter egress", "ec2", {
            "Action": "DeleteNetworkAclEntry", "NetworkAclId": "acl-1", "RuleNumber": "1",
        }),
        (400, "The parameter VpcId is not recognized", "ec2", {"Action": "DescribeVpcs", "VpcId": "vpc-1"}),
        (400, "resource type must have a value", "ec2", SUBNET | {
            "Action": "CreateSubnet", "TagSpecification.1.Tag.1.Key": "k",
        }),
        (400, "must have at least one tag", "ec2", SUBNET | {
            "Action": "CreateSubnet", "TagSpecification.1.ResourceType": "subnet",
        }),
        (400, "The security group ID 'foobar' is malformed", "ec2", {
            "Action": "DescribeSecurityGroupRules", "Filter.1.Name": "group-id", "Filter.1.Value.1": "foobar",
        }),
        (400, "<Code>InvalidGroup.NotFound</Code>", "ec2", {
            "Action": "AuthorizeSecurityGroupIngress", "GroupName": "nobody",
        }),
        (400, "CidrBlock is not text in UTF-8", "ec2", b"Action=CreateVpc&Version=2016-11-15&CidrBlock=%ff%fe"),
        (400, "too many parameters", "ec2", {f"VpcId.{n}": "vpc-1" for n in range(20_001)}),
        (400, "UnknownOperationException", "logs Logs_20140328.Nope", b"{}"),
        (400, "UnknownOperationException", "logs Other.DescribeLogGroups", b"{}"),
        (400, "SerializationException", "logs Logs_20140328.DescribeLogGroups", b"[1]"),
        (400, "SerializationException", "logs Logs_20140328.DescribeLogGroups", b'{"limit":"\xff"}'),
        (400, "SerializationException", "logs Logs_20140328.DescribeLogGroups", b"[" * 100_000),
        (400, "Value at 'logGroupIdentifier' failed", "logs Logs_20140328.DescribeLogStreams", (
            b'{"logGroupIdentifier":"arn:aws:logs:us-east-1:123456789012:log-group:g:*"}'
        )),
        (400, "Trust Policy statement actions can only be", "iam", IAM | {
            "Action": "CreateRole", "RoleName": "bad",
            "AssumeRolePolicyDocument": json.dumps(FLOW_LOGS_TRUST).replace("sts:AssumeRole", "sts:BadAssumeRole"),
        }),
        (400, "Member must have length less than or equal to 50", "iam", IAM | {
            "Action": "TagRole", "RoleName": "x", **{f"Tags.member.{n}.Key": str(n) for n in range(1, 52)},
        }),
    ],
)
def test_odd_requests(weir, status, part, service, body):
    """`service` is `NAME`, `NAME@REGION` or `NAME TARGET`."""
    name, _, target = service.partition(" ")
    name, _, region = name.partition("@")
    body = EC2 | body if name == "ec2" and isinstance(body, dict) else body
    headers = {"X-Amz-Target": target} if target else {}
    found, text = request(weir, body, name, region or "us-east-1", headers)
    assert (found, part in text.replace("&apos;", "'")) == (status, True), text


def test_a_query_string_is_as_good_as_a_form(weir):
    assert request(weir, EC2 | {"Action": "DescribeRegions"}, method="GET")[0] == 200
    sts = weir.boto("sts")
    for method in ("GET", "POST"):
        url = sts.generate_presigned_url("get_caller_identity", HttpMethod=method)
        sent = urllib.request.Request(url, method=method, headers={"content-type": ""})
        with urllib.request.urlopen(sent) as answer:
            assert ACCOUNT in answer.read().decode()


@pytest.mark.parametrize(
    "status, part, body, headers",
    [
        (401, "<Response><Errors><Error><Code>AuthFailure", "Version=2016-11-15", {}),
        (403, "<Code>MissingAuthenticationToken</Code>", "Version=2010-05-08", {}),
        (403, "<Code>MissingAuthenticationToken</Code>", "Version=2011-06-15", {}),
        (400, "MissingAuthenticationTokenException", "", {}),
        (400, "MissingAuthenticationTokenException", "{}", {"X-Amz-Target": "Logs_20140328.DescribeLogGroups"}),
        (401, "AuthFailure", "Version=2016-11-15", {"Authorization": "Bearer x"}),
        (401, "AuthFailure", "Version=2016-11-15", {"Authorization": "AWS4-HMAC-SHA256 Credential=x"}),
    ],
)
def test_unsigned_requests(weir, status, part, body, headers):
    found, text = request(weir, f"Action=DescribeVpcs&{body}" if body[:1] != "{" else body, headers=headers, sign=False)
    assert (found, part in text) == (status, True), text


def exchange(weir, head, *body):
    """What the server answers to bytes on a connection, up to its first 4 KiB."""
    host, port = weir.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(head.encode())
        for part in body:
            connection.sendall(part)
        return connection.recv(4096).decode()


def test_http_as_other_clients_write_it(weir):
    body = urllib.parse.urlencode(EC2 | {"Action": "DescribeRegions"}).encode()
    made = AWSRequest(method="POST", url=weir.url + "/", data=body)
    SigV4Auth(Credentials(*weir.key), "ec2", "us-east-1").add_auth(made)
    host = weir.url.removeprefix("http://")
    head = f"Host: {host}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in made.headers.items())
    length = f"Content-Length: {len(body)}\r\n\r\n"
    assert exchange(weir, f"POST / HTTP/1.0\r\n{head}{length}", body).startswith("HTTP/1.0 200")
    assert exchange(weir, f"POST http://{host}/ HTTP/1.1\r\n{head}{length}", body).startswith("HTTP/1.1 200")
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    chunked = exchange(weir, f"POST / HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\n\r\n", chunks)
    assert chunked.startswith("HTTP/1.1 200")
    waiting = exchange(weir, f"POST / HTTP/1.1\r\n{head}Expect: 100-continue\r\n{length}")
    assert waiting.startswith("HTTP/1.1 100")
    # A length that is too large is refused before the body is there, in the client's own form.
    large = exchange(weir, f"POST / HTTP/1.1\r\n{head}Content-Length: 99999999999\r\n\r\n")
    assert large.startswith("HTTP/1.1 413") and "<Code>RequestEntityTooLarge</Code>" in large
    as_json = head + "X-Amz-Target: Logs_20140328.PutLogEvents\r\nContent-Length: 99999999999\r\n\r\n"
    assert '"__type":"RequestEntityTooLarge"' in exchange(weir, f"POST / HTTP/1.1\r\n{as_json}")
    assert exchange(weir, "\x16\x03\x01\x00\r\n\r\n").startswith("HTTP/1.1 400")
    assert weir.boto("sts").get_caller_identity()["Account"] == ACCOUNT


@pytest.mark.parametrize("action, asked", [
    ("CreateVpc", {"CidrBlock": "10.0.0.0/16"}),
    ("CreateSubnet", SUBNET),
    ("CreateNetworkAcl", {"VpcId": "vpc-1"}),
    ("CreateNetworkInterface", {"SubnetId": "subnet-1"}),
    ("CreateFlowLogs", {"ResourceId.1": "vpc-1"}),
    ("CreateTags", {"ResourceId.1": "vpc-1", "Tag.1.Key": "k"}),
    ("DeleteVpc", {"VpcId": "vpc-1"}),
    ("DescribeVpcs", {}),
    ("DescribeFlowLogs", {}),
    ("ModifyNetworkInterfaceAttribute", {"NetworkInterfaceId": "eni-1", "Description.Value": "x"}),
])  # fmt: skip
def test_dry_runs(weir, action, asked):
    """A dry run answers for the caller's permission, and does nothing."""
    whole = EC2 | asked | {"Action": action, "DryRun": "true"}
    before = len(weir.boto("ec2").describe_vpcs()["Vpcs"])
    status, text = request(weir, whole)
    assert (status, "<Code>DryRunOperation</Code>" in text) == (412, True), text
    assert len(weir.boto("ec2").describe_vpcs()["Vpcs"]) == before
