"""Parquet files of ours read by pyarrow and DuckDB, and theirs read by us."""

import json
import subprocess

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import WEIR

LINES = """\
version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status
2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK
2 123456789010 eni-1235b8ca123456789 172.31.9.69 172.31.9.12 49761 3389 6 20 4249 1418530010 1418530070 REJECT OK
2 123456789010 eni-1235b8ca123456789 - - - - - - - 1431280876 1431280934 - NODATA
2 123456789010 eni-1235b8ca123456789 2001:db8::1 2001:db8::2 34892 22 6 54 9223372036854775807 1477913708 1477913820 ACCEPT OK
"""
# Types as AWS writes them.
TYPES = {
    "version": pa.int32(), "account_id": pa.string(), "interface_id": pa.string(), "srcaddr": pa.string(),
    "dstaddr": pa.string(), "srcport": pa.int32(), "dstport": pa.int32(), "protocol": pa.int32(),
    "packets": pa.int64(), "bytes": pa.int64(), "start": pa.int64(), "end": pa.int64(), "action": pa.string(),
    "log_status": pa.string(),
}  # fmt: skip


def weir(*arguments):
    done = subprocess.run([WEIR, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def ours(tmp_path):
    (tmp_path / "lines.log").write_text(LINES)
    weir("parse", tmp_path / "lines.log", "--to", tmp_path / "ours.parquet")
    return tmp_path / "ours.parquet"


def test_pyarrow_reads_ours_with_awss_types(ours):
    table = pq.read_table(ours)
    assert {field.name: field.type for field in table.schema} == TYPES
    assert all(field.nullable for field in table.schema)
    rows = table.to_pylist()
    assert [row["action"] for row in rows] == ["ACCEPT", "REJECT", None, "ACCEPT"]
    assert rows[2]["srcaddr"] is None and rows[2]["bytes"] is None
    assert rows[3]["bytes"] == 2**63 - 1
    column = pq.ParquetFile(ours).metadata.row_group(0).column(0)
    assert column.compression == "GZIP" and column.is_stats_set


def test_duckdb_reads_ours(ours):
    found = duckdb.sql(f"SELECT action, sum(packets)::BIGINT FROM '{ours}' GROUP BY action ORDER BY action").fetchall()
    assert found == [("ACCEPT", 74), ("REJECT", 20), (None, None)]


def test_pyarrows_files_come_back_as_the_same_lines(ours, tmp_path):
    table = pq.read_table(ours)
    # As some writers have it: protocol as bigint, a column missing.
    wide = table.set_column(table.schema.get_field_index("protocol"), "protocol", table["protocol"].cast(pa.int64()))
    for name, compression in (("a", "snappy"), ("b", "zstd"), ("c", "gzip"), ("d", "none")):
        pq.write_table(wide, tmp_path / f"{name}.parquet", compression=compression, row_group_size=2)
        assert weir("parse", tmp_path / f"{name}.parquet", "--output", "text") == LINES
    pq.write_table(wide.drop_columns(["bytes"]), tmp_path / "e.parquet")
    first = json.loads(weir("parse", tmp_path / "e.parquet", "--output", "json", "--raw").splitlines()[0])
    assert first.get("bytes") is None and first["packets"] == 20


def test_duckdbs_files_come_back_as_the_same_lines(ours, tmp_path):
    duckdb.sql(f"COPY (SELECT * FROM '{ours}') TO '{tmp_path}/d.parquet' (FORMAT parquet)")
    assert weir("parse", tmp_path / "d.parquet", "--output", "text") == LINES
