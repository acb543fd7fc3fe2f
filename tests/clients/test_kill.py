"""kill -9 at random moments under load: no count, no tracked connection and no enforcement is lost.

`WEIR_KILLS` is the number of kills (default 10).
"""

import json
import os
import random
import subprocess

import pytest

from conftest import PATIENCE_S, WEIR
from netns import INSIDE, OUTSIDE, Pair
from test_live import Site

pytestmark = pytest.mark.live
KILLS = int(os.environ.get("WEIR_KILLS", "10"))


def pins(server):
    """Folders of pins of this server, wherever they are."""
    with open(os.path.join(server.data_dir, "host-id")) as file:
        name = file.read().strip().strip('"')
    return [root for root in ("/sys/fs/bpf/weir", "/run/weir/bpf") if os.path.isdir(f"{root}/{name}")]


def allow(site, port, protocol="udp", peer="0.0.0.0/0"):
    site.ec2.authorize_security_group_ingress(
        GroupId=site.group,
        IpPermissions=[
            {"IpProtocol": protocol, "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": peer}]}
        ],
    )


def test_killed_many_times_every_packet_is_in_exactly_one_record(serve):
    server = serve("--interval", "1")
    chance = random.Random(7)
    with Pair() as pair:
        site = Site(server, pair, ingress=())
        allow(site, 9000)
        sink = pair.start(pair.inside, "udp-sink", INSIDE, 9000)
        sent = {"ACCEPT": [0, 0], "REJECT": [0, 0]}

        def add(action, said):
            sent[action][0] += said["packets"]
            sent[action][1] += said["bytes"]

        for _ in range(KILLS):
            flood = pair.spawn(pair.outside, "udp-send", INSIDE, 9000, chance.randrange(20_000, 120_000), 100)
            add("REJECT", pair.traffic(pair.outside, "udp-send", INSIDE, 9001, chance.randrange(1, 60_000), 10))
            server.kill()
            # While nobody is there: judged and counted all the same.
            add("REJECT", pair.traffic(pair.outside, "udp-send", INSIDE, 9001, chance.randrange(1, 500), 10))
            add("ACCEPT", pair.traffic(pair.outside, "udp-send", INSIDE, 9000, chance.randrange(1, 500), 10))
            if chance.randrange(2):
                # Killed again while it starts.
                half = subprocess.Popen(
                    [WEIR, "serve", "--listen", "127.0.0.1:0", "--data-dir", server.data_dir],
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                )  # fmt: skip
                add("REJECT", pair.traffic(pair.outside, "udp-send", INSIDE, 9001, chance.randrange(1, 500), 10))
                half.kill()
                half.wait(PATIENCE_S)
            server.start(listen=server.url.removeprefix("http://"))
            out, _ = flood.communicate(timeout=PATIENCE_S)
            add("ACCEPT", json.loads(out))
        site.logs = server.boto("logs")

        def found(action, port):
            return list(site.flows(srcaddr=OUTSIDE, dstport=str(port), action=action))

        def done():
            return found("ACCEPT", 9000)[0] >= sent["ACCEPT"][0] and found("REJECT", 9001)[0] >= sent["REJECT"][0]

        server.wait_until(done)
        assert (found("ACCEPT", 9000), found("REJECT", 9001)) == (sent["ACCEPT"], sent["REJECT"])
        assert (found("REJECT", 9000), found("ACCEPT", 9001)) == ([0, 0], [0, 0])
        assert not any("SKIPDATA" in message for message in site.messages())
        sink.communicate(timeout=10)
        # A clean end leaves nothing.
        assert pins(server)
        assert server.stop() == 0
        assert pins(server) == []


def test_a_tracked_connection_outlives_the_server_and_its_rule(serve):
    server = serve("--interval", "1")
    with Pair() as pair:
        site = Site(server, pair, ingress=())
        # A rule for everybody would not track what it allows.
        allow(site, 80, "tcp", f"{OUTSIDE}/32")
        program = (
            "import socket, sys\n"
            f"c = socket.create_connection(('{INSIDE}', 80), timeout=20)\n"
            "print('ready', flush=True); sys.stdin.readline()\n"
            "c.sendall(b'x' * 5000); c.shutdown(socket.SHUT_WR)\n"
            "got = b''\n"
            "while chunk := c.recv(65536): got += chunk\n"
            "print(len(got))"
        )
        served = pair.start(pair.inside, "tcp-serve", INSIDE, 80, 3000)
        client = subprocess.Popen(
            ["ip", "netns", "exec", pair.outside, "python3", "-c", program],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert client.stdout.readline().strip() == "ready"
        server.kill()
        server.start(listen=server.url.removeprefix("http://"))
        site.ec2 = server.boto("ec2")
        rules = site.ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [site.group]}])
        gone = [r["SecurityGroupRuleId"] for r in rules["SecurityGroupRules"] if not r["IsEgress"]]
        site.ec2.revoke_security_group_ingress(GroupId=site.group, SecurityGroupRuleIds=gone)
        said, _ = client.communicate("go\n", timeout=PATIENCE_S)
        assert said.strip() == "3000"
        served.communicate(timeout=10)


def test_kept_on_a_clean_stop_and_taken_off_by_command(serve):
    server = serve("--interval", "1", "--on-stop", "keep")
    with Pair() as pair:
        site = Site(server, pair, ingress=())
        allow(site, 9000)
        assert server.stop() == 0
        assert pins(server)
        sink = pair.start(pair.inside, "udp-sink", INSIDE, 9000)
        for port in (9000, 9001):
            pair.traffic(pair.outside, "udp-send", INSIDE, port, 50, 10)
        server.start()
        site.logs = server.boto("logs")
        server.wait_until(lambda: site.flows(dstport="9001", action="REJECT")[0] >= 50)
        assert site.flows(dstport="9000", action="ACCEPT")[0] == 50
        running = server.weir("detach", "--all")
        assert running.returncode == 1 and "in use" in running.stderr
        assert server.stop() == 0
        assert "nothing of Weir" in server.weir("detach", "--all").stderr
        assert pins(server) == []
        # Not judged any more: an answer comes back that was refused before.
        assert pair.traffic(pair.outside, "udp-refused", INSIDE, 9001) == {"answer": "refused"}
        sink.communicate(timeout=10)
