"""How fast a large account is described.

Makes an account through the API (10,000 interfaces, 1,000 security groups and
1,000 flow logs in 10 VPCs) and prints for each request the median and the
longest time from its first byte to the last one of its answer, signature not
included: a connection of its own that stays open, one request after the other.
Then the same while four writers make and remove interfaces.
"""

import concurrent.futures
import http.client
import os
import statistics
import sys
import tempfile
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "tests", "clients"))

from botocore.auth import SigV4Auth  # noqa: E402
from botocore.awsrequest import AWSRequest  # noqa: E402
from botocore.credentials import Credentials  # noqa: E402
from conftest import Server, make_role  # noqa: E402
from postgres import Postgres  # noqa: E402

VPCS, SUBNETS, GROUPS, FLOW_LOGS = 10, 10, 100, 1000
ROUNDS = 30


class Account:
    """What was made, by VPC."""

    def __init__(self, server, interfaces):
        self.server = server
        each = interfaces // (VPCS * SUBNETS)
        role = make_role(server)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            self.vpcs = list(pool.map(lambda n: self.make_vpc(n, each, role), range(VPCS)))

    def make_vpc(self, number, each, role):
        ec2 = self.server.boto("ec2")
        vpc = ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")["Vpc"]["VpcId"]
        groups = [
            ec2.create_security_group(GroupName=f"group-{number}-{n}", Description="x", VpcId=vpc)["GroupId"]
            for n in range(GROUPS)
        ]
        subnets, interfaces = [], []
        for n in range(SUBNETS):
            subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.{number}.{n * 8}.0/21")["Subnet"]["SubnetId"]
            subnets.append(subnet)
            for m in range(each):
                made = ec2.create_network_interface(
                    SubnetId=subnet,
                    Groups=[groups[(n * each + m) % GROUPS]],
                    Description=f"interface {number} {n} {m}",
                    TagSpecifications=[
                        {
                            "ResourceType": "network-interface",
                            "Tags": [{"Key": "Name", "Value": f"web-{number}-{n}-{m}"}],
                        }
                    ],
                )
                interfaces.append(made["NetworkInterface"])
        ids = [interface["NetworkInterfaceId"] for interface in interfaces]
        wanted = FLOW_LOGS // VPCS
        for start in range(0, wanted, 20):
            ec2.create_flow_logs(
                ResourceType="NetworkInterface",
                ResourceIds=ids[start : min(start + 20, wanted)],
                TrafficType="ALL",
                LogGroupName=f"flows-{number}",
                DeliverLogsPermissionArn=role,
            )
        return {"id": vpc, "groups": groups, "subnets": subnets, "interfaces": interfaces}


class Wire:
    """One connection, requests signed beforehand."""

    def __init__(self, server):
        self.server = server
        self.connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=120)

    def time(self, parameters):
        """Milliseconds and bytes of an answer."""
        body = urllib.parse.urlencode({"Version": "2016-11-15", **parameters})
        made = AWSRequest(method="POST", url=self.server.url + "/", data=body)
        SigV4Auth(Credentials(*self.server.key), "ec2", "us-east-1").add_auth(made)
        start = time.perf_counter()
        self.connection.request("POST", "/", body, dict(made.headers))
        answer = self.connection.getresponse()
        text = answer.read()
        took = (time.perf_counter() - start) * 1000
        assert answer.status == 200, text
        return took, len(text)


def by(action, name, *values):
    named = {f"Filter.1.Value.{place}": value for place, value in enumerate(values, 1)}
    return {"Action": action, "Filter.1.Name": name, **named}


