"""Runs one query with a peer that is a Python module, in the virtual environment.

The time of importing the module is not counted: what is reported is the query alone, from its text to the answer's
file. Usage: child.py JOB, a JSON file (see tools.py).
"""

import json
import os
import sys
import time
from pathlib import Path

from sources import NotAsked, PolarsSource

CHDB_SETTINGS = (
    "max_threads = {threads}, use_hive_partitioning = 0, date_time_input_format = 'best_effort', "
    "output_format_json_quote_64bit_integers = 0, session_timezone = 'UTC', engine_file_truncate_on_insert = 1, "
    "input_format_json_read_objects_as_strings = 1, input_format_json_read_arrays_as_strings = 1, "
    "output_format_parquet_compression_method = 'zstd'"
)


def duckdb(job: dict):
    import duckdb

    def run() -> None:
        connection = duckdb.connect(config={"threads": job["threads"]})
        connection.execute("SET TimeZone = 'UTC'")
        sql = job["query"]
        if not sql.lstrip().startswith("COPY"):
            sql = f"COPY ({sql}) TO '{job['output']}' (FORMAT json)"
        connection.execute(sql)

    return run


def chdb(job: dict):
    import chdb

    settings = CHDB_SETTINGS.format(threads=job["threads"])

    def run() -> None:
        sql = job["query"]
        if "{texts}" in sql:
            columns = chdb.query(f"DESCRIBE TABLE {job['relation']} SETTINGS {settings}", "JSONEachRow")
            described = [json.loads(line) for line in columns.data().splitlines()]
            texts = [column["name"] for column in described if "String" in column["type"]]
            sql = sql.replace("{texts}", ", ".join(f"ifNull({name}, '')" for name in texts))
        answer = chdb.query(f"{sql} SETTINGS {settings}", "JSONEachRow")
        if "INSERT INTO" not in sql:
            Path(job["output"]).write_bytes(answer.bytes())

    return run


def polars(job: dict):
    import polars as pl

    source = PolarsSource(job["kind"], job["pattern"], job["others"])

    def run() -> None:
        names = {"pl": pl, "source": source}
        exec(compile(job["query"], job["path"], "exec"), names)
        if job["parquet"]:
            names["answer"].sink_parquet(job["output"], compression="zstd")
        else:
            names["answer"].collect(engine="streaming").write_ndjson(job["output"])

    return run


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text())
    os.environ["POLARS_MAX_THREADS"] = str(job["threads"])
    run = {"duckdb-py": duckdb, "chdb": chdb, "polars": polars}[job["tool"]](job)
    started, cpu = time.monotonic(), time.process_time()
    try:
        run()
    except NotAsked as reason:
        print(json.dumps({"not asked": str(reason)}))
        return
    print(json.dumps({"seconds": time.monotonic() - started, "cpu": time.process_time() - cpu}), flush=True)
    # The end of the process is not the query's.
    os._exit(0)


main()
