"""Clients that are slow, too many, or speak no HTTP that any SDK writes."""

import contextlib
import os
import select
import socket
import urllib.parse

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from conftest import ACCOUNT, Server
from test_wire import EC2, IAM, request

PATIENCE_S = 60


def whole_and_unhurt(server):
    """It still answers, and nothing panicked on the way."""
    assert server.boto("sts").get_caller_identity()["Account"] == ACCOUNT
    server.drain()
    assert not [line for line in server.seen if "panicked" in line]


@pytest.fixture(scope="module")
def weir(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("abuse") / "data")
    yield server
    whole_and_unhurt(server)
    server.stop()


@pytest.fixture(scope="module")
def hurried(tmp_path_factory):
    """A server that waits for nobody."""
    server = Server(tmp_path_factory.mktemp("hurried") / "data", "--client-timeout", "0.3")
    yield server
    whole_and_unhurt(server)
    server.stop()


def connect(server):
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE_S)


def everything(connection):
    """What the server says until it closes."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts).decode()


def signed(server, body=b"Action=DescribeRegions&Version=2016-11-15", service="ec2", headers=None):
    """Header lines of a signed POST of this body, without its length."""
    made = AWSRequest(method="POST", url=server.url + "/", data=body, headers=headers or {})
    SigV4Auth(Credentials(*server.key), service, "us-east-1").add_auth(made)
    host = server.url.removeprefix("http://")
    return f"Host: {host}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in made.headers.items())


@pytest.mark.parametrize("sent", [b"", b"POST / HT", b"POST / HTTP/1.1\r\nHost: x\r\nX-A: "])
def test_a_header_that_does_not_come(hurried, sent):
    with connect(hurried) as connection:
        connection.sendall(sent)
        assert everything(connection) == ""


def test_an_idle_connection_is_closed(hurried):
    with connect(hurried) as connection:
        connection.sendall(b"GET /_weir/health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert everything(connection).startswith("HTTP/1.1 200")


@pytest.mark.parametrize("length", ["Content-Length: 1000\r\n\r\nAction", "Transfer-Encoding: chunked\r\n\r\n6\r\nAction\r\n"])
def test_a_body_that_does_not_come(hurried, length):
    """Told in the form of the service that it is for."""
    for head, form in (
        (signed(hurried), "<Errors><Error><Code>RequestTimeout</Code>"),
        (signed(hurried, service="iam"), "<ErrorResponse xmlns"),
        ("Host: x\r\nX-Amz-Target: Logs_20140328.PutLogEvents\r\n", '"__type":"RequestTimeout"'),
    ):
        with connect(hurried) as connection:
            connection.sendall(f"POST / HTTP/1.1\r\n{head}{length}".encode())
            answer = everything(connection)
            assert answer.startswith("HTTP/1.1 408") and form in answer, answer


def test_an_answer_that_is_not_taken(hurried):
    body = b"Action=DescribeRegions&Version=2016-11-15"
    one = f"POST / HTTP/1.1\r\n{signed(hurried, body)}Content-Length: {len(body)}\r\n\r\n".encode() + body
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        host, port = hurried.url.removeprefix("http://").split(":")
        connection.connect((host, int(port)))
        connection.setblocking(False)
        # Answers are ten times as large as requests: they cannot all wait in buffers.
        with contextlib.suppress(BlockingIOError, ConnectionResetError):
            while True:
                connection.send(one * 100)
        poll = select.poll()
        poll.register(connection, 0)
        assert poll.poll(PATIENCE_S * 1000), "the server still waits"


def test_too_many_connections(tmp_path):
    server = Server(tmp_path / "data", "--max-clients", "3")
    try:
        with contextlib.ExitStack() as stack:
            held = [stack.enter_context(connect(server)) for _ in range(3)]
            for connection in held:
                connection.sendall(b"GET /_weir/health HTTP/1.1\r\nHost: x\r\n\r\n")
                assert connection.recv(4096).startswith(b"HTTP/1.1 200")
            for _ in range(5):
                with connect(server) as late:
                    late.sendall(b"GET /_weir/health HTTP/1.1\r\nHost: x\r\n\r\n")
                    answer = everything(late)
                    assert answer.startswith("HTTP/1.1 503") and "<Code>ServiceUnavailable</Code>" in answer
            # Those who are in are served on.
            held[0].sendall(b"GET /_weir/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert everything(held[0]).startswith("HTTP/1.1 200")
        server.wait_for_line(lambda entry: entry["fields"]["message"] == "too many connections")
        whole_and_unhurt(server)
    finally:
        server.stop()


@pytest.mark.parametrize(
    "sent, status",
    [
        (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + b"".join(b"A%d: b\r\n" % n for n in range(200)) + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nA: " + b"b" * 1_000_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nA\x00: b\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", None),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551616\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + b"ffffff\r\n" + b"a" * 0xFFFFFF + b"\r\nff\r\n" + b"a" * 255, 413),
        (b"POST / HTTP/1.0\r\nContent-Length: 10\r\n\r\nab", 400),
        (b"GET / HTTP/1.0\r\n\r\n", 400),
    ],
)  # fmt: skip
def test_what_is_no_http(weir, sent, status):
    with connect(weir) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
        answer = everything(connection)
    if status is None:
        assert answer == ""
    else:
        # The rest of what is too large may reset the connection before its answer is read.
        assert answer.split(" ")[1:2] == [str(status)] or (answer == "" and status == 413), answer


def test_half_a_body_is_said(weir):
    with connect(weir) as connection:
        connection.sendall(f"POST / HTTP/1.1\r\n{signed(weir)}Content-Length: 100\r\n\r\nAction=".encode())
        connection.shutdown(socket.SHUT_WR)
        answer = everything(connection)
    assert "<Code>IncompleteBody</Code>" in answer, answer


LOGS = "logs Logs_20140328.DescribeLogGroups"
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    "status, part, service, body, content_type",
    [
        (415, "<Code>UnsupportedMediaTypeException</Code>", "ec2", EC2 | {"Action": "DescribeVpcs"}, "application/json"),
        (415, "<ErrorResponse", "iam", IAM | {"Action": "ListRoles"}, "multipart/form-data; boundary=x"),
        (415, '"__type":"UnsupportedMediaTypeException"', LOGS, b"{}", "application/x-amz-cbor-1.1"),
        (415, '"__type":"UnsupportedMediaTypeException"', LOGS, b"<a/>", "text/xml"),
        (200, "logGroups", LOGS, b"{}", "application/json; charset=utf-8"),
        (200, "logGroups", LOGS, b"{}", FORM),
        (200, "vpcSet", "ec2", EC2 | {"Action": "DescribeVpcs"}, "Application/X-WWW-Form-URLEncoded; charset=UTF-8"),
        (400, "MissingAction", "ec2", b'{"Action":"DescribeVpcs"}', FORM),
        (400, "SerializationException", LOGS, b"Action=DescribeVpcs", FORM),
        (400, "SerializationException", LOGS, b'{"a":' * 100_000, FORM),
        (400, "more than 200000 values", LOGS, b'{"a":[' + b"1," * 300_000 + b"1]}", FORM),
        (400, "SerializationException", LOGS, b'{"limit":1e400}', FORM),
        (400, "SerializationException", LOGS, b"\xef\xbb\xbf{}", FORM),
        (400, "<Code>InvalidQueryParameter</Code>", "ec2", b"Action=DescribeVpcs&Action=DeleteVpc&Version=2016-11-15", FORM),
        (200, "vpcSet", "ec2", b"Action=DescribeVpcs&Action=DescribeVpcs&Version=2016-11-15", FORM),
        (400, "<Code>MalformedQueryString</Code>", "iam", b"Action=ListRoles&PathPrefix=%ff&Version=2010-05-08", FORM),
        (400, "<Code>MalformedQueryString</Code>", "ec2", EC2 | {"Action": "CreateVpc", "CidrBlock": "a\0b"}, FORM),
        (400, "parameter Filter.x.Name is not recognized", "ec2", EC2 | {"Action": "DescribeVpcs", "Filter.x.Name": "vpc-id"}, FORM),
        (400, "parameter VpcId is not recognized", "ec2", EC2 | {"Action": "DescribeVpcs", "VpcId": "vpc-1"}, FORM),
        (400, "<Code>MalformedInput</Code>", "iam", IAM | {"Action": "TagRole", "RoleName": "x", "Tags.member.x.Key": "k"}, FORM),
        (400, "<Code>MalformedInput</Code>", "iam", IAM | {"Action": "TagRole", "RoleName": "x", "Tags.member.0.Key": "k"}, FORM),
        (400, "Could not find operation", "iam", IAM | {"Action": "A" * 100_000}, FORM),
        (400, "is not valid for this web service", "ec2", EC2 | {"Action": "<![CDATA[" + "x" * 1000}, FORM),
        (400, "UnknownOperationException", "logs Logs_20140328." + "x" * 5000, b"{}", FORM),
    ],
)  # fmt: skip
def test_requests_that_are_wrong(weir, status, part, service, body, content_type):
    name, _, target = service.partition(" ")
    headers = {"Content-Type": content_type} | ({"X-Amz-Target": target} if target else {})
    found, text = request(weir, body, name, headers=headers)
    assert (found, part in text.replace("&apos;", "'")) == (status, True), text[:500]


def test_memory_is_bounded(weir):
    """Large bodies that nobody signed for: half sent, held, then given up."""
    memory = lambda: int(next(line for line in open(f"/proc/{weir.process.pid}/status") if "VmRSS" in line).split()[1])
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 16777216\r\n\r\n"
    with contextlib.ExitStack() as stack:
        answers = []
        for _ in range(40):
            connection = stack.enter_context(connect(weir))
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(head + b"a" * 15_000_000)
            answers.append(connection)
        refused = 0
        for connection in answers:
            connection.setblocking(False)
            with contextlib.suppress(BlockingIOError, ConnectionResetError):
                refused += b"503" in connection.recv(4096)[:20]
        assert refused >= 40 - 18
        assert memory() < 700_000
    whole_and_unhurt(weir)
