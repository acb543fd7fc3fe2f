"""What the data path does with the less common traffic, and when hosts change under it."""

import json
import os
import subprocess

import pytest

from conftest import ACCOUNT, make_role
from netns import INSIDE, INSIDE_V6, OUTSIDE, OUTSIDE_V6, Pair, ip
from test_live import Site

pytestmark = pytest.mark.live

# A neighbour in the instance's own subnet.
NEIGHBOUR = "10.0.1.20"

EVERY_FIELD = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action "
    "log-status vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr region az-id sublocation-type "
    "sublocation-id pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path"
).split()


def fields(names, message):
    values = message.split(" ")
    assert len(values) == len(names), message
    return dict(zip(names, values))


def add_flow_log(site, resource, kind, traffic, names, group):
    made = site.ec2.create_flow_logs(
        ResourceType=kind,
        ResourceIds=[resource],
        TrafficType=traffic,
        LogGroupName=group,
        DeliverLogsPermissionArn=make_role(site.server, name=group),
        LogFormat=" ".join("${%s}" % name for name in names),
    )
    assert made["Unsuccessful"] == []


def messages(site, group, stream):
    try:
        page = site.logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)
        return [event["message"] for event in page["events"]]
    except site.logs.exceptions.ResourceNotFoundException:
        return []


