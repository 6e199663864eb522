"""The data: what `coldcase synth` makes, and copies of it by other writers.

Each data set is a folder under `target/compare/data/ROWS/`, kept from run to run; beside it stands a stamp that says
what made it, and a data set whose stamp is another is made anew.
"""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from sources import COLUMNS, alias, pattern_of

EXTENSIONS = {
    "la": (".json", ".json.gz", ".json.zst"),
    "diagnostic": (".json", ".json.gz", ".json.zst"),
    "parquet": (".parquet",),
}
# Days of an archive of the full size: five-minute files for a month, hour files and Parquet for a year (8,760 hours).
# A smaller one has as many rows a file in fewer days, but the day that Q6 asks for.
DAYS = {"la": 30, "diagnostic": 365, "parquet": 365}
FULL, FEWEST = 200_000, 3
# Rows of Parquet for each row of JSON, and those of the sets that show growth.
PARQUET, GROWN = 10, 50

# Rewrites Parquet with pyarrow's writer, a row group at a time.
PYARROW = """
import sys
import pyarrow.dataset as dataset
import pyarrow.parquet as parquet
source = parquet.ParquetFile(sys.argv[1])
with parquet.ParquetWriter(sys.argv[2], source.schema_arrow, compression="zstd") as writer:
    for batch in source.iter_batches(batch_size=131072):
        writer.write_batch(batch, row_group_size=131072)
"""


@dataclass
class Dataset:
    """A folder of files in one shape."""

    name: str
    kind: str  # la, diagnostic, parquet, none
    folder: Path
    rows: int

    @property
    def pattern(self) -> str:
        """Its files as a glob."""
        return pattern_of(self.folder, EXTENSIONS[self.kind])

    def files(self) -> list[Path]:
        """Its files, in order."""
        return sorted(path for path in self.folder.rglob("*") if path.is_file() and path.name[0] not in "._")

    def bytes(self) -> int:
        """The size of its files."""
        return sum(path.stat().st_size for path in self.files())


