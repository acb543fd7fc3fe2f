"""Peers of the parser benchmark that are Python: `peers.py NAME FILE`."""

import sys


def flowlogs_reader(path):
    """FlowRecord of each line, as the package's own readers make it."""
    from flowlogs_reader import FlowRecord

    with open(path) as file:
        fields = tuple(name.replace("-", "_") for name in next(file).split())
        count = sum(1 for line in file if FlowRecord.from_cwl_event({"message": line.rstrip("\n")}, fields))
    print(count, "records")


def duckdb(path):
    """All 14 columns typed, in one aggregate that touches each."""
    import duckdb as db

    text, number = "VARCHAR", "BIGINT"
    columns = {
        "version": "INTEGER", "account_id": text, "interface_id": text, "srcaddr": text, "dstaddr": text,
        "srcport": "INTEGER", "dstport": "INTEGER", "protocol": "INTEGER", "packets": number, "bytes": number,
        "start": number, "end": number, "action": text, "log_status": text,
    }  # fmt: skip
    typed = [f'sum("{name}")' for name, kind in columns.items() if kind != text]
    texts = [f'sum(length("{name}"))' for name, kind in columns.items() if kind == text]
    db.sql("SET threads TO 1")
    answer = db.sql(
        f"SELECT count(*), {', '.join(typed + texts)} FROM read_csv('{path}', delim=' ', header=true, quote='', "
        f"escape='', nullstr='-', auto_detect=false, columns={columns!r})"
    ).fetchall()[0]
    print(answer[0], "records")


if __name__ == "__main__":
    {"flowlogs-reader": flowlogs_reader, "duckdb": duckdb}[sys.argv[1]](sys.argv[2])
