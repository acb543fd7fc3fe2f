"""Packets in, records out, through everything: eBPF, agent, spool, IAM, logs."""

import json
import subprocess
import time

import pytest

from conftest import ACCOUNT, WRITE_LOGS, make_role
from netns import INSIDE, INSIDE_V6, OUTSIDE, Pair

pytestmark = pytest.mark.live


class Site:
    """A VPC whose one interface is attached in a namespace."""

    def __init__(self, server, pair, ingress=("udp",), mode="enforce", role=None, log_format=None, traffic="ALL",
                 ipv6=False):  # fmt: skip
        self.server = server
        self.ec2 = ec2 = server.boto("ec2")
        self.logs = server.boto("logs")
        blocks = [{"Ipv6CidrBlock": block} if ipv6 else {} for block in ("2001:db8::/56", "2001:db8:0:1::/64")]
        addresses = {"Ipv6Addresses": [{"Ipv6Address": INSIDE_V6}]} if ipv6 else {}
        self.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", **blocks[0])["Vpc"]["VpcId"]
        made = ec2.create_subnet(VpcId=self.vpc, CidrBlock="10.0.1.0/24", **blocks[1])
        self.subnet = made["Subnet"]["SubnetId"]
        self.group = ec2.create_security_group(GroupName="g", Description="g", VpcId=self.vpc)["GroupId"]
        for protocol in ingress:
            ec2.authorize_security_group_ingress(
                GroupId=self.group,
                IpPermissions=[
                    {"IpProtocol": protocol, "FromPort": 1, "ToPort": 65535, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
                ],
            )
        made = ec2.create_network_interface(
            SubnetId=self.subnet, PrivateIpAddress=INSIDE, Groups=[self.group], **addresses
        )
        self.eni = made["NetworkInterface"]["NetworkInterfaceId"]
        arguments = {"LogFormat": log_format} if log_format else {}
        made = ec2.create_flow_logs(
            ResourceType="VPC",
            ResourceIds=[self.vpc],
            TrafficType=traffic,
            LogGroupName="flows",
            DeliverLogsPermissionArn=role or make_role(server),
            MaxAggregationInterval=60,
            **arguments,
        )
        assert made["Unsuccessful"] == []
        self.flow_log = made["FlowLogIds"][0]
        self.stream = f"{self.eni}-{traffic.lower()}"
        done = server.weir(
            "attach", "--interface", self.eni, "--device", "eth0", "--netns", pair.inside, "--mode", mode
        )
        assert done.returncode == 0, done.stderr

    def messages(self):
        try:
            pages = []
            token = {}
            while True:
                page = self.logs.get_log_events(
                    logGroupName="flows", logStreamName=self.stream, startFromHead=True, **token
                )
                pages += page["events"]
                if page["nextForwardToken"] == token.get("nextToken"):
                    return [event["message"] for event in pages]
                token = {"nextToken": page["nextForwardToken"]}
        except self.logs.exceptions.ResourceNotFoundException:
            return []

    def flows(self, **wanted):
        """Packets and bytes of the default-format records that fit."""
        names = (
            "version account eni srcaddr dstaddr srcport dstport protocol packets bytes start end action status"
        ).split()
        packets = size = 0
        for message in self.messages():
            record = dict(zip(names, message.split(" ")))
            if record["status"] == "OK" and all(record[name] == value for name, value in wanted.items()):
                packets += int(record["packets"])
                size += int(record["bytes"])
        return packets, size


def test_a_million_packets_are_a_million_packets(serve):
    server = serve("--interval", "5")
    with Pair() as pair:
        site = Site(server, pair)
        sink = pair.start(pair.inside, "udp-sink", INSIDE, 9000)
        sent = pair.traffic(pair.outside, "udp-send", INSIDE, 9000, 1_000_000, 18)
        # One flow, several windows, no packet more or less.
        wanted = {"srcaddr": OUTSIDE, "dstaddr": INSIDE, "dstport": "9000", "action": "ACCEPT"}
        server.wait_until(lambda: site.flows(**wanted)[0] >= sent["packets"])
        assert site.flows(**wanted) == (sent["packets"], sent["bytes"])
        assert sent["packets"] == 1_000_000
        sink.communicate(timeout=10)


def test_only_what_is_allowed_comes_in_and_the_rest_is_recorded(serve):
    server = serve("--interval", "5")
    with Pair() as pair:
        site = Site(server, pair, ingress=("tcp",))
        tcp = pair.start(pair.inside, "tcp-serve", INSIDE, 80, 3000)
        sent = pair.traffic(pair.outside, "tcp-connect", INSIDE, 80, 100_000)
        assert sent == {"sent": 100_000, "got": 3000}
        tcp.communicate(timeout=10)
        refused = pair.traffic(pair.outside, "udp-send", INSIDE, 9000, 7, 100)
        server.wait_until(lambda: site.flows(protocol="17", action="REJECT")[0] >= 7)
        assert site.flows(protocol="17", action="REJECT") == (7, refused["bytes"])
        assert site.flows(protocol="17", action="ACCEPT") == (0, 0)
        assert site.flows(protocol="6", action="REJECT") == (0, 0)
        packets, size = site.flows(protocol="6", srcaddr=OUTSIDE, dstport="80", action="ACCEPT")
        # 20 bytes IP, 20 to 60 bytes TCP in each packet.
        assert packets * 40 + 100_000 <= size <= packets * 80 + 100_000
        packets, size = site.flows(protocol="6", srcaddr=INSIDE, srcport="80", action="ACCEPT")
        assert packets * 40 + 3000 <= size <= packets * 80 + 3000


def test_records_can_be_read_soon_after_their_window(serve):
    server = serve("--interval", "5")
    with Pair() as pair:
        site = Site(server, pair)
        server.wait_until(site.messages)
        message = site.messages()[0]
        assert message.endswith("- NODATA")
        end = int(message.split(" ")[11])
        event = site.logs.get_log_events(logGroupName="flows", logStreamName=site.stream, startFromHead=True)
        print("latency", event["events"][0]["ingestionTime"] / 1000 - end, "s")
        assert message == f"2 {ACCOUNT} {site.eni} - - - - - - - {message.split(' ')[10]} {end} - NODATA"


def test_a_role_that_lacks_a_permission_is_an_access_error_until_it_is_repaired(serve):
    server = serve("--interval", "5")
    with Pair() as pair:
        role = make_role(server, policy=None)
        site = Site(server, pair, role=role)
        sink = pair.start(pair.inside, "udp-sink", INSIDE, 9000)
        sent = pair.traffic(pair.outside, "udp-send", INSIDE, 9000, 10, 100)

        def status():
            flow_log = site.ec2.describe_flow_logs(FlowLogIds=[site.flow_log])["FlowLogs"][0]
            return flow_log["DeliverLogsStatus"], flow_log.get("DeliverLogsErrorMessage")

        server.wait_for_line(lambda e: "delivery fails" in e["fields"].get("message", ""))
        # The status is written by another thread, a moment after the line.
        deadline = time.monotonic() + 20
        while status() != ("FAILED", "Access error") and time.monotonic() < deadline:
            pass
        assert status() == ("FAILED", "Access error")
        assert site.messages() == []
        server.boto("iam").put_role_policy(
            RoleName="flow-logs", PolicyName="write", PolicyDocument=json.dumps(WRITE_LOGS)
        )
        server.wait_until(lambda: site.flows(dstport="9000")[0] >= 10)
        assert site.flows(dstport="9000") == (10, sent["bytes"])
        deadline = time.monotonic() + 20
        while status() != ("SUCCESS", None) and time.monotonic() < deadline:
            pass
        assert status() == ("SUCCESS", None)
        sink.communicate(timeout=10)


def test_a_role_that_does_not_trust_the_service_is_an_access_error(serve):
    server = serve("--interval", "5")
    with Pair() as pair:
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ],
        }
        Site(server, pair, role=make_role(server, trust=trust))
        line = server.wait_for_line(lambda e: "delivery fails" in e["fields"].get("message", ""))
        assert line["fields"]["error"] == "Access error"
        assert "AssumeRole" in line["fields"]["detail"]


