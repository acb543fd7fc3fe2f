"""PyAthena and awswrangler as people use them, both on one server; docs/guides/athena.md has the first steps."""

import boto3
import pytest
from test_athena import COLUMNS, FOLDER, put_day


@pytest.fixture
def world(weir, monkeypatch):
    """Buckets, a table of one day, and the environment that clients read."""
    for name, value in (weir.env() | {"AWS_EC2_METADATA_DISABLED": "true"}).items():
        monkeypatch.setenv(name, value)
    s3 = boto3.client("s3")
    for bucket in ("logs", "results"):
        s3.create_bucket(Bucket=bucket)
    put_day(s3)
    return weir


TABLE = f"""CREATE EXTERNAL TABLE vpc_flow_logs ({COLUMNS}) PARTITIONED BY (`date` date)
  ROW FORMAT DELIMITED FIELDS TERMINATED BY ' ' LOCATION 's3://{FOLDER}/' TBLPROPERTIES ('skip.header.line.count'='1')"""
DAY = f"ALTER TABLE vpc_flow_logs ADD PARTITION (`date`='2020-05-04') LOCATION 's3://{FOLDER}/2020/05/04'"


def with_pyathena():
    from pyathena import connect
    from pyathena.cursor import DictCursor
    from pyathena.error import OperationalError
    from pyathena.pandas.cursor import PandasCursor

    connection = connect(s3_staging_dir="s3://results/out/", region_name="us-east-1", poll_interval=0.05)
    cursor = connection.cursor()
    cursor.execute(TABLE)
    cursor.execute(DAY)
    cursor.execute("SELECT srcaddr, srcport, bytes, date FROM vpc_flow_logs ORDER BY bytes DESC NULLS LAST")
    assert [column[:2] for column in cursor.description] == [
        ("srcaddr", "varchar"), ("srcport", "integer"), ("bytes", "bigint"), ("date", "date"),
    ]
    rows = cursor.fetchall()
    assert [row[:3] for row in rows] == [("10.117.1.22", 40000, 1000), ("10.117.1.23", 40001, 40), ("-", None, None)]
    assert str(rows[0][3]) == "2020-05-04"
    assert cursor.data_scanned_in_bytes > 0 and cursor.state == "SUCCEEDED"
    # Parameters: in the client's formatting, and as Athena's own.
    sql = "SELECT count(*) FROM vpc_flow_logs WHERE action = %(action)s AND dstport IN %(ports)s"
    assert cursor.execute(sql, {"action": "REJECT", "ports": [22, 3389]}).fetchone() == (1,)
    asked = cursor.execute("SELECT ? + 1, ?", ["41", "'it''s'"], paramstyle="qmark")
    assert asked.fetchone() == (42, "it's")
    with pytest.raises(OperationalError, match="COLUMN_NOT_FOUND"):
        cursor.execute("SELECT nosuch FROM vpc_flow_logs")
    nested = "SELECT ARRAY[1, 2] AS a, MAP(ARRAY['k'], ARRAY[1]) AS m, CAST(ROW(1, 'x') AS ROW(id int, name varchar)) AS r"
    # PyAthena reads no types in maps and rows.
    assert cursor.execute(nested).fetchone() == ([1, 2], {"k": "1"}, {"id": "1", "name": "x"})

    # Literals have the types and texts that Athena gives them.
    cursor.execute("SELECT 1, 1.50, INTERVAL '7' day, TIMESTAMP '2024-05-01 10:00:00 UTC', ROW(1, 'x'), CAST('ab' AS char(3))")
    assert [column[1] for column in cursor.description][:4] == ["integer", "decimal", "interval day to second", "timestamp with time zone"]
    row = cursor.fetchone()
    assert (row[0], str(row[1]), row[2], row[4], row[5]) == (1, "1.50", "7 00:00:00.000", {"field0": "1", "field1": "x"}, "ab ")
    cursor.execute("CREATE TABLE made WITH (format = 'PARQUET') AS SELECT 1 AS id, 'one' AS name")
    cursor.execute("INSERT INTO made (name, id) VALUES ('two', 2), ('three', 3)")
    cursor.execute("INSERT INTO made (id) VALUES 4")
    assert cursor.execute("SELECT id, name FROM made ORDER BY id").fetchall() == [(1, "one"), (2, "two"), (3, "three"), (4, None)]
    with pytest.raises(OperationalError, match="Insert column name does not exist in target table: nosuch"):
        cursor.execute("INSERT INTO made (nosuch) VALUES 4")
    with pytest.raises(OperationalError, match="a table with that name exists"):
        cursor.execute("DROP VIEW made")
    cursor.execute("DROP TABLE made")

    words = connection.cursor(DictCursor).execute("SHOW PARTITIONS vpc_flow_logs").fetchall()
    assert words == [{"partition": "date=2020-05-04"}]

    typed = (
        "SELECT srcaddr, srcport, bytes, date, action = 'REJECT' AS rejected, from_unixtime(start) AS at, "
        "CAST(bytes AS double) / 3 AS third FROM vpc_flow_logs WHERE bytes > 0 ORDER BY bytes"
    )
    frame = connection.cursor(PandasCursor).execute(typed).as_pandas()
    assert list(frame["bytes"]) == [40, 1000] and list(frame["rejected"]) == [True, False]
    assert frame["third"][0] == pytest.approx(40 / 3)
    empty = connection.cursor(PandasCursor).execute("SELECT srcaddr FROM vpc_flow_logs WHERE bytes < 0").as_pandas()
    assert list(empty.columns) == ["srcaddr"] and len(empty) == 0
    meta = connection.cursor()
    assert [table.name for table in meta.list_table_metadata(schema_name="default")] == ["vpc_flow_logs"]
    assert meta.get_table_metadata("vpc_flow_logs", schema_name="default").partition_keys[0].name == "date"
    assert [found.name for found in meta.list_databases(catalog_name="AwsDataCatalog")] == ["default"]


