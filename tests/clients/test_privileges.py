"""A running server has the capabilities that capture needs, and no others."""

import os
import shutil
import subprocess
import tempfile

import pytest
from conftest import WEIR, Server, make_role
from netns import INSIDE, OUTSIDE, Pair, ip
from test_appear import interfaces, says

BITS = {"net_admin": 12, "sys_ptrace": 19, "sys_admin": 21, "perfmon": 38, "bpf": 39}
NEEDED = sum(1 << BITS[name] for name in ("bpf", "net_admin", "perfmon"))
PERMITTED = NEEDED | 1 << BITS["sys_admin"] | 1 << BITS["sys_ptrace"]

pytestmark = pytest.mark.live


def threads(server):
    """The lines of /proc/PID/status that matter, of every thread."""
    folder = f"/proc/{server.process.pid}/task"
    for thread in os.listdir(folder):
        try:
            with open(f"{folder}/{thread}/status") as file:
                fields = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        except (FileNotFoundError, ProcessLookupError):
            # It has ended meanwhile.
            continue
        yield {name: int(fields[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} | {
            name: fields[name].strip() for name in ("Name", "NoNewPrivs")
        }


def check(server, permitted, bounding):
    seen = list(threads(server))
    assert {"agent", "devices"} <= {thread["Name"] for thread in seen}, seen
    for thread in seen:
        found = {name: value for name, value in thread.items() if name != "Name"}
        expected = {"CapInh": 0, "CapPrm": permitted, "CapEff": NEEDED, "CapBnd": bounding, "CapAmb": 0}
        assert found == expected | {"NoNewPrivs": "1"}, thread


def capture_works(server, pair):
    """Observing a device that appears, an attachment, and its records."""
    says(server, "attached by a rule", device=f"{pair.inside}/eth0")
    ec2, logs = server.boto("ec2"), server.boto("logs")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    eni = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    made = ec2.create_flow_logs(
        ResourceType="VPC",
        ResourceIds=[vpc],
        TrafficType="ALL",
        LogGroupName="privileges",
        DeliverLogsPermissionArn=make_role(server),
    )
    assert made["Unsuccessful"] == []
    done = server.weir("attach", "--interface", eni, "--device", "eth0", "--netns", pair.outside)
    assert done.returncode == 0, done.stderr
    assert {row["Status"] for row in interfaces(server).values()} == {"attached"}
    pair.traffic(pair.inside, "udp-from", INSIDE, OUTSIDE, 7001, 20, 6000)

    def packets():
        try:
            page = logs.get_log_events(logGroupName="privileges", logStreamName=f"{eni}-all", startFromHead=True)
        except logs.exceptions.ResourceNotFoundException:
            return 0
        lines = [event["message"].split() for event in page["events"]]
        return sum(int(f[8]) for f in lines if f[6] == "7001")

    server.wait_until(lambda: packets() == 20)


def test_root_gives_up_everything_else(serve):
    with Pair() as pair:
        server = serve("--interval", "1", "--observe", f"ns:{pair.inside}/eth*")
        with open("/proc/self/status") as file:
            (ours,) = (int(line.split()[1], 16) for line in file if line.startswith("CapPrm:"))
        check(server, PERMITTED & ours, PERMITTED & ours)
        capture_works(server, pair)
        check(server, PERMITTED & ours, PERMITTED & ours)
        assert server.stop() == 0


@pytest.mark.skipif(not shutil.which("setpriv"), reason="SKIPPED: needs setpriv (Debian package util-linux)")
def test_another_user_with_these_capabilities_alone(tmp_path):
    user = 64_321
    names = "bpf,net_admin,perfmon,sys_admin".split(",")
    some = "-all," + ",".join(f"+{name}" for name in names)
    # Where that user may go; the binary is perhaps in root's home.
    with tempfile.TemporaryDirectory(prefix="weir-test-") as folder, open(WEIR, "rb") as binary, Pair() as pair:
        os.chmod(folder, 0o711)
        data = os.path.join(folder, "data")
        os.mkdir(data, 0o700)
        os.chown(data, user, user)
        setpriv = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
        setpriv += [f"--bounding-set={some}", f"--inh-caps={some}", f"--ambient-caps={some}"]
        server = Server(
            data,
            *("--interval", "1", "--observe", f"ns:{pair.inside}/eth*"),
            command=[*setpriv, f"/proc/self/fd/{binary.fileno()}"],
            pass_fds=(binary.fileno(),),
        )
        try:
            permitted = NEEDED | 1 << BITS["sys_admin"]
            check(server, permitted, permitted)
            capture_works(server, pair)
        finally:
            assert server.stop() == 0


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="SKIPPED: needs systemd-analyze (Debian package systemd)")
def test_the_unit(tmp_path):
    unit = tmp_path / "weir.service"
    with open(os.path.join(os.path.dirname(__file__), "..", "..", "packaging", "weir.service")) as file:
        unit.write_text(file.read().replace("/usr/local/bin/weir", os.path.realpath(WEIR)))
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