def test_killed_in_traffic_nothing_acknowledged_is_lost_and_the_flow_log_goes_on(serve):
    server = serve("--interval", "5")
    with Pair() as pair:
        site = Site(server, pair)
        sink = pair.start(pair.inside, "udp-sink", INSIDE, 9000)
        pair.traffic(pair.outside, "udp-send", INSIDE, 9000, 1000, 100)
        server.wait_until(lambda: site.flows(dstport="9000")[0] >= 1000)
        before = site.messages()
        flood = pair.spawn(pair.outside, "udp-send", INSIDE, 9000, 300_000, 100)
        server.kill()
        flood.communicate(timeout=60)
        server.start(listen=server.url.removeprefix("http://"))
        after = site.messages()
        assert after[: len(before)] == before
        listed = json.loads(server.weir("interfaces").stdout.splitlines()[0])
        assert (listed["Interface"], listed["Status"]) == (site.eni, "attached")
        pair.traffic(pair.outside, "udp-send", INSIDE, 9001, 500, 100)
        server.wait_until(lambda: site.flows(dstport="9001")[0] >= 500)
        assert site.flows(dstport="9001")[0] == 500
        assert len(set(site.messages())) == len(site.messages())
        sink.communicate(timeout=10)


def test_detach_publishes_the_last_window_and_leaves_the_device_alone(serve):
    server = serve("--interval", "5")
    with Pair() as pair:
        site = Site(server, pair)
        sink = pair.start(pair.inside, "udp-sink", INSIDE, 9000)
        pair.traffic(pair.outside, "udp-send", INSIDE, 9000, 3, 100)
        assert server.weir("detach", "--interface", site.eni).returncode == 0
        # Not judged any more: TCP is not allowed, and passes.
        tcp = pair.start(pair.inside, "tcp-serve", INSIDE, 80, 10)
        assert pair.traffic(pair.outside, "tcp-connect", INSIDE, 80, 10)["got"] == 10
        tcp.communicate(timeout=10)
        server.wait_until(lambda: site.flows(dstport="9000")[0] >= 3)
        assert site.flows(protocol="6") == (0, 0)
        sink.communicate(timeout=10)


