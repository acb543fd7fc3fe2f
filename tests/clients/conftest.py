"""Real AWS clients against a real `weir serve`.

Every test gets a server of its own: a free port, a temporary data folder, JSON
log lines that the test waits on (no sleeps). Tests marked `live` send packets
between network namespaces that they make and remove themselves; they need root
and are skipped with a visible line otherwise.
"""

import json
import os
import queue
import signal
import subprocess
import threading
import time

import boto3
import pytest
from botocore.config import Config

WEIR = os.environ.get("WEIR", os.path.expanduser("~/.cache/weir/target/debug/weir"))
AWS = os.path.join(os.environ.get("VENV", os.path.expanduser("~/.cache/weir/venv")), "bin", "aws")
PATIENCE_S = 60
ACCOUNT = "123456789012"

FLOW_LOGS_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "vpc-flow-logs.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
WRITE_LOGS = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:PutLogEvents",
                "logs:DescribeLogGroups",
                "logs:DescribeLogStreams",
            ],
            "Resource": "*",
        }
    ],
}


def pytest_configure(config):
    config.addinivalue_line("markers", "live: sends packets between namespaces; needs root")


def pytest_collection_modifyitems(config, items):
    if os.geteuid() != 0:
        skip = pytest.mark.skip(reason="SKIPPED: needs root")
        for item in items:
            if "live" in item.keywords:
                item.add_marker(skip)


class Server:
    """A `weir serve` process and clients of it."""

    def __init__(self, data_dir, *arguments, env=None, command=(WEIR,), pass_fds=()):
        self.data_dir = str(data_dir)
        self.command, self.pass_fds = list(command), pass_fds
        self.arguments = arguments
        self.extra_env = env or {}
        self.lines = queue.Queue()
        self.seen = []
        self.start()

    def start(self, listen="127.0.0.1:0"):
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "WEIR_"))}
        self.process = subprocess.Popen(
            self.command
            + ["serve", "--listen", listen, "--data-dir", self.data_dir, "--log-format", "json"]
            + list(self.arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=clean | self.extra_env,
            pass_fds=self.pass_fds,
        )
        threading.Thread(target=self._read, args=(self.process.stderr,), daemon=True).start()
        ready = self.process.stdout.readline()
        assert "ready at" in ready, f"not ready: {ready!r} {self.drain()}"
        self.url = ready.split()[-1]
        with open(os.path.join(self.data_dir, "root-access-key")) as file:
            key = json.load(file)
        self.key = (key["access_key_id"], key["secret_access_key"])

    def _read(self, stream):
        for line in stream:
            self.lines.put(line)

    def drain(self):
        while True:
            try:
                self.seen.append(self.lines.get_nowait())
            except queue.Empty:
                return "".join(self.seen[-30:])

    def wait_for_line(self, wanted, patience_s=PATIENCE_S):
        """The next log line (as an object) for which `wanted` is true."""
        deadline = time.monotonic() + patience_s
        while True:
            try:
                line = self.lines.get(timeout=max(0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError("no such log line; the last ones:\n" + "".join(self.seen[-30:]))
            self.seen.append(line)
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if wanted(entry):
                return entry

    def wait_until(self, condition, patience_s=PATIENCE_S):
        """Checks now, and again whenever records were delivered; its first true value."""
        deadline = time.monotonic() + patience_s
        while True:
            value = condition()
            if value:
                return value
            left = deadline - time.monotonic()
            self.wait_for_line(lambda e: e["fields"].get("action") == "PutLogEvents", max(left, 0.01))

    def env(self):
        return {
            "PATH": os.environ["PATH"],
            "HOME": self.data_dir,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": self.key[0],
            "AWS_SECRET_ACCESS_KEY": self.key[1],
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_PAGER": "",
        }

    def run_aws(self, *arguments, env=None):
        """The AWS CLI as it is; the completed process."""
        return subprocess.run(
            [AWS, *arguments, "--output", "json"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=self.env() | (env or {}),
            timeout=PATIENCE_S,
        )

    def aws(self, *arguments, env=None):
        """The AWS CLI's answer."""
        done = self.run_aws(*arguments, env=env)
        assert done.returncode == 0, f"aws {' '.join(arguments)}: {done.stderr}\n{self.drain()}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    def aws_error(self, *arguments, env=None):
        """The error code that the AWS CLI shows."""
        done = self.run_aws(*arguments, env=env)
        assert done.returncode != 0, f"aws {' '.join(arguments)} should have failed: {done.stdout}"
        start = done.stderr.find("An error occurred (")
        assert start >= 0, done.stderr
        return done.stderr[start + len("An error occurred (") :].split(")")[0]

    def boto(self, service, key=None, region="us-east-1", token=None):
        access, secret = key or self.key
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id=access,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(retries={"total_max_attempts": 1}),
        )

    def weir(self, *arguments):
        return subprocess.run(
            [WEIR, *arguments, "--data-dir", self.data_dir],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env={"PATH": os.environ["PATH"], "HOME": self.data_dir},
            timeout=PATIENCE_S,
        )

    def kill(self):
        """As a power cut would: nothing is said, nothing is finished."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE_S)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(PATIENCE_S)
        if self.process.returncode == -signal.SIGKILL:
            # It had no time to take its programs off the devices.
            self.weir("detach", "--all")
        return self.process.returncode


@pytest.fixture
def serve(tmp_path):
    """Starts servers; the same name is the same data folder."""
    servers = []

    def start(*arguments, name="data", env=None):
        server = Server(tmp_path / name, *arguments, env=env)
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def weir(serve):
    return serve()


def make_role(server, name="flow-logs", trust=FLOW_LOGS_TRUST, policy=WRITE_LOGS):
    """A role for a flow log; its ARN."""
    iam = server.boto("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    if policy:
        iam.put_role_policy(RoleName=name, PolicyName="write", PolicyDocument=json.dumps(policy))
    return arn
