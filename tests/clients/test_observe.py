"""The guide "flow logs for this Linux host", as it stands there, in a namespace with its own nftables rules."""

import json
import os
import re
import shutil
import subprocess

import pytest
from conftest import AWS, PATIENCE_S, WEIR
from netns import INSIDE, Pair

GUIDE = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "guides", "linux-host.md")
RULES = """
table inet host {
    chain in {
        type filter hook input priority 0;
        udp dport 7001 counter drop
        udp dport 7002 counter reject
    }
    chain out {
        type filter hook output priority 0;
        udp dport 7003 counter drop
    }
}
"""

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not shutil.which("nft"), reason="SKIPPED: needs nft (Debian package nftables)"),
]


def blocks():
    with open(GUIDE) as file:
        return re.findall(r"```sh\n(.*?)```", file.read(), re.DOTALL)


class Host:
    """Shells in a namespace, with a `weir serve` of one-second windows."""

    def __init__(self, netns, folder):
        self.netns, self.before, tools = netns, "", folder / "bin"
        tools.mkdir()
        (tools / "aws").symlink_to(AWS)
        weir = tools / "weir"
        # Nobody wants to wait a minute for a test.
        weir.write_text(f'#!/bin/sh\n[ "$1" = serve ] && set -- "$@" --interval 1\nexec {WEIR} "$@"\n')
        weir.chmod(0o755)
        self.env = {
            "PATH": f"{tools}:{os.environ['PATH']}",
            "HOME": str(folder),
            "WEIR_DATA_DIR": str(folder / "data"),
            "AWS_PAGER": "",
        }

    def popen(self, script):
        return subprocess.Popen(
            ["ip", "netns", "exec", self.netns, "bash", "-euo", "pipefail", "-c", self.before + script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.env,
        )

    def run(self, script):
        process = self.popen(script)
        out, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, f"{script}\n{out}\n{err}"
        self.before += "".join(f"{line}\n" for line in re.findall(r"^[A-Z]+=.*$", script, re.MULTILINE))
        return out


def nft_counters(netns):
    """Packets per rule, in order."""
    said = subprocess.run(
        ["ip", "netns", "exec", netns, "nft", "list", "ruleset"], capture_output=True, text=True, check=True
    )
    return [int(n) for n in re.findall(r"counter packets (\d+)", said.stdout)]


def test_linux_host(tmp_path):
    with Pair() as pair:
        subprocess.run(
            ["ip", "netns", "exec", pair.inside, "nft", "-f", "-"], input=RULES, text=True, check=True
        )
        host = Host(pair.inside, tmp_path)
        start, ids, flow_log, look = blocks()
        device, serve, _ = start.splitlines()
        host.before = device + "\n"
        server = host.popen("exec " + serve.removesuffix(" &"))
        try:
            assert "ready at" in server.stdout.readline(), server.stderr.read()
            host.before += 'eval "$(weir env)"\n'
            said = host.run(ids)
            assert "observe" in said and "eth0" in said
            host.run(flow_log)

            sink = pair.start(pair.inside, "udp-sink", INSIDE, 7000)
            for port, packets in ((7000, 30), (7001, 20)):
                pair.traffic(pair.outside, "udp-from", "203.0.113.12", INSIDE, port, packets, 6000)
            pair.traffic(pair.outside, "udp-refused", INSIDE, 7002)
            # The host's own packets are refused to the sender, as without Weir.
            refused = "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b'', ('203.0.113.12', 7003))"
            with pytest.raises(AssertionError, match="PermissionError"):
                pair.run(pair.inside, "python3", "-c", refused)

            tail, get = look.splitlines()
            tailing = host.popen(tail)
            assert "Waiting for events" in tailing.stderr.readline()
            pair.traffic(pair.outside, "udp-from", "203.0.113.12", INSIDE, 7001, 5, 6000)
            event, _ = tailing.communicate(timeout=PATIENCE_S)
            assert json.loads(event)["message"].split()[12] == "REJECT"

            def sums():
                found = {}
                for line in host.run(get).splitlines():
                    f = line[line.index("2 1234"):].split() if "2 1234" in line else []
                    if len(f) == 14 and f[7] == "17":
                        key = (int(f[6]), f[12])
                        found[key] = found.get(key, 0) + int(f[8])
                return found

            expected = {(7000, "ACCEPT"): 30, (7001, "REJECT"): 25, (7002, "REJECT"): 1, (7003, "REJECT"): 1}
            for _ in range(PATIENCE_S):
                found = sums()
                if found == expected:
                    break
                # The next window's end.
                host.run("weir tail this-host --count 1")
            assert found == expected
            assert nft_counters(pair.inside) == [25, 1, 1], "the firewall did its work"
            sink.stdin.close()
        finally:
            server.terminate()
            _, log = server.communicate(timeout=PATIENCE_S)
        assert server.returncode == 0, log
        assert "Observing eth0 (10.0.1.10)" in log and "drops is REJECT" in log
        assert "Made for it: vpc, subnet, network interface." in log

        # Again: nothing new is made. A device that is not there is said so.
        host.before = device + "\n"
        server = host.popen("exec " + serve.removesuffix(" &"))
        assert "ready at" in server.stdout.readline()
        server.terminate()
        assert "was attached before" in server.communicate(timeout=PATIENCE_S)[1]
        host.before = "DEVICE=eth7\n"
        server = host.popen("exec " + serve.removesuffix(" &"))
        _, log = server.communicate(timeout=PATIENCE_S)
        assert server.returncode == 1 and "device 'eth7' not found" in log, log
