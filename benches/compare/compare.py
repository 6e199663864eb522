#!/usr/bin/env python3
"""Measures coldcase against what people would use instead, over the same files, and checks that all answer the same.

Prints a Markdown report; see benches/README.md. Ends with 1 where answers differ or a tool fails.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from answers import Answer, difference
from datasets import Dataset, Store
from report import Measured, Work, report
from tools import HERE, Bench
from works import ON_DEMAND, PEERS, QUERIES, TOOLS, WORKS, Query
from works import query as query_of

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("duckdb", "duckdb-cli", "chdb", "polars", "pyarrow")
# Debian's packages of what is not in PyPI.
PROGRAMS = {"rg": "ripgrep", "jq": "jq", "gzip": "gzip", "zstd": "zstd", "xargs": "findutils"}
# A first run that takes longer is the only one.
LONG = 60.0
# A peer that takes so many times longer than the best one in its first run is not run again.
HOPELESS = 1.5


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ", ".join([*WORKS, *ON_DEMAND])
    parser.add_argument("--queries", type=listed, default=[], help="only these: Q1,Q1b,Q2")
    parser.add_argument("--tools", type=listed, default=list(TOOLS), help=f"only these of {', '.join(TOOLS)}")
    parser.add_argument("--data", type=listed, default=list(WORKS), help=f"only these of {names}")
    parser.add_argument("--rows", type=int, default=200_000, help="rows of JSON; Parquet has 10 and 50 times as many")
    parser.add_argument("--seed", type=int, default=7, help="the seed of the data")
    parser.add_argument("--runs", type=int, default=5, help="runs of which the median counts")
    parser.add_argument("--timeout", type=int, default=600, help="seconds that a run may take")
    parser.add_argument("--binary", type=Path, default=REPOSITORY / "target/release/coldcase", help="the coldcase")
    parser.add_argument("--max-memory", metavar="SIZE", help="what coldcase may take, as its own flag of this name")
    parser.add_argument(
        "--take", action="append", default=[], metavar="NAME=FOLDER",
        help="a folder of `coldcase synth` that is there already: la, la-gzip, diagnostic, ..., base (Parquet)",
    )
    parser.add_argument("-o", "--output", type=Path, help="the file of the report, besides stdout")
    return parser.parse_args()


def listed(text: str) -> list[str]:
    return [part for part in text.split(",") if part]


def main() -> int:
    options = arguments()
    check_names(options)
    missing = {program: package for program, package in PROGRAMS.items() if shutil.which(program) is None}
    if missing:
        print(f"missing: {', '.join(missing)}; apt-get install {' '.join(missing.values())}", file=sys.stderr)
        return 2
    if not options.binary.exists():
        print(f"{options.binary} is not there: cargo build --release, or --binary", file=sys.stderr)
        return 2
    root = REPOSITORY / "target/compare"
    venv = environment(root)
    taken = {name: Path(folder).resolve() for name, _, folder in (take.partition("=") for take in options.take)}
    store = Store(root / "data", options.rows, options.seed, options.binary.resolve(), venv, taken)
    cpus = sorted(os.sched_getaffinity(0))[:2]
    with tempfile.TemporaryDirectory(prefix="answers.", dir=root) as scratch:
        bench = Bench(root, Path(scratch), REPOSITORY, options.binary.resolve(), venv, options.timeout, cpus)
        bench.flags = ["--max-memory", options.max_memory] if options.max_memory else []
        floors, works = measure_all(bench, store, options)
    spreads = [(data.name, store.spread(data)) for data, _ in floors]
    text = report(machine(bench), floors, spreads, works, options.runs)
    print(text)
    if options.output:
        options.output.write_text(text)
    return verdict(works)


def check_names(options: argparse.Namespace) -> None:
    """A name that is nobody's is a mistake, not nothing."""
    known = {
        "--queries": [query.name for query in QUERIES],
        "--tools": list(TOOLS),
        "--data": [*WORKS, *ON_DEMAND],
    }
    for flag, names in known.items():
        unknown = [name for name in getattr(options, flag[2:]) if name not in names]
        if unknown:
            sys.exit(f"{flag}: no {', '.join(unknown)}; there are {', '.join(names)}")


def environment(root: Path) -> Path:
    """The virtual environment with the peers, made where it is not there."""
    venv = root / "venv"
    if not (venv / "bin/python").exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    wanted = [package for package in PACKAGES if version(venv, package) is None]
    if wanted:
        print(f"installing {', '.join(wanted)}", file=sys.stderr)
        subprocess.run([str(venv / "bin/pip"), "install", "--quiet", *wanted], check=True, stdout=sys.stderr)
    return venv


def version(venv: Path, package: str) -> str | None:
    """The version of a package in the environment."""
    code = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"
    found = subprocess.run([str(venv / "bin/python"), "-c", code, package], capture_output=True, text=True)
    return found.stdout.strip() if found.returncode == 0 else None


