"""weir query: docs/guides/query.md as it stands there, and queries of buckets and log groups."""

import fcntl
import gzip
import json
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

from conftest import PATIENCE_S, WEIR
from test_logs_guides import blocks

HEADER = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end "
    "action log-status\n"
)
DAYS = {"2024/05/01": 1714521600, "2024/05/02": 1714608000}


def line(source, second, action="ACCEPT", port=443):
    return (
        f"2 123456789012 eni-1235b8ca123456789 {source} 10.0.0.9 40000 {port} 6 10 840 {second} {second + 60} "
        f"{action} OK\n"
    )


def lay_out(root):
    """Two regions, two days, as AWS lays them out."""
    for region in ("us-east-1", "eu-west-1"):
        for day, second in DAYS.items():
            folder = root / "AWSLogs" / "123456789012" / "vpcflowlogs" / region / day
            folder.mkdir(parents=True)
            stamp = day.replace("/", "") + "T0000Z"
            name = f"123456789012_vpcflowlogs_{region}_fl-1234abcd_{stamp}_fe123456.log.gz"
            text = HEADER + line("10.0.0.1", second) + line("203.0.113.7", second, "REJECT", 22)
            (folder / name).write_bytes(gzip.compress(text.encode(), mtime=0))


def run(arguments, folder, env=None):
    return subprocess.run(
        arguments, cwd=folder, env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


def shell(script, folder):
    path = os.path.dirname(WEIR) + os.pathsep + os.environ["PATH"]
    done = run(["bash", "-euc", script], folder, {**os.environ, "PATH": path})
    assert done.returncode == 0, done.stderr
    return done


def test_the_guide(tmp_path):
    lay_out(tmp_path)
    saved, download, query, elsewhere = blocks("query.md")
    said = shell(saved, tmp_path).stdout
    assert "top-talkers " in said and '"srcaddr":"10.0.0.1"' in said
    assert (tmp_path / "ssh.csv").read_text().splitlines()[1] == "203.0.113.7,10.0.0.9,22,REJECT,4,3360"
    assert download.startswith("aws s3 sync ")
    done = shell(query, tmp_path)
    assert json.loads(done.stdout) == {"srcaddr": "203.0.113.7", "flows": 1, "bytes": 840}
    assert "1 row; " in done.stderr and ", 3 of 4 inputs passed over (" in done.stderr
    assert elsewhere.count("--from ") == 2


def test_buckets_and_log_groups(weir, tmp_path):
    lay_out(tmp_path)
    s3 = weir.boto("s3")
    s3.create_bucket(Bucket="flow-logs")
    for path in sorted(tmp_path.glob("AWSLogs/**/*.gz")):
        s3.put_object(Bucket="flow-logs", Key=str(path.relative_to(tmp_path)), Body=path.read_bytes())
    logs = weir.boto("logs")
    logs.create_log_group(logGroupName="flow-logs")
    logs.create_log_stream(logGroupName="flow-logs", logStreamName="eni-1235b8ca123456789-all")
    now = int(time.time())
    events = [
        {"timestamp": now * 1000 + n, "message": line(f"203.0.113.{n % 3}", now, "REJECT").rstrip()} for n in range(50)
    ]
    logs.put_log_events(logGroupName="flow-logs", logStreamName="eni-1235b8ca123456789-all", logEvents=events)

    _, _, _, elsewhere = blocks("query.md")
    group, bucket = elsewhere.splitlines()
    path = os.path.dirname(WEIR) + os.pathsep + os.environ["PATH"]
    env = {**os.environ, **weir.env(), "PATH": path}
    done = run(["bash", "-euc", group], tmp_path, env)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(row) for row in done.stdout.splitlines()]
    assert [(row["srcaddr"], row["flows"]) for row in rows] == [
        ("203.0.113.0", 17),
        ("203.0.113.1", 17),
        ("203.0.113.2", 16),
    ]
    done = run(["bash", "-euc", bucket], tmp_path, env)
    assert (done.returncode, json.loads(done.stdout)) == (0, {"records": 8}), done.stderr
    sql = "SELECT region, count(*) AS records FROM flow_logs WHERE date = '2024-05-01' GROUP BY 1 ORDER BY 1"
    done = run([WEIR, "query", sql, "--from", "s3://flow-logs/"], tmp_path, env)
    assert [json.loads(row) for row in done.stdout.splitlines()] == [
        {"region": "eu-west-1", "records": 2},
        {"region": "us-east-1", "records": 2},
    ], done.stderr
    assert ", 2 of 4 inputs passed over (" in done.stderr
    for place, error in [
        ("s3://flow-logs/none/", "there are no flow logs"),
        ("s3://no-such-bucket/", "NoSuchBucket"),
        ("log-group:none", "ResourceNotFoundException"),
    ]:
        done = run([WEIR, "query", sql, "--from", place], tmp_path, env)
        assert done.returncode == 2 and error in done.stderr, done.stderr


