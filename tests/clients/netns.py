"""Two network namespaces joined by a veth pair, and traffic between them."""

import json
import os
import subprocess
import sys

TRAFFIC = os.path.join(os.path.dirname(__file__), "traffic.py")
OUTSIDE, INSIDE = "203.0.113.12", "10.0.1.10"
OUTSIDE_V6, INSIDE_V6 = "2001:db8:9::12", "2001:db8:0:1::10"


def ip(*arguments):
    done = subprocess.run(["ip", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"


class Pair:
    """`outside` (203.0.113.12) and `inside` (10.0.1.10), joined by eth0 in each.

    With `ipv6` also 2001:db8:9::12 and 2001:db8:0:1::10.
    """

    count = 0

    def __init__(self, ipv6=False):
        Pair.count += 1
        self.ipv6 = ipv6
        self.outside, self.inside = (f"weir-test-{os.getpid()}-{Pair.count}-{n}" for n in ("out", "in"))

    def __enter__(self):
        for name in (self.outside, self.inside):
            ip("netns", "add", name)
            # Nothing but the test's own packets.
            if not self.ipv6:
                self.run(name, "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6 || true")
            ip("-n", name, "link", "set", "lo", "up")
        self.join("eth0")
        for name, address, v6 in ((self.outside, OUTSIDE, OUTSIDE_V6), (self.inside, INSIDE, INSIDE_V6)):
            ip("-n", name, "address", "add", f"{address}/24", "dev", "eth0")
            ip("-n", name, "route", "add", "default", "dev", "eth0")
            if self.ipv6:
                ip("-n", name, "address", "add", f"{v6}/64", "dev", "eth0", "nodad")
                ip("-n", name, "-6", "route", "add", "default", "dev", "eth0")
        # The first packets of a burst must not wait for ARP: its queue is short.
        for name, peer, address in ((self.outside, self.inside, INSIDE), (self.inside, self.outside, OUTSIDE)):
            shown = json.loads(self.run(peer, "ip", "-json", "link", "show", "eth0"))
            ip("-n", name, "neighbour", "replace", address, "lladdr", shown[0]["address"], "dev", "eth0")
        return self

    def join(self, device):
        """A cable with this name at both ends."""
        ends = ("netns", self.outside, "type", "veth", "peer", "name", device, "netns", self.inside)
        ip("link", "add", device, *ends)
        for name in (self.outside, self.inside):
            ip("-n", name, "link", "set", device, "up")

    def __exit__(self, *_):
        for name in (self.outside, self.inside):
            subprocess.run(["ip", "netns", "del", name], stdin=subprocess.DEVNULL, check=False)

    def run(self, name, *command, timeout=60):
        done = subprocess.run(
            ["ip", "netns", "exec", name, *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        assert done.returncode == 0, f"{command}: {done.stdout} {done.stderr}"
        return done.stdout

    def spawn(self, name, *command):
        """A traffic program in a namespace, running."""
        return subprocess.Popen(
            ["ip", "netns", "exec", name, sys.executable, TRAFFIC, *map(str, command)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, name, *command):
        """A traffic program that says `ready` when it is."""
        process = self.spawn(name, *command)
        assert process.stdout.readline().strip() == "ready"
        return process

    def traffic(self, name, *command):
        """Runs a traffic program to its end; what it says it sent."""
        out = self.run(name, sys.executable, TRAFFIC, *map(str, command), timeout=120)
        return json.loads(out.strip().splitlines()[-1])
