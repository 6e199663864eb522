"""The same columns out of every shape of the data, in the words of each peer.

A query asks for columns by the names they have in SigninLogs, with a dot for a path into a dynamic column
(`DeviceDetail.browser` is called `DeviceDetail_browser` in the query). Here stands how a good user of each tool would
read just these: declared types for JSON, nothing else parsed, folders never taken for columns.

Used by compare.py and, for polars, in the child process (see child.py).
"""

import json
import os
from pathlib import Path

TIME, TEXT, POLICIES = "time", "text", "policies"

# Column: type, and where it stands in a record of diagnostic settings.
COLUMNS = {
    "TimeGenerated": (TIME, "time"),
    "ResultType": (TEXT, "resultType"),
    "Id": (TEXT, "properties.id"),
    "UserPrincipalName": (TEXT, "properties.userPrincipalName"),
    "IPAddress": (TEXT, "properties.ipAddress"),
    "AppDisplayName": (TEXT, "properties.appDisplayName"),
    "Location": (TEXT, "location"),
    "UserAgent": (TEXT, "properties.userAgent"),
    "DeviceDetail.browser": (TEXT, "properties.deviceDetail.browser"),
    "LocationDetails.city": (TEXT, "properties.location.city"),
    "ConditionalAccessPolicies": (POLICIES, "properties.appliedConditionalAccessPolicies"),
    "Type": (TEXT, None),
}

DUCKDB = {TIME: "TIMESTAMP", TEXT: "VARCHAR", POLICIES: "STRUCT(displayName VARCHAR, result VARCHAR)[]"}
CHDB = {
    TIME: "DateTime64(7, 'UTC')",
    TEXT: "String",
    POLICIES: "Array(Tuple(displayName String, result String))",
}
# Types of what a flat record holds, for queries that want every column; objects and arrays stay JSON text.
DUCKDB_FLAT = {"time": "TIMESTAMP", "text": "VARCHAR", "bool": "BOOLEAN", "number": "DOUBLE", "json": "JSON"}
CHDB_FLAT = {
    "time": "Nullable(DateTime64(7, 'UTC'))",
    "text": "String",
    "bool": "Nullable(Bool)",
    "number": "Nullable(Float64)",
    "json": "String",
}


class NotAsked(Exception):
    """A query that no user of the tool would write over this shape."""


def alias(column: str) -> str:
    """What a column is called in a query."""
    return column.replace(".", "_")


def path_of(kind: str, column: str) -> list[str]:
    """Where a column stands in a record of a shape of JSON."""
    path = COLUMNS[column][1] if kind == "diagnostic" else column
    if path is None:
        raise NotAsked(f"{column} is not in {kind}")
    return path.split(".")


def tree(kind: str, columns: list[str]) -> dict:
    """The members of a record that the columns need: name -> members, or the type of a leaf."""
    root: dict = {}
    for column in columns:
        *parents, leaf = path_of(kind, column)
        node = root
        for name in parents:
            node = node.setdefault(name, {})
        node[leaf] = COLUMNS[column][0]
    return root


def flat_types(folder: Path) -> dict[str, str]:
    """Every member of the first record of flat JSON Lines, with its type."""
    first = min(path for path in folder.rglob("*") if path.is_file())
    with open(first, encoding="utf-8") as lines:
        record = json.loads(lines.readline())
    times = ("TimeGenerated", "CreatedDateTime", "_TimeReceived")
    return {name: "time" if name in times else flat_type(value) for name, value in record.items()}


def flat_type(value: object) -> str:
    """The type of a value; what is null in the first record is a bool in this data (IsRisky)."""
    match value:
        case None | bool():
            return "bool"
        case int() | float():
            return "number"
        case str():
            return "text"
        case _:
            return "json"


# SQL


def duckdb_relation(kind: str, folder: Path, pattern: str, columns: list[str]) -> str:
    """The columns of a folder, for the FROM of DuckDB."""
    if kind == "parquet":
        relation = f"read_parquet('{pattern}', hive_partitioning=false)"
        if not any("." in column or column == "ConditionalAccessPolicies" for column in columns):
            return relation
        return f"(SELECT {', '.join(map(duckdb_parquet_column, columns))} FROM {relation})"
    if columns == ["*"]:
        if kind != "la":
            raise NotAsked("every column of nested records")
        declared = ", ".join(f"{name}: '{DUCKDB_FLAT[type_]}'" for name, type_ in flat_types(folder).items())
        return duckdb_json(pattern, declared)
    declared = ", ".join(f"{name}: '{duckdb_type(node)}'" for name, node in tree(kind, columns).items())
    selected = ", ".join(duckdb_json_column(kind, column) for column in columns)
    return f"(SELECT {selected} FROM {duckdb_json(pattern, declared)})"


def duckdb_json(pattern: str, declared: str) -> str:
    return f"read_json('{pattern}', format='newline_delimited', hive_partitioning=false, columns={{{declared}}})"


def duckdb_type(node: dict | str) -> str:
    if isinstance(node, str):
        return DUCKDB[node]
    return f"STRUCT({', '.join(f'{name} {duckdb_type(child)}' for name, child in node.items())})"


