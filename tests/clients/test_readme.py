"""The tour of README.md, command by command as it stands there."""

import gzip
import os
import re
import struct
import subprocess

import pytest
from conftest import AWS, WEIR
from netns import Pair

S3_OBJECT = """\
version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status
2 123456789012 eni-1235b8ca123456789 203.0.113.12 10.0.1.10 49761 3389 6 20 4249 1418530010 1418530070 REJECT OK
2 123456789012 eni-1235b8ca123456789 203.0.113.12 10.0.1.10 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK
"""


def capture():
    """A pcap file with one packet: a SYN to port 22 of the tour's interface."""
    ends = bytes([203, 0, 113, 12, 10, 0, 1, 10])
    packet = struct.pack(">BBHHHBBH", 0x45, 0, 40, 0, 0, 64, 6, 0) + ends
    packet += struct.pack(">HHIIBBHHH", 40000, 22, 1, 0, 0x50, 2, 1024, 0, 0)
    head = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
    return head + struct.pack("<IIII", 1_700_000_040, 0, len(packet), len(packet)) + packet


def namespaces():
    return set(os.listdir("/run/netns")) if os.path.isdir("/run/netns") else set()


README = os.path.join(os.path.dirname(__file__), "..", "..", "README.md")


def tour():
    """The shell blocks of the tour, in order."""
    with open(README) as file:
        text = file.read()
    return re.findall(r"```sh\n(.*?)```", text[text.index("## A tour") :], re.DOTALL)


def test_the_two_commands_are_the_makefiles():
    with open(README) as file:
        first = re.search(r"```sh\n(.*?)```", file.read(), re.DOTALL).group(1)
    assert [line.split("#")[0].strip() for line in first.splitlines()] == ["make demo", "make test"]


@pytest.mark.live
def test_the_demo_shows_every_record_that_it_promises_and_leaves_nothing(tmp_path):
    """It compares its own records with what it sent, and fails if one is wrong or missing."""
    before = namespaces()
    env = {"PATH": f"{os.path.dirname(AWS)}:{os.environ['PATH']}", "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [WEIR, "demo"], stdin=subprocess.DEVNULL, capture_output=True, text=True, env=env, timeout=200
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    for port, action in (("22", "ACCEPT"), ("3389", "REJECT"), ("8080", "REJECT"), ("123", "ACCEPT")):
        assert re.search(rf"\b{port}\b.*{action}", done.stdout), done.stdout
    assert namespaces() <= before and os.listdir(tmp_path) == []


@pytest.mark.live
def test_the_tour(serve, tmp_path):
    server = serve("--interval", "5")
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, path in (("weir", WEIR), ("aws", AWS)):
        (tools / name).symlink_to(path)
    env = {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "WEIR_DATA_DIR": server.data_dir,
        "AWS_PAGER": "",
    }
    start, make, attach, read, *rest = tour()
    # The server runs already, on a free port.
    assert start.splitlines() == ["weir serve &", 'eval "$(weir env)"']

    day = tmp_path / "AWSLogs/123456789012/vpcflowlogs/us-east-1/2026/11/21"
    day.mkdir(parents=True)
    with gzip.open(day / "123456789012_vpcflowlogs_us-east-1_fl-1_20261121T1200Z_0a1b2c3d.log.gz", "wt") as file:
        file.write(S3_OBJECT)

    (tmp_path / "capture.pcap").write_bytes(capture())
    with gzip.open(tmp_path / "ring1.pcap.gz", "wb") as file:
        file.write(capture())

    def run(script):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=env,
            timeout=120,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{server.drain()}"
        return done.stdout

    with Pair() as pair:
        keep = "\ndeclare -p VPC SUBNET ENI ROLE"
        before = start.replace("weir serve &\n", "") + make
        variables = "\n".join(l for l in run(before + keep).splitlines() if l.startswith("declare --"))
        before = start.replace("weir serve &\n", "") + variables + "\n"
        said = run(before + attach.replace("--netns web", f"--netns {pair.inside}"))
        assert '"Status":"attached"' in said
        # Every further block reads; the first one has records when the window has ended.
        server.wait_for_line(lambda e: e["fields"].get("action") == "PutLogEvents")
        assert "NODATA" in run(before + read)
        said = [run(before + block) for block in rest]
        assert '"srcaddr":"203.0.113.12"' in "".join(said)
        # The default security group of the tour's VPC lets nobody in from outside.
        assert re.search(r'"srcport":40000.*"action":"REJECT"', said[-1])
        assert (tmp_path / "flows.parquet").exists()
        assert (tmp_path / "flowlogs.parquet").stat().st_size > 0
