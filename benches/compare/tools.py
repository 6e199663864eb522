"""How each tool is asked a query, and what it took."""

import json
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import sources
from datasets import Dataset
from works import Query

HERE = Path(__file__).resolve().parent
THREADS = 2
MODULES = ("duckdb-py", "chdb", "polars")
SUFFIXES = {
    "coldcase": ".kql",
    "duckdb": ".duckdb.sql",
    "duckdb-py": ".duckdb.sql",
    "chdb": ".chdb.sql",
    "polars": ".polars.py",
    "rg+jq": ".rgjq",
}


@dataclass
class Run:
    """What one run of a tool took, or why there is none."""

    seconds: float = 0.0
    cpu: float = 0.0
    memory: int = 0
    output: Path | None = None
    problem: str | None = None  # "refused", "late", "failed", "not asked"
    message: str = ""


@dataclass
class Bench:
    """Where everything is."""

    root: Path  # target/compare
    scratch: Path  # for answers; a folder of this run alone
    repository: Path
    binary: Path
    venv: Path
    timeout: int
    cpus: list[int]
    second: Dataset | None = None
    flags: list[str] = field(default_factory=list)  # more for coldcase

    def query_file(self, tool: str, query: Query, kind: str) -> Path | None:
        """The text of a query for a tool; one for a shape before one for all."""
        suffix = SUFFIXES[tool]
        candidates = [HERE / "queries" / f"{query.stem}.{kind}{suffix}", HERE / "queries" / f"{query.stem}{suffix}"]
        if tool == "coldcase":
            candidates.append(self.repository / "testdata/bench" / f"{query.stem}.kql")
        return next((path for path in candidates if path.exists()), None)

    def run(self, tool: str, query: Query, data: Dataset) -> Run:
        """Asks a tool once."""
        path = self.query_file(tool, query, data.kind)
        if path is None:
            return Run(problem="not asked", message="there is no such query")
        extension = "parquet" if query.check == "parquet" else "jsonl"
        output = self.scratch / f"{data.name}.{query.name}.{tool}.{extension}"
        output.unlink(missing_ok=True)
        try:
            argv, stdout = self.command(tool, query, data, path, output)
        except sources.NotAsked as reason:
            return Run(problem="not asked", message=str(reason))
        report = self.scratch / "report.json"
        run = self.measure(argv, report if tool in MODULES else stdout)
        run.output = output
        if tool in MODULES and run.problem is None:
            reported = json.loads(report.read_text().splitlines()[-1])
            if "not asked" in reported:
                return Run(problem="not asked", message=reported["not asked"])
            run.seconds, run.cpu = reported["seconds"], reported["cpu"]
        return run

    def command(self, tool: str, query: Query, data: Dataset, path: Path, output: Path) -> tuple[list[str], Path]:
        """What is run, and where its stdout goes."""
        null = Path(os.devnull)
        match tool:
            case "coldcase":
                argv = [str(self.binary), "--quiet", "--threads", str(THREADS), *self.flags, "-f", str(path)]
                if query.name == "Q14":
                    argv += ["-t", f"SigninLogs={data.folder}"]
                    argv += ["-t", f"AADNonInteractiveUserSignInLogs={self.second.folder}"]
                elif data.kind != "none":
                    argv.append(str(data.folder))
                if query.check == "parquet":
                    return [*argv, "-O", str(output)], null
                return [*argv, "-o", "jsonl"], output
            case "duckdb":
                settings = f"SET threads = {THREADS}; SET TimeZone = 'UTC'; "
                sql = settings + self.filled(tool, query, data, path, output)
                stdout = null if query.check == "parquet" else output
                return [str(self.venv / "bin/duckdb"), "-init", "/dev/null", "-jsonlines", "-c", sql], stdout
            case "rg+jq":
                return ["sh", "-c", rg_jq(query, data, path)], output
        job = self.scratch / "job.json"
        job.write_text(json.dumps(self.job(tool, query, data, path, output)))
        os.environ["POLARS_MAX_THREADS"] = str(THREADS)
        return [str(self.venv / "bin/python"), str(HERE / "child.py"), str(job)], null

    def job(self, tool: str, query: Query, data: Dataset, path: Path, output: Path) -> dict:
        """What child.py is told."""
        python = tool == "polars"
        return {
            "tool": tool,
            "threads": THREADS,
            "path": str(path),
            "query": path.read_text() if python else self.filled(tool, query, data, path, output),
            "relation": "" if python or data.kind == "none" else self.relation(tool, data, columns_of(path)),
            "kind": data.kind,
            "pattern": "" if data.kind == "none" else data.pattern,
            "others": self.second.pattern if self.second else None,
            "output": str(output),
            "parquet": query.check == "parquet",
        }

    def filled(self, tool: str, query: Query, data: Dataset, path: Path, output: Path) -> str:
        """A query of SQL with what it reads and writes."""
        text = "\n".join(line for line in path.read_text().splitlines() if not line.startswith("--"))
        text = text.replace("{output}", str(output)).strip()
        columns = columns_of(path)
        if "{lines}" in text:
            lines = sources.duckdb_lines if tool.startswith("duckdb") else sources.chdb_lines
            text = text.replace("{lines}", lines(data.pattern))
        if "{signins}" in text:
            text = text.replace("{signins}", self.relation(tool, data, columns))
        if "{others}" in text:
            text = text.replace("{others}", self.relation(tool, self.second, columns))
        return text

    def relation(self, tool: str, data: Dataset, columns: list[str]) -> str:
        if columns == ["lines"]:
            return ""
        relation = sources.duckdb_relation if tool.startswith("duckdb") else sources.chdb_relation
        return relation(data.kind, data.folder, data.pattern, columns)

    def measure(self, argv: list[str], stdout: Path) -> Run:
        """Runs a command with the threads and the time that everybody has."""
        errors = self.scratch / "stderr.txt"
        cpus = ",".join(map(str, self.cpus))
        launcher = [sys.executable, "-I", "-S", str(HERE / "measure.py"), str(self.timeout), cpus]
        command = [*launcher, str(stdout), str(errors), *argv]
        taken = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        run = Run(seconds=taken["seconds"], cpu=taken["cpu"], memory=taken["memory"])
        if taken["late"]:
            run.problem = "late"
        elif taken["status"] != 0:
            run.message = errors.read_text(errors="replace").strip()[-2000:]
            # Exit code 4: not supported yet.
            refused = argv[0] == str(self.binary) and taken["status"] == 4
            run.problem = "refused" if refused else "failed"
        return run

    def floors(self, query: Query | None, data: Dataset) -> dict[str, Run]:
        """What it takes to read the bytes, to look for a text in them, to unpack them."""
        if data.kind == "none":
            return {}
        files = data.files()
        listed = self.scratch / "files.list"
        listed.write_bytes(b"\0".join(str(path).encode() for path in files))
        commands = {}
        if query is None:
            half = -(-len(files) // 2)
            # The lists are long: xargs starts cat many times over, but there are never more than two at once.
            commands["cat"] = f"xargs -0 cat < {listed} > /dev/null"
            if files[0].suffix == ".json":
                commands["wc -l"] = f"xargs -0 cat < {listed} | wc -l"
            if files[0].suffix == ".gz":
                commands["gzip -dc"] = f"xargs -0 -P 2 -n {half} gzip -dc < {listed} > /dev/null"
            if files[0].suffix == ".zst":
                commands["zstd -dc"] = f"xargs -0 -P 2 -n {half} zstd -qdc < {listed} > /dev/null"
        elif query.literals and files[0].suffix == ".json":
            commands["rg -c"] = f"rg -c {rg(query.literals, data)}"
        return {
            name: self.measure(["sh", "-c", f"{command} || [ $? -eq 1 ]"], Path(os.devnull))
            for name, command in commands.items()
        }


def rg(literals: tuple[str, ...], data: Dataset) -> str:
    """What ripgrep is told: these texts as they are, in every file, on as many threads as everybody has."""
    patterns = " ".join(f"-e {shlex.quote(literal)}" for literal in literals)
    return f"-uuu -a -F -j {THREADS} {patterns} {shlex.quote(str(data.folder))}"


def rg_jq(query: Query, data: Dataset, path: Path) -> str:
    """Lines that have a name, through jq."""
    unpack = "-z " if data.name.endswith(("-gzip", "-zstd")) else ""
    return f"rg {unpack}-I -N {rg(query.literals, data)} | jq -c -f {shlex.quote(str(path))}"


def columns_of(path: Path) -> list[str]:
    """The columns that a query of SQL asks for, in its first line."""
    first = path.read_text().partition("\n")[0]
    _, marked, columns = first.partition("-- columns: ")
    return [column.strip() for column in columns.split(",")] if marked else []
