"""Athena with unmodified clients: AWS's own walkthrough over flow logs in S3."""

import gzip
import json
import os
import re
import subprocess
import sys
import time

import pytest
from botocore.exceptions import ClientError
from conftest import ACCOUNT, AWS

GUIDE = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "guides", "athena.md")
HEADER = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
LINES = [
    f"2 {ACCOUNT} eni-1 10.117.1.22 10.0.0.2 40000 443 6 10 1000 1588550400 1588550460 ACCEPT OK",
    f"2 {ACCOUNT} eni-1 10.117.1.23 10.0.0.2 40001 22 6 1 40 1588550400 1588550460 REJECT OK",
    f"2 {ACCOUNT} eni-2 - - - - - - - 1588550400 1588550460 - NODATA",
]
COLUMNS = """version int, account_id string, interface_id string, srcaddr string, dstaddr string, srcport int,
  dstport int, protocol bigint, packets bigint, bytes bigint, start bigint, `end` bigint, action string,
  log_status string"""
FOLDER = f"logs/AWSLogs/{ACCOUNT}/vpcflowlogs/us-east-1"


def put_day(s3, day="2020/05/04", lines=LINES):
    body = gzip.compress(("\n".join([HEADER] + lines) + "\n").encode())
    key = f"AWSLogs/{ACCOUNT}/vpcflowlogs/us-east-1/{day}/{ACCOUNT}_vpcflowlogs_us-east-1_fl-1_x.log.gz"
    s3.put_object(Bucket="logs", Key=key, Body=body)


class Athena:
    def __init__(self, server):
        self.client = server.boto("athena")
        self.s3 = server.boto("s3")
        for bucket in ("logs", "results"):
            self.s3.create_bucket(Bucket=bucket)
        put_day(self.s3)

    def run(self, sql, database="default", **more):
        """The execution at its end."""
        started = self.client.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": database},
            ResultConfiguration={"OutputLocation": "s3://results/out/"},
            **more,
        )
        return self.end_of(started["QueryExecutionId"])

    def end_of(self, id):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            execution = self.client.get_query_execution(QueryExecutionId=id)["QueryExecution"]
            if execution["Status"]["State"] not in ("QUEUED", "RUNNING"):
                return execution
        raise AssertionError(f"query {id} does not end")

    def ok(self, sql, **more):
        execution = self.run(sql, **more)
        assert execution["Status"]["State"] == "SUCCEEDED", (sql, execution["Status"])
        return execution

    def rows(self, sql, **more):
        execution = self.ok(sql, **more)
        answer = self.client.get_query_results(QueryExecutionId=execution["QueryExecutionId"])
        return [[d.get("VarCharValue") for d in row["Data"]] for row in answer["ResultSet"]["Rows"]]


@pytest.fixture
def athena(weir):
    return Athena(weir)


