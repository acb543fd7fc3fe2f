"""docs/guides/s3-delivery.md, as it stands there."""

import io
import os
import re
import time

import pyarrow.parquet
import pytest
from conftest import AWS, PATIENCE_S
from netns import INSIDE, Pair
from test_logs_guides import START, Shell, blocks
from test_s3_delivery import attach


def records(s3):
    """Packets in all objects of the bucket."""
    listed = s3.list_objects_v2(Bucket="my-flow-logs").get("Contents", [])
    bodies = [s3.get_object(Bucket="my-flow-logs", Key=item["Key"])["Body"].read() for item in listed]
    packets = [pyarrow.parquet.read_table(io.BytesIO(body), columns=["packets"]) for body in bodies]
    return sum(n or 0 for table in packets for n in table["packets"].to_pylist())


@pytest.mark.live
def test_s3_delivery(serve, tmp_path):
    server = serve("--interval", "1", "--s3-publish-every", "2")
    shell = Shell(server, tmp_path)
    shell.env["PATH"] = os.path.dirname(AWS) + ":" + shell.env["PATH"]
    start, make, look, duck, arrow = blocks("s3-delivery.md")
    assert start == START
    with Pair() as pair:
        attach(server, pair)
        assert "AWSLogDeliveryWrite" in shell.run(make)
        sent = pair.traffic(pair.outside, "udp-send", INSIDE, 5000, 700, 10)["packets"]
        ec2, s3 = server.boto("ec2"), server.boto("s3")
        deadline = time.monotonic() + PATIENCE_S
        while (got := records(s3)) < sent:
            assert time.monotonic() < deadline, f"{got} of {sent} packets; {server.drain()}"
            # Every question gives a line.
            ec2.describe_flow_logs()
            server.wait_for_line(lambda e: e["fields"].get("action") == "DescribeFlowLogs")
        said = shell.run(look)
        assert "SUCCESS" in said and "/year=20" in said and ".log.parquet" in said
        said = shell.run(duck)
        assert "ACCEPT" in said and max(map(int, re.findall(r"\d+", said))) >= sent, said
        assert int(shell.run(arrow).split("packets:")[1]) >= sent