def test_ctrl_c_ends_it_and_leaves_nothing(tmp_path):
    with open(tmp_path / "large.log", "w") as file:
        file.write(HEADER)
        file.write("".join(line(f"10.0.{n % 256}.{n // 256 % 256}", 1714521600 + n) for n in range(20000)) * 20)
    sql = "SELECT a.srcaddr FROM flow_logs a, flow_logs b, flow_logs c WHERE a.bytes + b.bytes < c.bytes"
    process = subprocess.Popen(
        [WEIR, "query", sql, "--from", "large.log", "--to", "out.json"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + PATIENCE_S
    while not (tmp_path / "out.json.part").exists():
        assert process.poll() is None and time.monotonic() < deadline
        os.sched_yield()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, said) == (130, "interrupted\n")
    assert not list(tmp_path.glob("out.json*"))


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, arguments, folder, env):
        leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 200, 0, 0))
        self.child = subprocess.Popen(
            arguments, cwd=folder, env=env, stdin=follower, stdout=follower, stderr=follower,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(follower)
        self.leader, self.seen = leader, ""

    def type(self, keys, awaited):
        """What is shown from then on to the awaited text."""
        os.write(self.leader, keys.encode())
        return self.wait(awaited)

    def wait(self, awaited):
        deadline = time.monotonic() + PATIENCE_S
        while awaited not in self.seen:
            left = deadline - time.monotonic()
            assert left > 0 and select.select([self.leader], [], [], left)[0], self.seen
            self.seen += os.read(self.leader, 65536).decode(errors="replace")
        shown, _, self.seen = self.seen.partition(awaited)
        return shown

    def close(self):
        self.child.kill()
        self.child.wait()
        os.close(self.leader)


def test_the_prompt(tmp_path):
    lay_out(tmp_path)
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "TERM": "xterm"}
    terminal = Terminal([WEIR, "query", "--from", "AWSLogs"], tmp_path, env)
    try:
        terminal.wait("weir> ")
        assert "srcaddr" in terminal.type("\\d\r", "log_status")
        # A statement of two lines, the second with a completed name and a corrected letter.
        terminal.type("SELECT count(*) AS counted\r", "-> ")
        shown = terminal.type("FROM flow_l\t WHERE actiom\x7fn = 'REJECT';\r", "1 row;")
        assert "counted" in shown and "4" in shown, shown
        # A mistake says what it is, and is not the end.
        terminal.type("SELECT srcadr FROM flow_logs;\r", "did you mean 'srcaddr'?")
        # What was typed is forgotten; what was asked is found again.
        terminal.type("SELECT nonsense\x03", "weir> ")
        assert "'REJECT'" in terminal.type("SELECT count\x1b[A\r", "1 row;")
        assert "203.0.113.7" in terminal.type("top-talkers\r", "rows;")
        # Ctrl-C stops a query that would run for hours, and it only.
        tables = ", ".join(f"flow_logs t{n}" for n in range(12))
        endless = f"SELECT count(*) FROM {tables} WHERE t0.bytes <> t11.packets;"
        # Ctrl-C forgets what is typed ahead, so the prompt and the statement have to be seen first.
        terminal.wait("weir> ")
        terminal.type(f"{endless}\r", "t11.packets;")
        deadline = time.monotonic() + PATIENCE_S
        while "cancelled" not in terminal.seen:
            assert time.monotonic() < deadline, terminal.seen
            # Before the query runs there is nothing to stop; and each Ctrl-C makes
            # the terminal forget what it has not shown yet, so there are few.
            os.write(terminal.leader, b"\x03")
            again = time.monotonic() + 1
            while "cancelled" not in terminal.seen and (left := again - time.monotonic()) > 0:
                if select.select([terminal.leader], [], [], left)[0]:
                    terminal.seen += os.read(terminal.leader, 65536).decode(errors="replace")
        terminal.wait("weir> ")
        terminal.type("help\r", "Ctrl-D")
        terminal.wait("weir> ")
        os.write(terminal.leader, b"\x04")
        assert terminal.child.wait(PATIENCE_S) == 0
    finally:
        terminal.close()
    history = (tmp_path / "cache" / "weir" / "query-history").read_text().splitlines()
    assert history[:2] == ["\\d", "SELECT count(*) AS counted FROM flow_logs WHERE action = 'REJECT';"], history
    assert oct((tmp_path / "cache" / "weir" / "query-history").stat().st_mode)[-3:] == "600"
