"""Two servers on one PostgreSQL are one account."""

import os
import subprocess
import threading

import pytest
from botocore.exceptions import ClientError
from conftest import WEIR, make_role
from postgres import Postgres, programs


@pytest.fixture(scope="module")
def postgres():
    if not programs():
        pytest.skip("SKIPPED: needs the package postgresql")
    server = Postgres()
    yield server
    server.stop()


def test_two_servers_serve_one_account(serve, postgres):
    one, other = (serve("--state", postgres.url, name=name) for name in ("one", "other"))
    assert one.key == other.key
    ec2, ec2_other = one.boto("ec2"), other.boto("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2_other.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    assert [s["SubnetId"] for s in ec2.describe_subnets(SubnetIds=[subnet])["Subnets"]] == [subnet]
    # The first to come wins; the other one is told as by one server.
    with pytest.raises(ClientError, match="InvalidSubnet.Conflict"):
        ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")
    # A role and a key that one made sign in at the other.
    role = make_role(one)
    flow_log = {
        "ResourceType": "VPC", "ResourceIds": [vpc], "TrafficType": "ALL", "LogGroupName": "g",
        "DeliverLogsPermissionArn": role,
    }  # fmt: skip
    made = ec2_other.create_flow_logs(**flow_log)["FlowLogIds"]
    assert [f["FlowLogId"] for f in ec2.describe_flow_logs()["FlowLogs"]] == made
    with pytest.raises(ClientError, match="FlowLogAlreadyExists"):
        ec2.create_flow_logs(**flow_log)


def test_both_at_once_never_give_one_address_twice(serve, postgres):
    servers = [serve("--state", postgres.url, name=name) for name in ("one", "other")]
    ec2 = servers[0].boto("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.1.0/24")["Subnet"]["SubnetId"]
    failures = []

    def create(server):
        client = server.boto("ec2")
        try:
            for _ in range(15):
                client.create_network_interface(SubnetId=subnet)
        except ClientError as error:
            failures.append(error)

    threads = [threading.Thread(target=create, args=(server,)) for server in servers * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = ec2.describe_network_interfaces(Filters=[{"Name": "subnet-id", "Values": [subnet]}])
    addresses = {i["PrivateIpAddress"] for i in found["NetworkInterfaces"]}
    assert (failures, len(found["NetworkInterfaces"]), len(addresses)) == ([], 60, 60)


def test_a_database_that_goes_and_comes_back(serve, postgres):
    weir = serve("--state", postgres.url)
    vpc = weir.boto("ec2").create_vpc(CidrBlock="10.2.0.0/16")["Vpc"]["VpcId"]
    postgres.crash()
    for work, code in (
        (lambda: weir.boto("ec2").describe_vpcs(), "ServiceUnavailable"),
        (lambda: weir.boto("iam").list_roles(), "ServiceUnavailable"),
        (lambda: weir.boto("logs").describe_log_groups(), "ServiceUnavailableException"),
    ):
        with pytest.raises(ClientError) as caught:
            work()
        answer = caught.value.response
        assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (code, 503)
    postgres.start()
    assert vpc in [v["VpcId"] for v in weir.boto("ec2").describe_vpcs()["Vpcs"]]


def test_a_database_that_is_not_there(tmp_path):
    done = subprocess.run(
        [WEIR, "serve", "--listen", "127.0.0.1:0", "--data-dir", tmp_path / "data"],
        env=os.environ | {"WEIR_STATE": "postgres://weir:secret@127.0.0.1:1/x"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "PostgreSQL at 127.0.0.1:1" in done.stderr and "secret" not in done.stderr
