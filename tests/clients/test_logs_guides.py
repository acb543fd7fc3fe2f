"""The command sequences of docs/guides, as they stand there."""

import json
import os
import re
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

import duckdb
import pytest
from conftest import AWS, PATIENCE_S, WEIR

GUIDES = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "guides")
START = 'weir serve &\neval "$(weir env)"\n'


def blocks(guide):
    with open(os.path.join(GUIDES, guide)) as file:
        return re.findall(r"```sh\n(.*?)```", file.read(), re.DOTALL)


class Receiver:
    """An HTTP server that keeps what it is sent, and a small OpenSearch: `_bulk` and `_search?q=field:value`."""

    def __init__(self):
        receiver = self
        self.requests, self.documents, self.changed = [], {}, threading.Condition()

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def answer(self, value, status=200):
                body = json.dumps(value, separators=(",", ":")).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                url = urlparse(self.path)
                if url.path.endswith("/_search"):
                    field, value = parse_qs(url.query)["q"][0].split(":")
                    with receiver.changed:
                        hits = [d for d in receiver.documents.values() if str(d.get(field)) == value]
                    return self.answer({"hits": {"hits": [{"_source": hit} for hit in hits]}})
                self.answer({"version": {"distribution": "opensearch", "number": "3.0.0"}})

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                status, answer = receiver.take(self.path, dict(self.headers), body)
                with receiver.changed:
                    receiver.requests.append((self.path, dict(self.headers), body))
                    receiver.changed.notify_all()
                self.answer(answer, status)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def take(self, path, headers, body):
        if not path.endswith("/_bulk"):
            return 200, {}
        lines = [json.loads(line) for line in body.splitlines()]
        with self.changed:
            for head, document in zip(lines[::2], lines[1::2]):
                self.documents[head["index"]["_id"]] = document
        return 200, {"errors": False, "items": []}

    def wait(self, condition):
        """Until `condition(self)` is true; its value."""
        with self.changed:
            assert self.changed.wait_for(lambda: condition(self), PATIENCE_S), self.requests
            return condition(self)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


class Shell:
    def __init__(self, server, folder):
        self.server, self.folder, self.before = server, folder, 'eval "$(weir env)"\n'
        tools = folder / "bin"
        tools.mkdir()
        for name, path in (("weir", WEIR), ("aws", AWS)):
            (tools / name).symlink_to(path)
        self.env = {
            "PATH": f"{tools}:{os.environ['PATH']}",
            "HOME": str(folder),
            "WEIR_DATA_DIR": server.data_dir,
            "AWS_PAGER": "",
        }

    def popen(self, script):
        return subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", self.before + script],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.env,
        )

    def run(self, script):
        process = self.popen(script)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, f"{script}\n{out}\n{err}\n{self.server.drain()}"
        # Variables that a block sets are there in the next one.
        self.before += "".join(f"{line}\n" for line in re.findall(r"^[A-Z]+=.*$", script, re.MULTILINE))
        return out


def test_alarm_on_rejected_ssh(serve, receiver, tmp_path):
    shell = Shell(serve(), tmp_path)
    start, make, test, count, alarm, send, wait, look = blocks("alarm-on-rejected-ssh.md")
    assert start == START
    shell.run(make)
    matches = json.loads(shell.run(test))["matches"]
    assert [(m["eventNumber"], m["extractedValues"]["$srcport"]) for m in matches] == [(0, "40001")]
    shell.run(count)
    shell.run(alarm.replace("http://127.0.0.1:9000", receiver.url))
    shell.run(send)
    said = shell.run(wait)
    assert "[11.0 (" in said and "was greater than the threshold (10.0)" in said
    path, _, body = receiver.wait(lambda r: r.requests and r.requests[0])
    message = json.loads(body)
    assert (path, message["AlarmName"], message["NewStateValue"]) == ("/alarm", "rejected-ssh", "ALARM")
    assert message["Trigger"]["MetricName"] == "RejectedSsh"
    said = shell.run(look)
    assert '"Sum": 11.0' in said
    assert 'flowlogs_rejectedssh_sum{account="123456789012",region="us-east-1"} 11' in said


def test_opensearch(serve, receiver, tmp_path):
    shell = Shell(serve(), tmp_path)
    start, make, subscribe, send, wait, counted = blocks("opensearch.md")
    assert start == START + "SEARCH=http://127.0.0.1:9200\n"
    shell.before += f"SEARCH={receiver.url}\n"
    for block in (make, subscribe, send, wait):
        shell.run(block)
    [document] = receiver.documents.values()
    assert (document["srcaddr"], document["bytes"], document["log_status"]) == ("203.0.113.12", 4249, "OK")
    assert document["@log_group"] == "flow-logs"
    assert 'destinationtype="OpenSearch"' in shell.run(counted)


def test_tail(serve, tmp_path):
    shell = Shell(serve(), tmp_path)
    start, tail, send, read = blocks("tail.md")
    assert start.startswith(START)
    shell.run(start.removeprefix(START))
    tailing = shell.popen(tail)
    assert "Waiting for events" in tailing.stderr.readline()
    shell.run(send)
    assert tailing.wait(PATIENCE_S) == 0
    event = json.loads((tmp_path / "rejected.json").read_text())
    assert event["message"].split()[5:7] == ["40002", "22"]
    said = shell.run(read)
    assert said.count("40001 443") == 1 and said.count("40002 22") == 2
    assert len((tmp_path / "flow-logs.txt").read_text().splitlines()) == 2
    rows = duckdb.sql(f"select dstport, action from '{tmp_path}/flow-logs.parquet' order by 1").fetchall()
    assert rows == [(22, "REJECT"), (443, "REJECT")]