def measure_all(bench: Bench, store: Store, options: argparse.Namespace) -> tuple[list, list[Work]]:
    """Every query over every data set; a data set is read once before, so that all find it in memory."""
    floors, works = [], []
    for name in options.data:
        queries = (WORKS | ON_DEMAND)[name]
        wanted = [query_of(query) for query in queries if not options.queries or query in options.queries]
        if not wanted:
            continue
        data = store.get(name)
        if any(query.name == "Q14" for query in wanted):
            bench.second = store.get("second-table")
        shared = {}
        if data.kind != "none":
            bench.floors(None, data)
            shared = repeated(options.runs, lambda: bench.floors(None, data))
            floors.append((data, shared))
        for query in wanted:
            works.append(measure(bench, query, data, options))
            works[-1].shared = shared
    return floors, works


def repeated(runs: int, floors) -> dict[str, Measured]:
    """Floors, as often as everything else."""
    results = [floors() for _ in range(runs)]
    return {name: Measured([result[name] for result in results]) for name in results[0]}


def measure(bench: Bench, query: Query, data: Dataset, options: argparse.Namespace) -> Work:
    """One query over one data set: everybody once, then those that matter again."""
    print(f"{query.name} over {data.name}", file=sys.stderr, flush=True)
    asked = [tool for tool in query.tools if tool in options.tools]
    work = Work(query, data, {tool: Measured([bench.run(tool, query, data)]) for tool in asked}, {})
    for tool, measured in work.tools.items():
        if measured.problem in ("failed", "refused"):
            print(f"  {tool}: {measured.problem}: {measured.runs[0].message}", file=sys.stderr)
    compare(bench, work)
    best = work.best()
    for _ in range(options.runs - 1):
        for tool, measured in work.tools.items():
            first = measured.runs[0].seconds
            hopeless = tool in PEERS and best is not None and first > HOPELESS * best[1].runs[0].seconds
            if not measured.problem and first <= LONG and not hopeless:
                measured.runs.append(bench.run(tool, query, data))
    work.floors = repeated(options.runs, lambda: bench.floors(query, data))
    for measured in work.tools.values():
        for run in measured.runs:
            if run.output:
                run.output.unlink(missing_ok=True)
    return work


def compare(bench: Bench, work: Work) -> None:
    """Compares every answer with coldcase's, or where it has none with the first peer's."""
    answered = [tool for tool, measured in work.tools.items() if not measured.problem]
    if not answered:
        return
    first, *others = answered
    for tool in others:
        outputs = [work.tools[of].runs[0].output for of in (first, tool)]
        if work.query.check == "parquet":
            same = [str(bench.venv / "bin/python"), str(HERE / "same_parquet.py"), *map(str, outputs)]
            found = subprocess.run(same, check=True, capture_output=True, text=True).stdout.strip()
        else:
            found = difference(work.query, *map(Answer.read, outputs))
        work.agreement[tool] = found or "yes"
        if found:
            kept = ", ".join(map(str, keep(bench, outputs)))
            print(f"  {first} and {tool} differ: {found}\n  answers: {kept}", file=sys.stderr)


def keep(bench: Bench, outputs: list[Path]) -> list[Path]:
    """Copies of answers that differ, for whoever looks into it."""
    folder = bench.root / "differences"
    folder.mkdir(exist_ok=True)
    return [Path(shutil.copy2(output, folder)) for output in outputs if output.exists()]


def machine(bench: Bench) -> list[tuple[str, str]]:
    """What it was measured on, and with."""
    cpu = value_of("model name", "/proc/cpuinfo")
    memory = int(value_of("MemTotal", "/proc/meminfo").split()[0])
    rows = [
        ("processor", f"{cpu}, {os.cpu_count()} cores of which {len(bench.cpus)} are used"),
        ("memory", f"{memory / 1024 / 1024:.1f} GiB"),
        ("system", f"{platform.system()} {platform.release()}"),
        ("coldcase", " ".join([said([str(bench.binary), "--version"]), *bench.flags])),
        ("duckdb", said([str(bench.venv / "bin/duckdb"), "--version"])),
        ("duckdb-py", f"duckdb {version(bench.venv, 'duckdb')}"),
    ]
    rows += [(package, version(bench.venv, package) or "") for package in ("chdb", "polars", "pyarrow")]
    return rows + [(program, said([program, "--version"])) for program in ("rg", "jq", "gzip", "zstd")]


def value_of(name: str, path: str) -> str:
    """The first value of a name in one of the kernel's lists."""
    lines = (line.partition(":") for line in Path(path).read_text().splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() == name), "0")


def said(argv: list[str]) -> str:
    """The first line that a program says."""
    return subprocess.run(argv, capture_output=True, text=True).stdout.partition("\n")[0].strip("* ")


def verdict(works: list[Work]) -> int:
    """1 where answers differ, or somebody failed."""
    bad = [
        f"{work.query.name} over {work.data.name}: {tool} {problem}"
        for work in works
        for tool, problem in [
            *((tool, "differs") for tool, answer in work.agreement.items() if answer != "yes"),
            *((tool, "failed") for tool, measured in work.tools.items() if measured.problem == "failed"),
        ]
    ]
    for line in bad:
        print(line, file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
