"""Devices that come and go: attached by rules, renamed, moved, gone."""

import json
import os

import pytest
from conftest import make_role
from netns import INSIDE, OUTSIDE, Pair, ip

pytestmark = pytest.mark.live


def interfaces(server):
    """What `weir interfaces` says, by device."""
    said = server.weir("interfaces", "--output", "json")
    assert said.returncode == 0, said.stderr
    rows = [json.loads(line) for line in said.stdout.splitlines()]
    return {(row["NetworkNamespace"], row["Device"]): row for row in rows}


def says(server, text, **fields):
    """Waits for a log line; its fields."""

    def wanted(entry):
        of = entry["fields"]
        return text in of.get("message", "") and all(of.get(key) == value for key, value in fields.items())

    return server.wait_for_line(wanted)["fields"]


def record_all(server):
    """A flow log of all devices that rules attach, before there is one; their VPC."""
    (vpc,) = server.boto("ec2").describe_vpcs(Filters=[{"Name": "tag-key", "Values": ["weir:rule"]}])["Vpcs"]
    made = server.boto("ec2").create_flow_logs(
        ResourceType="VPC",
        ResourceIds=[vpc["VpcId"]],
        TrafficType="ALL",
        LogGroupName="appear",
        DeliverLogsPermissionArn=make_role(server),
    )
    assert made["Unsuccessful"] == []
    return vpc["VpcId"]


def counted(server, eni, port):
    """Packets from outside to a port, in all records of an interface."""
    logs = server.boto("logs")
    try:
        page = logs.get_log_events(logGroupName="appear", logStreamName=f"{eni}-all", startFromHead=True)
    except logs.exceptions.ResourceNotFoundException:
        return 0
    lines = [event["message"].split() for event in page["events"]]
    return sum(int(f[8]) for f in lines if f[6] == str(port) and f[3:5] == [OUTSIDE, INSIDE])


def test_devices_that_come_and_go(serve):
    number = os.getpid() % 100_000
    cable = f"wc{number}"
    server = serve(
        *("--interval", "1"),
        *("--observe", f"ns:weir-test-{os.getpid()}-*/eth*"),
        *("--observe", f"{cable}*"),
    )
    ec2, watched = server.boto("ec2"), record_all(server)

    def packets(eni, port):
        return counted(server, eni, port)

    def state_of(eni):
        (found,) = ec2.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"]
        return found

    with Pair() as pair:
        inside, outside = pair.inside, pair.outside
        eni = says(server, "attached by a rule", device=f"{inside}/eth0")["interface"]
        server.wait_until(lambda: state_of(eni).get("PrivateIpAddress") == INSIDE)
        row = interfaces(server)[(inside, "eth0")]
        assert (row["Interface"], row["Mode"], row["Side"]) == (eni, "observe", "instance"), row
        assert state_of(eni)["VpcId"] == watched

        # Two servers on one device: each counts every packet.
        other = serve("--interval", "1", "--observe", f"ns:{inside}/eth*", name="other")
        twin = says(other, "attached by a rule", device=f"{inside}/eth0")["interface"]
        record_all(other)
        pair.traffic(outside, "udp-from", OUTSIDE, INSIDE, 7001, 20, 6000)
        server.wait_until(lambda: packets(eni, 7001) == 20)
        other.wait_until(lambda: counted(other, twin, 7001) == 20)
        assert other.stop() == 0

        # A new name: the same interface, the same programs.
        ip("-n", inside, "link", "set", "eth0", "down")
        ip("-n", inside, "link", "set", "eth0", "name", "eth9")
        ip("-n", inside, "link", "set", "eth9", "up")
        says(server, "the device was renamed", to="eth9")
        assert interfaces(server)[(inside, "eth9")]["Interface"] == eni
        pair.traffic(outside, "udp-from", OUTSIDE, INSIDE, 7002, 10, 6000)
        server.wait_until(lambda: packets(eni, 7002) == 10)

        # One that somebody attached: renamed, and then moved where nobody looks for it.
        pair.join("lan0")
        own = ec2.create_network_interface(SubnetId=state_of(eni)["SubnetId"])["NetworkInterface"]
        own = own["NetworkInterfaceId"]
        done = server.weir("attach", "--interface", own, "--device", "lan0", "--netns", inside)
        assert done.returncode == 0, done.stderr
        ip("-n", inside, "link", "set", "lan0", "down")
        ip("-n", inside, "link", "set", "lan0", "name", "lan1")
        says(server, "the device was renamed", to="lan1")
        assert interfaces(server)[(inside, "lan1")]["Interface"] == own
        ip("-n", inside, "link", "set", "lan1", "netns", outside, "name", "lan2")
        says(server, "the device has left its network namespace", interface=own)
        server.wait_until(lambda: "not found" in (interfaces(server)[(inside, "lan1")]["Problem"] or ""))

        # Moved where no rule wants it: detached, the interface stays for a while.
        ip("-n", inside, "link", "set", "eth9", "netns", outside, "name", "moved")
        says(server, "the device is gone: detached", interface=eni)
        assert state_of(eni)["Status"] == "available"
        # And back.
        ip("-n", outside, "link", "set", "moved", "netns", inside, "name", "eth9")
        assert says(server, "attached by a rule", device=f"{inside}/eth9")["interface"] == eni
    # The namespaces are deleted.
    says(server, "the device is gone: detached", interface=eni)

    # The host's end of a cable, whose other end nobody may look into.
    with Pair() as pair:
        ip("link", "add", cable, "type", "veth", "peer", "name", "lan0", "netns", pair.inside)
        ip("link", "set", cable, "up")
        found = says(server, "attached by a rule", device=cable)["interface"]
        assert interfaces(server)[(None, cable)]["Side"] == "host"
        assert "PrivateIpAddress" not in state_of(found)
        ip("link", "del", cable)
        says(server, "the device is gone: detached", interface=found)
    assert server.stop() == 0