def test_two_flow_logs_of_one_interface_and_every_field_that_a_host_can_know(serve):
    server = serve("--interval", "5")
    with Pair() as pair:
        site = Site(server, pair, ingress=())
        ip("-n", pair.inside, "address", "add", "10.0.1.11/32", "dev", "eth0")
        site.ec2.authorize_security_group_ingress(
            GroupId=site.group,
            IpPermissions=[
                {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": f"{OUTSIDE}/32"}]}
            ],
        )
        add_flow_log(site, site.vpc, "VPC", "ALL", EVERY_FIELD, "every-field")
        few = ["interface-id", "dstport", "action", "packets", "log-status", "flow-direction"]
        add_flow_log(site, site.eni, "NetworkInterface", "REJECT", few, "rejects")
        tcp = pair.start(pair.inside, "tcp-serve", "10.0.1.11", 80, 10)
        pair.traffic(pair.outside, "tcp-connect", "10.0.1.11", 80, 10)
        tcp.communicate(timeout=10)
        pair.traffic(pair.outside, "udp-send", INSIDE, 9000, 3, 100)

        def records():
            found = [fields(EVERY_FIELD, m) for m in messages(site, "every-field", site.stream)]
            return [record for record in found if record["log-status"] == "OK"]

        server.wait_until(lambda: {"9000", "80"} <= {record["dstport"] for record in records()})
        zone = site.ec2.describe_subnets(SubnetIds=[site.subnet])["Subnets"][0]["AvailabilityZoneId"]
        # The host, as EC2 shows it.
        shown = site.ec2.describe_network_interfaces(NetworkInterfaceIds=[site.eni])["NetworkInterfaces"][0]
        instance = shown["Attachment"]["InstanceId"]
        same = {
            "version": "5", "account-id": ACCOUNT, "interface-id": site.eni, "vpc-id": site.vpc,
            "subnet-id": site.subnet, "instance-id": instance, "type": "IPv4", "region": "us-east-1", "az-id": zone,
            "sublocation-type": "-", "sublocation-id": "-", "pkt-src-aws-service": "-", "pkt-dst-aws-service": "-",
        }  # fmt: skip
        for record in records():
            assert {name: record[name] for name in same} == same
            assert int(record["start"]) <= int(record["end"])
        one = [r for r in records() if (r["dstport"], r["action"]) == ("80", "ACCEPT")]
        assert all(r["srcaddr"] == r["pkt-srcaddr"] == OUTSIDE for r in one)
        # The primary address stands for the second one.
        assert all((r["dstaddr"], r["pkt-dstaddr"]) == (INSIDE, "10.0.1.11") for r in one)
        assert all((r["flow-direction"], r["traffic-path"], r["protocol"]) == ("ingress", "-", "6") for r in one)
        back = [r for r in records() if r["srcport"] == "80"]
        assert all((r["srcaddr"], r["pkt-srcaddr"], r["dstaddr"]) == (INSIDE, "10.0.1.11", OUTSIDE) for r in back)
        assert all((r["flow-direction"], r["traffic-path"]) == ("egress", "8") for r in back)
        flags = [0, 0]
        for n, of in enumerate((one, back)):
            for record in of:
                flags[n] |= int(record["tcp-flags"])
        # SYN and FIN from the client; SYN-ACK and FIN from the server.
        assert flags == [2 | 1, 18 | 1]
        # Each flow log is delivered by itself: one may be behind the other.
        def rejected():
            found = [r for r in records() if r["dstport"] == "9000"]
            assert {(r["action"], r["tcp-flags"]) for r in found} == {("REJECT", "0")}
            return sum(int(r["packets"]) for r in found), sum(int(r["bytes"]) for r in found)

        server.wait_until(lambda: rejected()[0] >= 3)
        assert rejected() == (3, 3 * 128)

        def only():
            return [fields(few, m) for m in messages(site, "rejects", f"{site.eni}-reject")]

        def ok():
            return [r for r in only() if r["log-status"] == "OK"]

        server.wait_until(lambda: sum(int(r["packets"]) for r in ok()) >= 3)
        assert sum(int(r["packets"]) for r in ok()) == 3
        seen = {tuple(r[name] for name in few if name != "packets") for r in ok()}
        assert seen == {(site.eni, "9000", "REJECT", "OK", "ingress")}
        assert {r["log-status"] for r in only()} <= {"OK", "NODATA"}


def test_ipv6_from_end_to_end(serve):
    server = serve("--interval", "5")
    with Pair(ipv6=True) as pair:
        names = ["srcaddr", "dstaddr", "dstport", "protocol", "packets", "bytes", "action", "type", "log-status"]
        names += ["traffic-path"]
        site = Site(server, pair, ingress=(), ipv6=True, log_format=" ".join("${%s}" % name for name in names))
        for protocol, port in (("tcp", 80), ("icmpv6", -1)):
            site.ec2.authorize_security_group_ingress(
                GroupId=site.group,
                IpPermissions=[
                    {"IpProtocol": protocol, "FromPort": port, "ToPort": port, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
                ],
            )
        tcp = pair.start(pair.inside, "tcp-serve", INSIDE_V6, 80, 10)
        assert pair.traffic(pair.outside, "tcp-connect", INSIDE_V6, 80, 1000)["got"] == 10
        tcp.communicate(timeout=10)
        # Fragmented both ways: 4,000 bytes over an MTU of 1,500.
        assert pair.traffic(pair.outside, "ping", INSIDE_V6, 2, 4000) == {"answered": 2}
        sent = pair.traffic(pair.outside, "udp-send", INSIDE_V6, 9000, 5, 100)

        def of(protocol, **wanted):
            records = [fields(names, message) for message in site.messages()]
            records = [r for r in records if r["protocol"] == protocol and r["log-status"] == "OK"]
            return [r for r in records if all(r[name] == value for name, value in wanted.items())]

        server.wait_until(lambda: of("17", dstaddr=INSIDE_V6))
        assert [(r["packets"], r["bytes"], r["action"], r["srcaddr"]) for r in of("17")] == [
            ("5", str(sent["bytes"]), "REJECT", OUTSIDE_V6)
        ]
        for source, path in ((OUTSIDE_V6, "-"), (INSIDE_V6, "8")):
            echo = of("58", srcaddr=source)
            # Three fragments each, with 48 bytes of headers.
            size = 2 * (4000 + 8 + 3 * 48)
            assert (sum(int(r["packets"]) for r in echo), sum(int(r["bytes"]) for r in echo)) == (6, size)
            assert {(r["action"], r["type"], r["traffic-path"]) for r in echo} == {("ACCEPT", "IPv6", path)}
        assert {r["action"] for r in of("6")} == {"ACCEPT"}


def test_large_datagrams_pass_by_their_first_fragment(serve):
    server = serve("--interval", "5")
    with Pair() as pair:
        site = Site(server, pair, ingress=())
        site.ec2.authorize_security_group_ingress(
            GroupId=site.group,
            IpPermissions=[
                {"IpProtocol": "udp", "FromPort": 9000, "ToPort": 9000, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
                {"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
            ],
        )
        sink = pair.start(pair.inside, "udp-sink", INSIDE, 9000)
        assert pair.traffic(pair.outside, "ping", INSIDE, 3, 4000) == {"answered": 3}
        pair.traffic(pair.outside, "udp-send", INSIDE, 9000, 4, 4000)
        pair.traffic(pair.outside, "udp-send", INSIDE, 9001, 4, 4000)
        server.wait_until(lambda: site.flows(dstport="9001")[0] >= 12)
        # Three packets a datagram: 1,480 and 1,480 and the rest, 20 bytes of header each.
        size = 4 * (4008 + 3 * 20)
        assert site.flows(dstport="9000", action="ACCEPT") == (12, size)
        assert site.flows(dstport="9001", action="REJECT") == (12, size)
        assert site.flows(protocol="17", dstport="0") == (0, 0)
        for source in (OUTSIDE, INSIDE):
            assert site.flows(protocol="1", srcaddr=source, action="ACCEPT") == (9, 3 * (4008 + 3 * 20))
        sink.communicate(timeout=10)


def test_an_icmp_error_about_a_tracked_flow_passes(serve):
    server = serve("--interval", "5")
    with Pair() as pair:
        site = Site(server, pair, ingress=())
        # Nothing listens outside; nothing is allowed in. The error is about the instance's own packet.
        assert pair.traffic(pair.inside, "udp-refused", OUTSIDE, 7777) == {"answer": "refused"}
        server.wait_until(lambda: site.flows(protocol="1")[0] >= 1)
        assert site.flows(protocol="1", srcaddr=OUTSIDE, action="ACCEPT") == (1, 128 + 28)
        assert site.flows(protocol="17", dstport="7777", action="ACCEPT") == (1, 128)


def test_groups_as_peers_and_an_acl_that_ends_at_the_subnet(serve):
    server = serve("--interval", "5")
    with Pair() as pair:
        site = Site(server, pair, ingress=())
        ip("-n", pair.outside, "address", "add", f"{NEIGHBOUR}/24", "dev", "eth0")
        friends = site.ec2.create_security_group(GroupName="friends", Description="f", VpcId=site.vpc)["GroupId"]
        peer = [{"GroupId": friends}]
        site.ec2.authorize_security_group_ingress(
            GroupId=site.group,
            IpPermissions=[{"IpProtocol": "udp", "FromPort": 9000, "ToPort": 9003, "UserIdGroupPairs": peer}],
        )
        sink = pair.start(pair.inside, "udp-sink", INSIDE, 9000)

        def send(source, port):
            pair.traffic(pair.outside, "udp-from", source, INSIDE, port, 1)

        send(NEIGHBOUR, 9000)  # not a member yet
        site.ec2.create_network_interface(SubnetId=site.subnet, PrivateIpAddress=NEIGHBOUR, Groups=[friends])
        # The API has answered: the next packet is judged by it.
        send(NEIGHBOUR, 9001)
        acl = site.ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [site.vpc]}])["NetworkAcls"][0]
        for egress in (False, True):
            site.ec2.create_network_acl_entry(
                NetworkAclId=acl["NetworkAclId"], RuleNumber=1, Protocol="-1", RuleAction="deny",
                Egress=egress, CidrBlock="0.0.0.0/0",
            )  # fmt: skip
        send(NEIGHBOUR, 9002)  # inside the subnet no ACL is met
        send(OUTSIDE, 9003)
        server.wait_until(lambda: site.flows(dstport="9003")[0] >= 1)
        verdicts = [(9000, "REJECT"), (9001, "ACCEPT"), (9002, "ACCEPT"), (9003, "REJECT")]
        for port, action in verdicts:
            assert site.flows(dstport=str(port), action=action)[0] == 1, (port, action)
            assert site.flows(dstport=str(port))[0] == 1, (port, action)
        sink.communicate(timeout=10)


def test_two_interfaces_in_one_namespace_one_of_them_from_the_hosts_side(serve):
    server = serve("--interval", "5")
    with Pair() as pair:
        site = Site(server, pair, ingress=())
        pair.join("eth1")
        ip("-n", pair.outside, "address", "add", "203.0.113.13/32", "dev", "eth1")
        ip("-n", pair.inside, "address", "add", "10.0.1.12/32", "dev", "eth1")
        ip("-n", pair.outside, "route", "add", "10.0.1.12/32", "dev", "eth1", "src", "203.0.113.13")
        ip("-n", pair.inside, "route", "add", "203.0.113.13/32", "dev", "eth1", "src", "10.0.1.12")
        made = site.ec2.create_network_interface(
            SubnetId=site.subnet, PrivateIpAddress="10.0.1.12", Groups=[site.group]
        )
        second = made["NetworkInterface"]["NetworkInterfaceId"]
        # The far end of the second cable: what it sends is the interface's ingress.
        place = ("--device", "eth1", "--netns", pair.outside, "--side", "host", "--mode", "evaluate")
        assert server.weir("attach", "--interface", second, *place).returncode == 0
        tcp = pair.start(pair.inside, "tcp-serve", "10.0.1.12", 80, 10)
        # Evaluated, not enforced: the refused connection works.
        assert pair.traffic(pair.outside, "tcp-connect", "10.0.1.12", 80, 10)["got"] == 10
        tcp.communicate(timeout=10)
        pair.traffic(pair.outside, "udp-send", INSIDE, 9000, 2, 10)
        first, site.stream = site.stream, f"{second}-all"
        server.wait_until(lambda: site.flows(dstport="80", action="REJECT")[0] > 0)
        assert site.flows(dstport="80", action="ACCEPT") == (0, 0)
        # The answers are egress, which the default rule allows.
        assert site.flows(srcport="80", srcaddr="10.0.1.12", action="ACCEPT")[0] > 0
        assert site.flows(dstport="9000") == (0, 0)
        site.stream = first
        server.wait_until(lambda: site.flows(dstport="9000")[0] >= 2)
        assert site.flows(dstport="9000", action="REJECT")[0] == 2
        assert site.flows(protocol="6") == (0, 0)


def test_an_interface_that_is_detached_and_attached_in_one_window_has_one_record_a_flow(serve):
    server = serve("--interval", "60")
    with Pair() as pair:
        site = Site(server, pair)
        place = ("--device", "eth0", "--netns", pair.inside, "--mode", "enforce")
        sink = pair.start(pair.inside, "udp-sink", INSIDE, 9000)
        for _ in range(4):
            for _ in range(3):
                # From one port: the same flow each time.
                pair.traffic(pair.outside, "udp-from", OUTSIDE, INSIDE, 9000, 5, 40000)
            assert server.weir("detach", "--interface", site.eni).returncode == 0
            assert server.weir("attach", "--interface", site.eni, *place).returncode == 0
        assert server.stop() == 0
        server.start()
        site.logs = server.boto("logs")
        # A stop may fall behind a boundary, but no record may be doubled.
        found = [m.split(" ") for m in site.messages()]
        found = [m for m in found if m[6] == "9000" and m[13] == "OK"]
        assert sum(int(m[8]) for m in found) == 60
        assert len(found) <= 2, found
        sink.communicate(timeout=10)


def test_a_device_that_comes_back_is_judged_again_within_the_window(serve):
    server = serve("--interval", "600")
    with Pair() as pair:
        site = Site(server, pair, ingress=())
        ip("-n", pair.inside, "link", "del", "eth0")
        server.wait_for_line(lambda e: "the device has vanished" in e["fields"].get("message", ""))

        def listed():
            return json.loads(server.weir("interfaces").stdout.splitlines()[0])

        server.wait_for_line(lambda e: "cannot follow the order" in e["fields"].get("message", ""))
        assert (listed()["Status"], "eth0" in listed()["Problem"]) == ("failed", True)
        pair.join("eth0")
        ip("-n", pair.inside, "address", "add", f"{INSIDE}/24", "dev", "eth0")
        ip("-n", pair.outside, "address", "add", f"{OUTSIDE}/24", "dev", "eth0")
        for name in (pair.inside, pair.outside):
            ip("-n", name, "route", "add", "default", "dev", "eth0")
        server.wait_for_line(lambda e: e["fields"].get("message") == "attached" and "netns" in e["fields"])
        assert listed()["Status"] == "attached"
        pair.traffic(pair.outside, "udp-send", INSIDE, 9000, 2, 10)
        assert server.stop() == 0
        server.start()
        site.logs = server.boto("logs")
        assert site.flows(dstport="9000", action="REJECT") == (2, 76)


def test_a_full_flow_table_is_a_skipdata_record(serve):
    server = serve("--interval", "5", "--max-flows", "16")
    with Pair() as pair:
        site = Site(server, pair)
        # All at once: more flows than the table holds in one window.
        pair.traffic(pair.outside, "udp-ports", INSIDE, 9000, 100)
        line = server.wait_for_line(lambda e: "SKIPDATA" in e["fields"].get("message", ""))
        assert (line["fields"]["interface"], line["level"]) == (site.eni, "WARN")

        def skipped():
            return [message for message in site.messages() if message.endswith("SKIPDATA")]

        server.wait_until(skipped)
        parts = skipped()[0].split(" ")
        assert parts[:10] + parts[12:] == ["2", ACCOUNT, site.eni] + ["-"] * 7 + ["-", "SKIPDATA"]
        assert 0 < int(parts[11]) - int(parts[10]) <= 5


def test_one_server_has_the_data_folder(serve, tmp_path):
    server = serve()
    done = server.weir("serve", "--listen", "127.0.0.1:0")
    assert done.returncode == 1
    assert f"in use by another weir serve (process {server.process.pid})" in done.stderr
    done = server.weir("serve", "--emulator", "--listen", "127.0.0.1:0")
    assert done.returncode == 1
    assert "holds the data of a real server" in done.stderr
    assert server.boto("sts").get_caller_identity()["Account"] == ACCOUNT


def test_sixty_four_interfaces_at_once(serve):
    server = serve("--interval", "5")
    with Pair() as pair:
        site = Site(server, pair)
        attachments = []
        for n in range(64):
            subprocess.run(
                ["ip", "-n", pair.inside, "link", "add", f"v{n}", "type", "veth", "peer", "name", f"w{n}"], check=True
            )
            made = site.ec2.create_network_interface(SubnetId=site.subnet, Groups=[site.group])
            eni = made["NetworkInterface"]["NetworkInterfaceId"]
            place = ("--interface", eni, "--device", f"v{n}", "--netns", pair.inside)
            attachments.append(
                subprocess.Popen(
                    [os.environ.get("WEIR", "weir"), "attach", *place, "--data-dir", server.data_dir],
                    stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, env={"PATH": os.environ["PATH"]},
                )
            )  # fmt: skip
        for attachment in attachments:
            assert attachment.wait(60) == 0, attachment.stderr.read()
            attachment.stderr.close()
        listed = [json.loads(line) for line in server.weir("interfaces").stdout.splitlines()]
        assert [row["Status"] for row in listed] == ["attached"] * 65
        streams = {f"{row['Interface']}-all" for row in listed}

        def written():
            pages = site.logs.get_paginator("describe_log_streams").paginate(logGroupName="flows")
            try:
                return {stream["logStreamName"] for page in pages for stream in page["logStreams"]}
            except site.logs.exceptions.ResourceNotFoundException:
                return set()

        # An idle interface has NODATA: each has its stream.
        server.wait_until(lambda: written() >= streams)