def test_the_walkthrough(athena):
    athena.ok("CREATE DATABASE flow")
    athena.ok(
        f"""CREATE EXTERNAL TABLE IF NOT EXISTS `vpc_flow_logs` ({COLUMNS})
        PARTITIONED BY (`date` date) ROW FORMAT DELIMITED FIELDS TERMINATED BY ' '
        LOCATION 's3://{FOLDER}/' TBLPROPERTIES ("skip.header.line.count"="1");""",
        database="flow",
    )
    athena.ok(
        f"ALTER TABLE vpc_flow_logs ADD PARTITION (`date`='2020-05-04') LOCATION 's3://{FOLDER}/2020/05/04';",
        database="flow",
    )
    rows = athena.rows("SELECT * FROM vpc_flow_logs WHERE date = DATE('2020-05-04') LIMIT 100;", database="flow")
    assert len(rows) == 4 and rows[0][-1] == "date"
    execution = athena.ok(
        "SELECT day_of_week(date) AS day, date, interface_id, srcaddr, action, protocol FROM vpc_flow_logs "
        "WHERE action = 'REJECT' AND protocol = 6 LIMIT 100;",
        database="flow",
    )
    answer = athena.client.get_query_results(QueryExecutionId=execution["QueryExecutionId"])
    info = [(c["Name"], c["Type"]) for c in answer["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]]
    assert info == [
        ("day", "bigint"), ("date", "date"), ("interface_id", "varchar"), ("srcaddr", "varchar"),
        ("action", "varchar"), ("protocol", "bigint"),
    ]
    statistics = execution["Statistics"]
    assert statistics["DataScannedInBytes"] > 100 and statistics["TotalExecutionTimeInMillis"] >= 0
    assert (execution["StatementType"], execution["SubstatementType"]) == ("DML", "SELECT")
    bucket, key = re.fullmatch(r"s3://([^/]+)/(.*)", execution["ResultConfiguration"]["OutputLocation"]).groups()
    csv = athena.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    assert csv == '"day","date","interface_id","srcaddr","action","protocol"\n"1","2020-05-04","eni-1","10.117.1.23","REJECT","6"\n'
    # NULL in numbers, a dash in texts.
    assert athena.rows("SELECT srcaddr, srcport FROM flow.vpc_flow_logs WHERE log_status = 'NODATA'")[1] == ["-", None]
    assert athena.rows("SHOW PARTITIONS flow.vpc_flow_logs") == [["date=2020-05-04"]]
    assert athena.rows("SHOW TABLES IN flow") == [["vpc_flow_logs"]]
    assert [row[0].split()[0] for row in athena.rows("DESCRIBE flow.vpc_flow_logs")[:2]] == ["version", "account_id"]
    # What SHOW CREATE TABLE says makes the same table.
    shown = "\n".join(row[0] for row in athena.rows("SHOW CREATE TABLE flow.vpc_flow_logs"))
    athena.ok("DROP TABLE flow.vpc_flow_logs")
    athena.ok(shown, database="flow")
    assert "\n".join(row[0] for row in athena.rows("SHOW CREATE TABLE flow.vpc_flow_logs")) == shown
    failed = athena.run("DROP DATABASE flow")["Status"]
    assert failed["State"] == "FAILED" and "is not empty" in failed["StateChangeReason"]
    athena.ok("DROP DATABASE flow CASCADE")
    failed = athena.run("SELECT * FROM flow.vpc_flow_logs")["Status"]
    assert failed["AthenaError"]["ErrorType"] == 1301
    assert failed["StateChangeReason"] == "SCHEMA_NOT_FOUND: line 1:15: Schema 'flow' does not exist"


def test_partition_projection_and_repair(athena):
    put_day(athena.s3, "2020/05/05", LINES[:1])
    athena.ok(
        f"""CREATE EXTERNAL TABLE projected ({COLUMNS})
        PARTITIONED BY (accid string, region string, day string) ROW FORMAT DELIMITED FIELDS TERMINATED BY ' '
        LOCATION 's3://logs/AWSLogs/' TBLPROPERTIES ("skip.header.line.count"="1", "projection.enabled"="true",
        "projection.accid.type"="enum", "projection.accid.values"="{ACCOUNT}",
        "projection.region.type"="enum", "projection.region.values"="us-east-1,eu-west-1",
        "projection.day.type"="date", "projection.day.range"="2020/05/01,NOW", "projection.day.format"="yyyy/MM/dd",
        "storage.location.template"="s3://logs/AWSLogs/${{accid}}/vpcflowlogs/${{region}}/${{day}}")"""
    )
    query = "SELECT day, count(*) AS n FROM projected WHERE day >= '2020/05/01' AND day < '2020/06/01' GROUP BY day ORDER BY day ASC"
    assert athena.rows(query)[1:] == [["2020/05/04", "3"], ["2020/05/05", "1"]]
    query = "SELECT to_iso8601(from_unixtime(start)) AS start_time FROM projected WHERE DAY = '2020/05/05'"
    assert athena.rows(query)[1:] == [["2020-05-04T00:00:00.000Z"]]
    athena.s3.put_object(Bucket="logs", Key="hive/year=2020/month=05/a.log", Body="\n".join(LINES).encode())
    athena.ok(
        f"""CREATE EXTERNAL TABLE hive ({COLUMNS}) PARTITIONED BY (`year` string, `month` string)
        ROW FORMAT DELIMITED FIELDS TERMINATED BY ' ' LOCATION 's3://logs/hive/'"""
    )
    assert athena.rows("SELECT count(*) FROM hive")[1:] == [["0"]]
    assert athena.rows("MSCK REPAIR TABLE hive")[-1] == ["Repair: Added partition to metastore hive:year=2020/month=05"]
    assert athena.rows("SELECT count(*) FROM hive WHERE month = '05'")[1:] == [["3"]]
    assert athena.rows("MSCK REPAIR TABLE hive") == []


def test_tables_from_queries(athena):
    athena.ok(
        "CREATE TABLE made WITH (partitioned_by = ARRAY['p']) AS "
        "SELECT x, CAST(x AS double) / 2 AS half, x % 2 AS p FROM UNNEST(ARRAY[1, 2, 3]) AS t(x)"
    )
    assert athena.rows('SELECT x, half, p FROM made ORDER BY x')[1:] == [["1", "0.5", "1"], ["2", "1.0", "0"], ["3", "1.5", "1"]]
    execution = athena.ok("INSERT INTO made SELECT 4, 2.0, 0")
    manifest = execution["Statistics"]["DataManifestLocation"]
    assert manifest.endswith("-manifest.csv")
    answer = athena.client.get_query_results(QueryExecutionId=execution["QueryExecutionId"])
    assert answer["UpdateCount"] == 1
    assert athena.rows('SELECT p FROM "made$partitions" ORDER BY p')[1:] == [["0"], ["1"]]
    athena.ok("CREATE OR REPLACE VIEW halves AS SELECT half FROM made WHERE p = 0")
    assert athena.rows("SELECT sum(half) AS s FROM halves")[1:] == [["3.0"]]
    assert athena.rows("SHOW VIEWS") == [["halves"]]
    athena.ok("UNLOAD (SELECT x FROM made WHERE x > 2) TO 's3://results/unloaded/' WITH (format = 'JSON')")
    keys = [o["Key"] for o in athena.s3.list_objects_v2(Bucket="results", Prefix="unloaded/")["Contents"]]
    bodies = "".join(athena.s3.get_object(Bucket="results", Key=key)["Body"].read().decode() for key in keys)
    assert sorted(json.loads(line)["x"] for line in bodies.split("\n") if line) == [3, 4]
    athena.client.create_prepared_statement(StatementName="by_x", WorkGroup="primary", QueryStatement="SELECT half FROM made WHERE x = ?")
    assert athena.rows("EXECUTE by_x USING 4")[1:] == [["2.0"]]
    assert athena.rows("SELECT half FROM made WHERE x = ? AND p = ?", ExecutionParameters=["3", "1"])[1:] == [["1.5"]]
    assert any("made" in row[0] for row in athena.rows("EXPLAIN SELECT x FROM made"))


def test_what_goes_wrong(athena):
    with pytest.raises(ClientError) as refused:
        athena.run("SELEC 1")
    error = refused.value.response
    assert error["Error"]["Code"] == "InvalidRequestException"
    assert error["AthenaErrorCode"] == "MALFORMED_QUERY"
    assert error["Error"]["Message"].startswith("line 1:1: mismatched input 'SELEC'. Expecting: ")
    for sql, kind, reason in [
        ("SELECT 1 / 0", 1001, "DIVISION_BY_ZERO: Division by zero"),
        ("SELECT 9223372036854775807 + 1", 1000,
         "NUMERIC_VALUE_OUT_OF_RANGE: bigint addition overflow: 9223372036854775807 + 1"),
        ("CREATE EXTERNAL TABLE t (a int, b int, A int) LOCATION 's3://logs/t/'", 1000,
         "FAILED: SemanticException [Error 10036]: Duplicate column name: a"),
        ("ALTER DATABASE nosuch SET DBPROPERTIES ('a'='b')", 1000,
         "FAILED: SemanticException [Error 10072]: Database does not exist: nosuch"),
        ("SELECT * FROM nowhere", 1301,
         "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.default.nowhere' does not exist"),
        ("SELECT nosuch(1)", 1303, "FUNCTION_NOT_FOUND: line 1:8: Function 'nosuch' not registered"),
    ]:
        status = athena.run(sql)["Status"]
        assert (status["State"], status["AthenaError"]["ErrorType"]) == ("FAILED", kind)
        assert status["StateChangeReason"] == reason
    started = athena.client.start_query_execution(
        QueryString="SELECT 1", ResultConfiguration={"OutputLocation": "s3://nowhere/"}
    )
    status = athena.end_of(started["QueryExecutionId"])["Status"]
    assert status["StateChangeReason"] == "Unable to verify/create output bucket nowhere"


def test_a_caller_reads_what_it_may(athena, weir):
    athena.ok(f"CREATE EXTERNAL TABLE plain ({COLUMNS}) ROW FORMAT DELIMITED FIELDS TERMINATED BY ' ' LOCATION 's3://{FOLDER}/'")
    iam, sts = weir.boto("iam"), weir.boto("sts")
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}]}
    role = iam.create_role(RoleName="analyst", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]

    def status(resources):
        allowed = [
            {"Effect": "Allow", "Action": ["athena:*", "glue:Get*"], "Resource": "*"},
            {"Effect": "Allow", "Action": ["s3:*"], "Resource": resources},
        ]
        document = json.dumps({"Version": "2012-10-17", "Statement": allowed})
        iam.put_role_policy(RoleName="analyst", PolicyName="p", PolicyDocument=document)
        analyst = Athena.__new__(Athena)
        keys = sts.assume_role(RoleArn=role, RoleSessionName="analyst")["Credentials"]
        analyst.client = weir.boto(
            "athena", key=(keys["AccessKeyId"], keys["SecretAccessKey"]), token=keys["SessionToken"]
        )
        return analyst.run("SELECT count(*) FROM plain")["Status"]

    assert status(["arn:aws:s3:::*"])["State"] == "SUCCEEDED"
    denied = status(["arn:aws:s3:::results", "arn:aws:s3:::results/*"])
    assert denied["StateChangeReason"].startswith("PERMISSION_DENIED: Access denied on s3://logs/")
    denied = status(["arn:aws:s3:::logs", "arn:aws:s3:::logs/*"])
    assert denied["StateChangeReason"].startswith("Access denied when writing output to url: s3://results/out/")


