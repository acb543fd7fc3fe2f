"""Logs Insights with the AWS CLI, boto3 and `weir logs insights`."""

import json
import time

import pytest
from botocore.exceptions import ClientError
from conftest import make_role
from test_logs_guides import START, Shell, blocks

GROUP = "/vpc/flow"
LINE = "2 123456789012 eni-1 10.0.0.{0} 10.0.1.1 4000{0} {1} 6 {0} {2} 1 2 {3} OK"


@pytest.fixture
def logs(serve):
    logs = serve().boto("logs")
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName="s")
    now = int(time.time() * 1000)
    lines = [LINE.format(i % 4, 22 if i % 3 else 443, i * 100, "REJECT" if i % 3 else "ACCEPT") for i in range(30)]
    events = [{"timestamp": now - 30_000 + i * 1000, "message": line} for i, line in enumerate(lines)]
    logs.put_log_events(logGroupName=GROUP, logStreamName="s", logEvents=events)
    return logs


def ask(logs, text, **more):
    now = int(time.time())
    wanted = {"logGroupName": GROUP, "startTime": now - 3600, "endTime": now + 60} | more
    query = logs.start_query(queryString=text, **wanted)["queryId"]
    while True:
        answer = logs.get_query_results(queryId=query)
        if answer["status"] not in ("Scheduled", "Running"):
            assert answer["status"] == "Complete"
            rows = [{cell["field"]: cell["value"] for cell in row} for row in answer["results"]]
            return rows, answer


def test_rows_and_statistics(logs):
    rows, answer = ask(logs, "filter action = 'REJECT' | stats sum(bytes) as b, count(*) by srcAddr | sort b desc")
    sums = {}
    for i in (i for i in range(30) if i % 3):
        sums[f"10.0.0.{i % 4}"] = sums.get(f"10.0.0.{i % 4}", 0) + i * 100
    wanted = sorted(sums.items(), key=lambda item: -item[1])
    assert [(row["srcAddr"], int(row["b"])) for row in rows] == wanted
    statistics = answer["statistics"]
    assert (statistics["recordsScanned"], statistics["recordsMatched"]) == (30.0, 20.0)


def test_events_and_their_records(logs):
    rows, _ = ask(logs, "fields @timestamp, bytes | sort bytes desc | limit 2")
    assert [row["bytes"] for row in rows] == ["2900", "2800"]
    record = logs.get_log_record(logRecordPointer=rows[0]["@ptr"])["logRecord"]
    assert (record["bytes"], record["dstPort"], record["@logStream"]) == ("2900", "22", "s")
    fields = {f["name"]: f["percent"] for f in logs.get_log_group_fields(logGroupName=GROUP)["logGroupFields"]}
    assert fields["srcAddr"] == 100 and fields["@message"] == 100
    described = logs.describe_queries(logGroupName=GROUP, status="Complete")["queries"]
    assert described[0]["queryString"].startswith(f'SOURCE "{GROUP}" START=')


def test_pages(logs):
    rows, answer = ask(logs, "fields bytes")
    assert len(rows) == 30
    [query] = logs.describe_queries()["queries"]
    first = logs.get_query_results(queryId=query["queryId"], maxItems=20)
    rest = logs.get_query_results(queryId=query["queryId"], nextToken=first["nextToken"])
    assert first["results"] + rest["results"] == answer["results"]


def test_a_malformed_query_names_the_place(logs):
    with pytest.raises(ClientError) as error:
        ask(logs, "fields @timestamp | filtre action = 'REJECT'")
    answer = error.value.response
    assert answer["Error"]["Code"] == "MalformedQueryException"
    assert answer["queryCompileError"]["location"] == {"startCharOffset": 20, "endCharOffset": 26}


def test_fields_of_a_custom_format(serve):
    server = serve()
    ec2, logs, role = server.boto("ec2"), server.boto("logs"), make_role(server)
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    ec2.create_flow_logs(
        ResourceType="VPC",
        ResourceIds=[vpc],
        TrafficType="ALL",
        LogGroupName=GROUP,
        DeliverLogsPermissionArn=role,
        LogFormat="${pkt-srcaddr} ${flow-direction} ${bytes}",
    )
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName="s")
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": "10.0.0.1 ingress 7"}, {"timestamp": now, "message": "10.0.0.2 egress 8"}]
    logs.put_log_events(logGroupName=GROUP, logStreamName="s", logEvents=events)
    rows, _ = ask(logs, "filter flowDirection = 'egress' | display pktSrcAddr, bytes * 2")
    assert [(row["pktSrcAddr"], row["bytes * 2"]) for row in rows] == [("10.0.0.2", "16")]


def test_guide(serve, tmp_path):
    shell = Shell(serve(), tmp_path)
    start, top, cli, published, patterns = blocks("insights.md")
    assert start.startswith(START)
    shell.run(start.removeprefix(START))
    rows = [json.loads(line) for line in shell.run(top).splitlines()]
    assert [(row["srcAddr"], row["bytes"], row["packets"]) for row in rows] == [
        ("192.0.2.12", "4369", "22"),
        ("10.0.1.10", "64", "1"),
    ]
    result = json.loads(shell.run(cli))
    assert {"field": "rejected", "value": "1"} in result["results"][0]
    rows = [json.loads(line) for line in shell.run(published).splitlines()]
    assert {"srcAddr": "192.0.2.12", "dstAddr": "10.0.1.10", "packetsTransferred": "22"} in rows
    assert {"dstAddr": "10.0.1.10", "bytesTransferred": "4369"} in rows
    assert {"srcAddr": "10.0.1.10", "count(*)": "1"} in rows
    assert {"dstAddr": "10.0.1.10", "avg(bytes)": "2184.5", "max(bytes)": "4249"} in rows
    assert rows[-1] == {"peak": "4433", "low": "4433", "mean": "4433"}
    patterns = shell.run(published.splitlines()[0] + "\n" + patterns)
    found = [json.loads(line) for line in patterns.splitlines()]
    assert sum(int(row["@sampleCount"]) for row in found if "@differenceDescription" not in row) == 4
    assert [row["@differenceDescription"] for row in found if "@differenceDescription" in row] == ["New"]