def duckdb_json_column(kind: str, column: str) -> str:
    path = ".".join(path_of(kind, column))
    # A string of Kusto is never null.
    value = f"coalesce({path}, '')" if "." in column else path
    return f"{value} AS {alias(column)}"


def duckdb_parquet_column(column: str) -> str:
    if COLUMNS[column][0] == POLICIES:
        return f"""from_json({column}, '[{{"displayName":"VARCHAR","result":"VARCHAR"}}]') AS {column}"""
    if "." in column:
        name, _, path = column.partition(".")
        return f"coalesce(json_extract_string({name}, '$.{path}'), '') AS {alias(column)}"
    return column


def duckdb_lines(pattern: str) -> str:
    return f"read_json_objects('{pattern}', format='newline_delimited', hive_partitioning=false)"


def chdb_relation(kind: str, folder: Path, pattern: str, columns: list[str]) -> str:
    """The columns of a folder, for the FROM of ClickHouse."""
    if kind == "parquet":
        relation = f"file('{pattern}', 'Parquet')"
        if not any("." in column or column == "ConditionalAccessPolicies" for column in columns):
            return relation
        return f"(SELECT {', '.join(map(chdb_parquet_column, columns))} FROM {relation})"
    if columns == ["*"]:
        if kind != "la":
            raise NotAsked("every column of nested records")
        declared = ", ".join(f"{name} {CHDB_FLAT[type_]}" for name, type_ in flat_types(folder).items())
        return chdb_json(pattern, declared)
    declared = ", ".join(f"{name} {chdb_type(node)}" for name, node in tree(kind, columns).items())
    selected = ", ".join(f"{'.'.join(path_of(kind, column))} AS {alias(column)}" for column in columns)
    return f"(SELECT {selected} FROM {chdb_json(pattern, declared)})"


def chdb_json(pattern: str, declared: str) -> str:
    escaped = declared.replace("'", "\\'")
    return f"file('{pattern}', 'JSONEachRow', '{escaped}')"


def chdb_type(node: dict | str) -> str:
    if isinstance(node, str):
        return CHDB[node]
    return f"Tuple({', '.join(f'{name} {chdb_type(child)}' for name, child in node.items())})"


def chdb_parquet_column(column: str) -> str:
    if COLUMNS[column][0] == POLICIES:
        return f"JSONExtract(assumeNotNull({column}), '{CHDB[POLICIES]}') AS {column}"
    if "." in column:
        name, _, path = column.partition(".")
        return f"JSONExtractString(assumeNotNull({name}), '{path}') AS {alias(column)}"
    return column


def chdb_lines(pattern: str) -> str:
    return f"file('{pattern}', 'LineAsString')"


# polars


class PolarsSource:
    """What a query of polars reads."""

    def __init__(self, kind: str, pattern: str, others: str | None) -> None:
        self.kind, self.pattern, self.others_pattern = kind, pattern, others

    def signins(self, *columns: str):
        """The columns, lazily."""
        return self._scan(self.pattern, list(columns))

    def others(self, *columns: str):
        """The columns of the second table, lazily."""
        return self._scan(self.others_pattern, list(columns))

    def lines(self):
        """Whole lines as one column, `line`."""
        import polars as pl

        return pl.scan_lines(self.pattern, name="line")

    def _scan(self, pattern: str, columns: list[str]):
        import polars as pl

        if self.kind == "parquet":
            rows = pl.scan_parquet(pattern, hive_partitioning=False)
            return rows if columns == ["*"] else rows.select(polars_parquet_column(column) for column in columns)
        if columns == ["*"]:
            raise NotAsked("every column of JSON: its types must be declared one by one")
        schema = {name: polars_type(node) for name, node in tree(self.kind, columns).items()}
        rows = pl.scan_ndjson(pattern, schema=schema)
        return rows.select(polars_json_column(self.kind, column) for column in columns)


def polars_type(node: dict | str):
    import polars as pl

    if isinstance(node, dict):
        return pl.Struct({name: polars_type(child) for name, child in node.items()})
    if node == POLICIES:
        return pl.List(pl.Struct({"displayName": pl.String, "result": pl.String}))
    return pl.String


def polars_json_column(kind: str, column: str):
    import polars as pl

    name, *rest = path_of(kind, column)
    value = pl.col(name)
    for member in rest:
        value = value.struct.field(member)
    if COLUMNS[column][0] == TIME:
        value = value.str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us", time_zone="UTC")
    if "." in column:
        value = value.fill_null("")
    return value.alias(alias(column))


def polars_parquet_column(column: str):
    import polars as pl

    if COLUMNS[column][0] == POLICIES:
        return pl.col(column).str.json_decode(polars_type(POLICIES))
    if "." in column:
        name, _, path = column.partition(".")
        return pl.col(name).str.json_path_match(f"$.{path}").fill_null("").alias(alias(column))
    return pl.col(column)


def pattern_of(folder: Path, extensions: tuple[str, ...]) -> str:
    """The glob of the files of a folder, in the form that every tool takes."""
    flat = any(entry.is_file() and entry.name.endswith(extensions) for entry in os.scandir(folder))
    extension = next(
        extension for extension in extensions if flat or any(True for _ in folder.rglob(f"*{extension}"))
    )
    return f"{folder}/*{extension}" if flat else f"{folder}/**/*{extension}"
