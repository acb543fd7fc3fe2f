"""Rows, and the sum of the column bytes, of all Parquet files below a folder."""

import sys

import duckdb

print(*duckdb.sql(f"SELECT count(*), sum(bytes)::HUGEINT FROM '{sys.argv[1]}/**/*.parquet'").fetchall()[0])
