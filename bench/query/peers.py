"""One query by a peer; prints CSV as weir query does.

python peers.py duckdb|polars|chdb|datafusion Q1|Q2|Q3 PATH
"""

import glob
import os
import sys

NUMBERS = {"version", "srcport", "dstport", "protocol", "packets", "bytes", "start", "end"}
NAMES = (
    "version account_id interface_id srcaddr dstaddr srcport dstport protocol packets bytes start end action log_status"
).split()


def files(path):
    return sorted(glob.glob(f"{path}/**/*.gz", recursive=True)) if os.path.isdir(path) else [path]


def relation(path):
    if path.endswith(".parquet"):
        return f"read_parquet('{path}')"
    columns = ", ".join(f"'{name}': '{'BIGINT' if name in NUMBERS else 'VARCHAR'}'" for name in NAMES)
    return (
        f"read_csv({files(path)}, delim=' ', header=true, auto_detect=false, quote='', escape='', nullstr='-', "
        f"columns={{{columns}}})"
    )


def to_parquet(text, parquet):
    import duckdb

    duckdb.sql(f"COPY (SELECT * FROM {relation(text)}) TO '{parquet}' (FORMAT parquet, COMPRESSION zstd)")


DUCKDB = {
    "Q1": "SELECT srcaddr, sum(bytes)::BIGINT AS bytes FROM {} WHERE action = 'REJECT' "
    "GROUP BY srcaddr ORDER BY bytes DESC, srcaddr LIMIT 10",
    "Q2": "SELECT start - start % 300 AS bin, sum(bytes)::BIGINT AS bytes FROM {} GROUP BY 1 ORDER BY 1",
    "Q3": "SELECT dstport, count(DISTINCT srcaddr) AS sources FROM {} GROUP BY dstport "
    "ORDER BY sources DESC, dstport NULLS LAST LIMIT 10",
}


def by_duckdb(query, path):
    import duckdb

    result = duckdb.sql(DUCKDB[query].format(relation(path)))
    return result.columns, result.fetchall()


def by_polars(query, path):
    import polars

    if path.endswith(".parquet"):
        frame = polars.scan_parquet(path)
    else:
        schema = {name: polars.Int64 if name in NUMBERS else polars.String for name in NAMES}
        # The header's names have hyphens: columns are named here.
        frame = polars.scan_csv(
            files(path), separator=" ", has_header=False, skip_rows=1, schema=schema, null_values="-", quote_char=None
        )
    column = polars.col
    if query == "Q1":
        frame = frame.filter(column("action") == "REJECT").group_by("srcaddr").agg(column("bytes").sum())
        frame = frame.sort(["bytes", "srcaddr"], descending=[True, False]).limit(10)
    elif query == "Q2":
        bin_of = (column("start") - column("start") % 300).alias("bin")
        frame = frame.group_by(bin_of).agg(column("bytes").sum()).sort("bin")
    else:
        frame = frame.group_by("dstport").agg(column("srcaddr").drop_nulls().n_unique().alias("sources"))
        frame = frame.sort(["sources", "dstport"], descending=[True, False], nulls_last=True).limit(10)
    result = frame.collect(engine="streaming")
    return result.columns, result.rows()


def by_chdb(query, path):
    """ClickHouse in the process. Its CSV takes no blank as delimiter."""
    import json

    import chdb

    if path.endswith(".parquet"):
        source = f"file('{path}', 'Parquet')"
    else:
        columns = ", ".join(f"`{name}` Nullable({'Int64' if name in NUMBERS else 'String'})" for name in NAMES)
        place = f"{path}/**/*.gz" if os.path.isdir(path) else path
        source = f"file('{place}', 'CustomSeparatedWithNames', '{columns}')"
    settings = {
        "format_custom_escaping_rule": "'CSV'", "format_custom_field_delimiter": "' '",
        "format_csv_null_representation": "'-'", "input_format_with_names_use_header": 0,
    }  # fmt: skip
    sql = DUCKDB[query].replace("sum(bytes)::BIGINT", "sum(bytes)").format(source)
    sql += " SETTINGS " + ", ".join(f"{name} = {value}" for name, value in settings.items())
    result = json.loads(str(chdb.query(sql, "JSONCompact")))
    rows = [[value if value is None or name == "srcaddr" else int(value)
             for name, value in zip((c["name"] for c in result["meta"]), row)] for row in result["data"]]  # fmt: skip
    return [column["name"] for column in result["meta"]], rows


def by_datafusion(query, path):
    """Parquet only: the reader of CSV takes no `-` for a missing number."""
    import datafusion

    context = datafusion.SessionContext()
    context.register_parquet("flows", path)
    frame = context.sql(DUCKDB[query].format("flows"))
    rows = [row for batch in frame.collect() for row in zip(*(column.to_pylist() for column in batch.columns))]
    return frame.schema().names, rows


def main():
    program, query, path = sys.argv[1:]
    columns, rows = {"duckdb": by_duckdb, "polars": by_polars, "chdb": by_chdb, "datafusion": by_datafusion}[program](query, path)
    print(",".join(columns))
    for row in rows:
        print(",".join("" if value is None else str(value) for value in row))


if __name__ == "__main__":
    main()