def test_attach_says_what_is_wrong(weir):
    with Pair() as pair:
        ec2 = weir.boto("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
        eni = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]

        def problem(*arguments):
            done = weir.weir("attach", *arguments)
            assert done.returncode == 1
            return done.stderr

        place = ("--device", "eth0", "--netns", pair.inside)
        assert "eth7" in problem("--interface", eni, "--device", "eth7", "--netns", pair.inside)
        assert "no-such-ns" in problem("--interface", eni, "--device", "eth0", "--netns", "no-such-ns")
        assert "eni-00000000000000000" in problem("--interface", "eni-00000000000000000", *place)
        assert json.loads(weir.weir("interfaces").stdout or "[]") == []
        assert weir.weir("attach", "--interface", eni, *place).returncode == 0
        other = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
        assert eni in problem("--interface", other, *place)


def test_nothing_is_left_behind(serve):
    """A stopped server leaves no program on the device."""
    server = serve("--interval", "5")
    with Pair() as pair:
        site = Site(server, pair, ingress=())
        refused = pair.traffic(pair.outside, "udp-send", INSIDE, 9000, 1, 10)
        assert refused["packets"] == 1
        assert server.stop() == 0
        tcp = pair.start(pair.inside, "tcp-serve", INSIDE, 80, 10)
        assert pair.traffic(pair.outside, "tcp-connect", INSIDE, 80, 10)["got"] == 10
        tcp.communicate(timeout=10)
        # The last, short window was written at the stop and is there after a start.
        server.start()
        site.logs = server.boto("logs")
        assert site.flows(dstport="9000", action="REJECT")[0] == 1
        listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True).stdout
        assert "weir-demo" not in listed
