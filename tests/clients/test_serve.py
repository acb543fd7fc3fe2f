"""`weir serve` and its small commands."""

import os
import socket
import stat
import subprocess
import urllib.error
import urllib.request

from conftest import WEIR


def test_env_points_aws_clients_at_the_server(weir):
    script = f'eval "$({WEIR} env --data-dir {weir.data_dir})" && env'
    done = subprocess.run(
        ["sh", "-c", script], stdin=subprocess.DEVNULL, capture_output=True, text=True, env={"PATH": os.environ["PATH"]}
    )
    assert done.returncode == 0, done.stderr
    env = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert (env["AWS_ENDPOINT_URL"], env["AWS_ACCESS_KEY_ID"], env["AWS_REGION"]) == (
        weir.url, weir.key[0], "us-east-1",
    )  # fmt: skip


def test_without_a_server_env_says_what_to_do(tmp_path):
    done = subprocess.run(
        [WEIR, "env", "--data-dir", str(tmp_path)], stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "hint: start the server" in done.stderr


def test_the_root_key_is_shown_once_and_kept_from_others(serve):
    weir = serve()
    weir.stop()
    said = weir.drain()
    assert weir.key[1] in said
    mode = os.stat(os.path.join(weir.data_dir, "root-access-key")).st_mode
    assert stat.S_IMODE(mode) == 0o600
    assert stat.S_IMODE(os.stat(weir.data_dir).st_mode) == 0o700
    weir.seen.clear()
    weir.start()
    weir.stop()
    assert weir.key[1] not in weir.drain()


def test_a_given_root_key_and_account(serve):
    key = {"WEIR_ROOT_ACCESS_KEY_ID": "AKIAWEIRWEIRWEIRWEIR", "WEIR_ROOT_SECRET_ACCESS_KEY": "s" * 40}
    weir = serve("--account-id", "210987654321", env=key)
    assert weir.key == ("AKIAWEIRWEIRWEIRWEIR", "s" * 40)
    assert weir.boto("sts").get_caller_identity()["Account"] == "210987654321"
    weir.stop()
    assert "s" * 40 not in weir.drain()


def test_emulator_mode(serve):
    weir = serve("--emulator")
    any_key = ("testing", "testing")
    ec2 = weir.boto("ec2", key=any_key)
    before = len(ec2.describe_vpcs()["Vpcs"])
    ec2.create_vpc(CidrBlock="10.0.0.0/16")
    weir.boto("logs", key=any_key).create_log_group(logGroupName="g")
    assert len(ec2.describe_vpcs()["Vpcs"]) == before + 1
    request = urllib.request.Request(f"{weir.url}/moto-api/reset", method="POST")
    assert urllib.request.urlopen(request).status == 200
    assert len(ec2.describe_vpcs()["Vpcs"]) == before
    assert weir.boto("logs", key=any_key).describe_log_groups()["logGroups"] == []
    weir.stop()
    assert "EMULATOR MODE" in weir.drain()


def test_the_emulator_listens_on_loopback_only(tmp_path):
    done = subprocess.run(
        [WEIR, "serve", "--emulator", "--listen", "0.0.0.0:0", "--data-dir", str(tmp_path)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert "loopback" in done.stderr


def test_a_port_in_use_is_named(weir, tmp_path):
    done = subprocess.run(
        [WEIR, "serve", "--listen", weir.url.removeprefix("http://"), "--data-dir", str(tmp_path)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert "cannot listen on" in done.stderr and "hint:" in done.stderr


def test_reset_is_for_emulators_only(weir):
    request = urllib.request.Request(f"{weir.url}/moto-api/reset", method="POST")
    try:
        urllib.request.urlopen(request)
        raise AssertionError("reset was accepted")
    except urllib.error.HTTPError as error:
        assert error.code >= 400


def test_boto3_paginators(weir):
    logs = weir.boto("logs")
    for n in range(60):
        logs.create_log_group(logGroupName=f"g{n:02}")
    names = [g["logGroupName"] for page in logs.get_paginator("describe_log_groups").paginate() for g in page["logGroups"]]
    assert names == [f"g{n:02}" for n in range(60)]
    ec2 = weir.boto("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    for n in range(12):
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24")
    pages = ec2.get_paginator("describe_subnets").paginate(
        Filters=[{"Name": "vpc-id", "Values": [vpc]}], PaginationConfig={"PageSize": 5}
    )
    found = [s["CidrBlock"] for page in pages for s in page["Subnets"]]
    assert sorted(found) == sorted(f"10.0.{n}.0/24" for n in range(12))


def test_a_stop_does_not_wait_for_clients_that_say_nothing(serve):
    weir = serve()
    host, port = weir.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as half, socket.create_connection((host, int(port))) as body:
        half.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n")
        body.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        # An answer to somebody else: both have been read by then.
        assert weir.boto("sts").get_caller_identity()
        assert weir.stop() == 0


def test_a_stale_endpoint_is_explained(serve):
    weir = serve()
    weir.kill()
    done = weir.weir("interfaces")
    assert done.returncode == 1
    assert f"cannot reach {weir.url}" in done.stderr and "hint: start it with 'weir serve'" in done.stderr
    # The next start takes the folder over.
    weir.start()
    assert weir.weir("interfaces").returncode == 0


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    done = subprocess.run(
        [WEIR, "serve", "--listen", "127.0.0.1:0", "--data-dir", str(tmp_path / "file")],
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert f"cannot make the data folder {tmp_path / 'file'}" in done.stderr