def with_awswrangler():
    import awswrangler as wr
    import pandas as pd

    wr.config.athena_query_wait_polling_delay = 0.05
    bucket = wr.athena.create_athena_bucket()
    assert bucket.startswith("s3://aws-athena-query-results-")
    # Parquet has no zones.
    sql = "SELECT srcaddr, srcport, bytes, date, CAST(from_unixtime(start) AS timestamp) AS at FROM vpc_flow_logs"
    for how in (
        {"ctas_approach": False},
        {"ctas_approach": True},
        {"ctas_approach": False, "unload_approach": True, "s3_output": "s3://results/unloaded/"},
    ):
        frame = wr.athena.read_sql_query(sql, database="default", **how)
        assert sorted(frame["bytes"].dropna()) == [40, 1000], how
        assert sorted(frame["srcaddr"]) == ["-", "10.117.1.22", "10.117.1.23"], how
        assert set(map(str, frame["date"])) == {"2020-05-04"}, how
        assert str(frame["at"][0]) == "2020-05-04 00:00:00", how
    chunks = wr.athena.read_sql_query("SELECT srcaddr FROM vpc_flow_logs", database="default", ctas_approach=False, chunksize=2)
    assert sum(len(chunk) for chunk in chunks) == 3
    asked = wr.athena.read_sql_query(
        "SELECT count(*) AS n FROM vpc_flow_logs WHERE action = :action", database="default",
        params={"action": "REJECT"}, ctas_approach=False,
    )
    assert list(asked["n"]) == [1]
    whole = wr.athena.read_sql_table("vpc_flow_logs", database="default", ctas_approach=False)
    assert len(whole) == 3

    wr.catalog.create_database("wr")
    assert "wr" in wr.catalog.databases()["Database"].tolist()
    frame = pd.DataFrame({
        "srcaddr": ["10.0.0.1", "10.0.0.2", None], "bytes": [1, 2, 3], "share": [0.5, 0.25, None],
        "day": ["2024-05-01", "2024-05-01", "2024-05-02"],
    })
    made = wr.s3.to_parquet(frame, path="s3://logs/wr/flows/", dataset=True, database="wr", table="flows", partition_cols=["day"])
    assert len(made["paths"]) == 2
    assert wr.catalog.does_table_exist("wr", "flows")
    assert wr.catalog.get_table_types("wr", "flows") == {"srcaddr": "string", "bytes": "bigint", "share": "double", "day": "string"}
    assert sorted(value[0] for value in wr.catalog.get_partitions("wr", "flows").values()) == ["2024-05-01", "2024-05-02"]
    wr.s3.to_parquet(frame[:1], path="s3://logs/wr/flows/", dataset=True, mode="overwrite_partitions", database="wr", table="flows", partition_cols=["day"])
    wr.s3.to_parquet(frame.assign(port=443), path="s3://logs/wr/flows/", dataset=True, mode="append", database="wr", table="flows", partition_cols=["day"])
    sums = wr.athena.read_sql_query("SELECT day, sum(bytes) AS bytes, count(port) AS ports FROM flows GROUP BY day ORDER BY day", database="wr", ctas_approach=False)
    assert sums.values.tolist() == [["2024-05-01", 4, 2], ["2024-05-02", 6, 1]]
    wr.s3.to_csv(frame, path="s3://logs/wr/csv/", dataset=True, database="wr", table="lines", index=False)
    assert wr.athena.read_sql_query("SELECT sum(bytes) AS n FROM lines", database="wr", ctas_approach=False)["n"][0] == 6
    assert wr.catalog.tables(database="wr")["Table"].tolist() == ["flows", "lines"]
    assert wr.catalog.table(database="wr", table="flows")["Partition"].tolist().count(True) == 1
    assert wr.catalog.get_table_location("wr", "flows") == "s3://logs/wr/flows/"
    assert [found["Name"] for found in wr.catalog.search_tables(text="flows")] == ["flows"]
    wr.catalog.overwrite_table_parameters({"own": "1"}, database="wr", table="flows")
    assert wr.catalog.get_table_parameters("wr", "flows") == {"own": "1"}
    wr.athena.create_ctas_table("SELECT * FROM flows", database="wr", ctas_table="copied", wait=True)
    assert "CREATE EXTERNAL TABLE" in wr.athena.show_create_table("copied", database="wr").upper()
    assert wr.athena.describe_table("flows", database="wr")["Column Name"].tolist()[:2] == ["srcaddr", "bytes"]
    wr.athena.create_prepared_statement("SELECT count(*) AS n FROM flows WHERE day = ?", "by_day", workgroup="primary")
    assert [found["StatementName"] for found in wr.athena.list_prepared_statements("primary")] == ["by_day"]
    wr.athena.delete_prepared_statement("by_day", workgroup="primary")
    wr.athena.repair_table("flows", database="wr")
    id = wr.athena.start_query_execution("SELECT 1", database="wr")
    assert wr.athena.wait_query(id)["Status"]["State"] == "SUCCEEDED"
    assert wr.athena.get_query_execution(id)["Query"] == "SELECT 1"
    assert wr.catalog.delete_table_if_exists("wr", "copied")
    wr.catalog.delete_all_partitions("flows", "wr")
    assert wr.catalog.get_partitions("wr", "flows") == {}
    wr.catalog.delete_database("wr")
    assert "wr" not in wr.catalog.databases()["Database"].tolist()


def test_pyathena_and_awswrangler(world):
    with_pyathena()
    with_awswrangler()