def test_the_guide(weir):
    """docs/guides/athena.md as it stands there, in one shell and one Python."""
    with open(GUIDE) as file:
        guide = file.read()
    blocks = re.findall(r"```sh\n(.*?)```", guide, re.DOTALL)
    script = "".join(blocks).replace("weir serve &\n", "").replace('eval "$(weir env)"\n', "")
    env = weir.env() | {"PATH": f"{os.path.dirname(AWS)}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], env=env, capture_output=True, text=True, timeout=300, cwd=weir.data_dir)
    assert done.returncode == 0, done.stderr
    assert "10.117.1.23" in done.stdout, done.stdout
    program = "".join(re.findall(r"```python\n(.*?)```", guide, re.DOTALL))
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=300, cwd=weir.data_dir)
    assert done.returncode == 0, done.stderr
    rows = done.stdout.splitlines()
    assert rows[0] == "('10.117.1.23', 22, 1)" and rows[-2].split() == ["10.117.1.22", "1000"], rows


def test_setup_of_a_flow_log(athena, weir):
    """`weir athena setup` makes what the integration template describes, and may be run again."""
    ec2 = weir.boto("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = ec2.create_flow_logs(
        ResourceIds=[vpc], ResourceType="VPC", TrafficType="ALL", LogDestinationType="s3", LogDestination="arn:aws:s3:::logs"
    )
    assert made["Unsuccessful"] == [], made
    flow_log = made["FlowLogIds"][0]
    for _ in range(2):
        done = weir.weir("athena", "setup", flow_log)
        assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    named = {kind: name for kind, name in lines if kind != "query"}
    assert sum(kind == "query" for kind, _ in lines) >= 8
    group = named["workgroup"]
    ids = athena.client.list_named_queries(WorkGroup=group)["NamedQueryIds"]
    queries = athena.client.batch_get_named_query(NamedQueryIds=ids)["NamedQueries"]
    assert len(queries) == sum(kind == "query" for kind, _ in lines)
    talkers = next(query for query in queries if query["Name"] == "VpcFlowLogsTopTalkers")
    started = athena.client.start_query_execution(QueryString=talkers["QueryString"], WorkGroup=group)
    execution = athena.end_of(started["QueryExecutionId"])
    assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
    answer = athena.client.get_query_results(QueryExecutionId=execution["QueryExecutionId"])
    rows = [[d.get("VarCharValue") for d in row["Data"]] for row in answer["ResultSet"]["Rows"]]
    assert rows[:2] == [["srcaddr", "dstaddr", "bytes"], ["10.117.1.22", "10.0.0.2", "1000"]]
    assert execution["ResultConfiguration"]["OutputLocation"].startswith("s3://logs/athena-results/")