class Store:
    """Makes data sets, and finds those that are made."""

    def __init__(self, root: Path, rows: int, seed: int, binary: Path, venv: Path, taken: dict[str, Path]) -> None:
        self.root, self.seed, self.binary, self.venv, self.taken = root / str(rows), seed, binary, venv, taken
        self.rows = rows
        self.root.mkdir(parents=True, exist_ok=True)

    def get(self, name: str) -> Dataset:
        """The data set of a name, made where it is not there."""
        if name == "none":
            return Dataset(name, "none", self.root, 0)
        kind = next((kind for kind in ("la", "diagnostic") if name.split("-")[0] == kind), "parquet")
        rows = self.rows if kind != "parquet" else self.rows * (GROWN if "x5" in name else PARQUET)
        if name in self.taken:
            return Dataset(name, kind, self.taken[name], self.counted(self.taken[name]))
        folder = self.root / name
        # Rows of a base that was taken from elsewhere are as many as it has.
        base = self.taken.get("base-x5" if "x5" in name else "base") if kind == "parquet" else None
        recipe = {"rows": rows, "seed": self.seed, "days": self.days(kind), "version": 2, "base": str(base or "synth")}
        stamp = self.root / f"{name}.stamp.json"
        if not (folder.is_dir() and stamp.exists() and json.loads(stamp.read_text()) == recipe):
            stamp.unlink(missing_ok=True)
            if folder.exists():
                shutil.rmtree(folder)
            print(f"making {name}: {rows:,} rows", file=sys.stderr)
            self.make(name, kind, folder, rows)
            stamp.write_text(json.dumps(recipe))
        return Dataset(name, kind, folder, self.counted(folder) if base else rows)

    def make(self, name: str, kind: str, folder: Path, rows: int) -> None:
        """Makes a data set; `base` and `base-x5` are what the other Parquet files are made of."""
        growth = "-x5" if "x5" in name else ""
        match name.replace("-x5", ""):
            case "base":
                self.synth("parquet", folder, rows)
            case "parquet":
                # Rows of the base are in the order in which they arrived.
                self.duckdb(folder, self.get(f"base{growth}"), "SELECT * FROM {source} ORDER BY TimeGenerated, Id")
            case "parquet-unsorted":
                self.duckdb(folder, self.get(f"base{growth}"), "SELECT * FROM {source} ORDER BY hash(Id)")
            case "parquet-pyarrow":
                self.pyarrow(folder, self.get(f"parquet{growth}"))
            case "parquet-pyarrow-unsorted":
                self.pyarrow(folder, self.get(f"parquet{growth}-unsorted"))
            case "archive":
                source = self.get(f"base{growth}").folder
                self.run(self.binary, "convert", source, "-O", folder, "--quiet")
            case "hourly":
                hours = "SELECT *, strftime(TimeGenerated::TIMESTAMP, '%Y-%m-%d-%H') AS hour FROM {source}"
                self.duckdb(folder, self.get("base"), hours, "PARTITION_BY (hour), ", threads=1)
            case "second-table":
                renamed = "'AADNonInteractiveUserSignInLogs' AS Type, 'NonInteractiveUserSignInLogs' AS Category"
                half = f"SELECT * REPLACE ({renamed}) FROM {{source}} WHERE hash(Id) % 2 = 0"
                self.duckdb(folder, self.get("base"), half)
            case _:
                packed = [f"--{name.partition('-')[2]}"] if "-" in name else []
                self.synth("la-export" if kind == "la" else kind, folder, rows, *packed)

    def days(self, kind: str) -> int:
        return min(DAYS[kind], max(FEWEST, DAYS[kind] * self.rows // FULL))

    def synth(self, shape: str, folder: Path, rows: int, *options: str) -> None:
        days = self.days("la" if shape == "la-export" else shape)
        of = ("--rows", rows, "--seed", self.seed, "--days", days, "--shape", shape)
        self.run(self.binary, "synth", "signinlogs", *of, "--out", folder, "--quiet", *options)

    def duckdb(self, folder: Path, source: Dataset, query: str, options: str = "", threads: int = 2) -> None:
        """Rows of a data set, by DuckDB's writer with its own sizes of row groups."""
        folder.mkdir(parents=True)
        target = folder if options else folder / "signins.parquet"
        rows = query.replace("{source}", f"read_parquet('{source.pattern}', hive_partitioning=false)")
        settings = f"SET TimeZone = 'UTC'; SET threads = {threads}; SET temp_directory = '{self.root}/duckdb.tmp'; "
        copy = f"COPY ({rows}) TO '{target}' (FORMAT parquet, {options}COMPRESSION zstd)"
        self.run(self.venv / "bin/duckdb", "-init", "/dev/null", "-c", settings + copy, quiet=True)

    def pyarrow(self, folder: Path, source: Dataset) -> None:
        folder.mkdir(parents=True)
        self.run(self.venv / "bin/python", "-c", PYARROW, source.files()[0], folder / "signins.parquet")

    def counted(self, folder: Path) -> int:
        """How many rows a folder has, where that is not for us to say."""
        return self.asked("SigninLogs | count", folder)["Count"]

    def spread(self, data: Dataset) -> dict[str, int]:
        """How many different values each column has that the queries read; estimated beyond 65,536."""
        if data.kind == "none":
            return {}
        counts = ", ".join(f"{alias(column)} = dcount(tostring({column}))" for column in COLUMNS if column != "Type")
        found = self.asked(f"SigninLogs | summarize {counts}", data.folder)
        elements = "mv-expand Policy = ConditionalAccessPolicies | summarize Count = dcount(tostring(Policy))"
        return found | {"elements of policies": self.asked(f"SigninLogs | {elements}", data.folder)["Count"]}

    def asked(self, query: str, folder: Path) -> dict[str, int]:
        """The only row that coldcase answers with."""
        argv = [self.binary, query, folder, "-o", "jsonl", "--quiet"]
        answer = subprocess.run(list(map(str, argv)), check=True, capture_output=True, text=True)
        return json.loads(answer.stdout)

    def run(self, *argv: object, quiet: bool = False) -> None:
        stdout = subprocess.DEVNULL if quiet else sys.stderr
        subprocess.run(list(map(str, argv)), check=True, stdout=stdout)