def requests(account):
    vpc = account.vpcs[4]
    interface = vpc["interfaces"][37]
    id_, address = interface["NetworkInterfaceId"], interface["PrivateIpAddress"]
    group, subnet = vpc["groups"][37], vpc["subnets"][3]
    interfaces = "DescribeNetworkInterfaces"
    return [
        ("interfaces, by id", {"Action": interfaces, "NetworkInterfaceId.1": id_}),
        ("interfaces, filter network-interface-id", by(interfaces, "network-interface-id", id_)),
        ("interfaces, filter private-ip-address", by(interfaces, "private-ip-address", address)),
        ("interfaces, filter tag:Name", by(interfaces, "tag:Name", "web-4-3-7")),
        ("interfaces, filter group-id", by(interfaces, "group-id", group)),
        ("interfaces, filter subnet-id", by(interfaces, "subnet-id", subnet)),
        ("interfaces, filter vpc-id, 100 a page", by(interfaces, "vpc-id", vpc["id"]) | {"MaxResults": 100}),
        ("interfaces, filter description=…*, all read", by(interfaces, "description", "interface 4 3 7*")),
        ("groups, by id", {"Action": "DescribeSecurityGroups", "GroupId.1": group}),
        ("groups, filter group-name", by("DescribeSecurityGroups", "group-name", "group-4-37")),
        ("groups, filter vpc-id", by("DescribeSecurityGroups", "vpc-id", vpc["id"])),
        ("group rules, filter group-id", by("DescribeSecurityGroupRules", "group-id", group)),
        ("flow logs, filter resource-id", by("DescribeFlowLogs", "resource-id", id_)),
        ("flow logs, filter log-group-name", by("DescribeFlowLogs", "log-group-name", "flows-4")),
        ("subnets, by id", {"Action": "DescribeSubnets", "SubnetId.1": subnet}),
        ("subnets, filter vpc-id", by("DescribeSubnets", "vpc-id", vpc["id"])),
        ("tags, filter resource-id", by("DescribeTags", "resource-id", id_)),
    ]


def measure(server, account, title):
    print(f"\n| {title} | median ms | longest ms | answer, KiB |\n|---|---|---|---|")
    wire = Wire(server)
    for name, parameters in requests(account):
        wire.time(parameters)
        times = [wire.time(parameters) for _ in range(ROUNDS)]
        took = [ms for ms, _ in times]
        print(f"| {name} | {statistics.median(took):.1f} | {max(took):.1f} | {times[0][1] / 1024:.1f} |", flush=True)


def make_and_remove(server, subnet, times=ROUNDS, until=None):
    """Interfaces made and removed: milliseconds of each."""
    ec2, took = server.boto("ec2"), ([], [])
    while (until is None and len(took[0]) < times) or (until is not None and not until.is_set()):
        start = time.perf_counter()
        made = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
        middle = time.perf_counter()
        ec2.delete_network_interface(NetworkInterfaceId=made)
        took[0].append((middle - start) * 1000)
        took[1].append((time.perf_counter() - middle) * 1000)
    return took


def main():
    kind = sys.argv[1] if len(sys.argv) > 1 else "sqlite"
    interfaces = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    database = Postgres() if kind == "postgres" else None
    with tempfile.TemporaryDirectory() as folder:
        state = ["--state", database.url] if database else []
        server = Server(os.path.join(folder, "data"), *state)
        try:
            start = time.time()
            account = Account(server, interfaces)
            print(f"{kind}: {interfaces} interfaces and the rest made in {time.time() - start:.0f} s", flush=True)
            measure(server, account, f"{kind}, nobody else")
            created, deleted = make_and_remove(server, account.vpcs[4]["subnets"][3])
            for name, took in (("create", created), ("delete", deleted)):
                print(f"| {name} an interface, with boto3 | {statistics.median(took):.1f} | {max(took):.1f} | |")
            over = threading.Event()
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                subnets = [vpc["subnets"][0] for vpc in account.vpcs[:4]]
                writers = [pool.submit(make_and_remove, server, subnet, until=over) for subnet in subnets]
                try:
                    measure(server, account, f"{kind}, beside four writers")
                finally:
                    over.set()
                print(f"\nwritten meanwhile: {sum(len(w.result()[0]) for w in writers)} interfaces made and removed")
        finally:
            server.stop()
            if database:
                database.stop()


if __name__ == "__main__":
    main()
