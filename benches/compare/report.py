"""The table in Markdown."""

from dataclasses import dataclass, field
from statistics import median

from datasets import Dataset
from tools import Run
from works import (
    GROWTH_MEMORY,
    GROWTH_PAIRS,
    GROWTH_SECONDS,
    MEGABYTE,
    MEMORY_BOUNDED,
    MEMORY_FREE,
    MEMORY_MOST,
    PEERS,
    START_CPU,
    TOOLS,
    Goal,
    Query,
    goals,
)


@dataclass
class Measured:
    """All runs of one tool in one work."""

    runs: list[Run]

    @property
    def problem(self) -> str | None:
        return next((run.problem for run in self.runs if run.problem), None)

    @property
    def seconds(self) -> float:
        return median(run.seconds for run in self.runs)

    @property
    def cpu(self) -> float:
        return median(run.cpu for run in self.runs)

    @property
    def memory(self) -> int:
        return int(median(run.memory for run in self.runs))

    def text(self) -> str:
        """Its seconds, or why there are none."""
        return self.problem or format_seconds(self.seconds)


@dataclass
class Work:
    """One query over one data set, by every tool."""

    query: Query
    data: Dataset
    tools: dict[str, Measured]
    floors: dict[str, Measured]
    agreement: dict[str, str] = field(default_factory=dict)  # tool: yes, or the difference
    shared: dict[str, Measured] = field(default_factory=dict)  # floors of the data, which all its queries have

    def best(self) -> tuple[str, Measured] | None:
        """The quickest peer of those that the goals speak of."""
        peers = [(tool, self.tools[tool]) for tool in PEERS if tool in self.tools and not self.tools[tool].problem]
        return min(peers, key=lambda peer: peer[1].seconds, default=None)

    def ours(self) -> Measured | None:
        measured = self.tools.get("coldcase")
        return measured if measured and not measured.problem else None

    def against(self, goal: Goal) -> Measured | None:
        """What a goal compares with."""
        if goal.against == "best":
            best = self.best()
            return best[1] if best else None
        measured = self.tools.get(goal.against) or self.floors.get(goal.against) or self.shared.get(goal.against)
        return measured if measured and not measured.problem else None


def format_seconds(seconds: float) -> str:
    return f"{seconds:.3f}" if seconds < 1 else f"{seconds:.2f}" if seconds < 100 else f"{seconds:.0f}"


def format_memory(memory: int) -> str:
    return f"{memory / MEGABYTE:.0f}"


def mark(reached: bool) -> str:
    return "yes" if reached else "**no**"


def time_goals(work: Work) -> list[str]:
    """Each goal of a work with its ratio."""
    ours = work.ours()
    cells = []
    for goal in goals(work.query.name, work.data.name):
        other = work.against(goal)
        if ours is None or other is None:
            cells.append(f"{goal.most} of {goal.against}: not measured")
        else:
            ratio = ours.seconds / other.seconds
            cells.append(f"{goal.most} of {goal.against}: {ratio:.2f}, {mark(ratio <= goal.most)}")
    if work.query.name == "Q15" and ours:
        cells.append(f"{START_CPU * 1000:.0f} ms of CPU: {ours.cpu * 1000:.1f}, {mark(ours.cpu <= START_CPU)}")
    return cells


def memory_goal(work: Work) -> str:
    """Never more than DuckDB's command line, or little; bounded for some."""
    ours, duckdb = work.ours(), work.tools.get("duckdb")
    if ours is None or duckdb is None or duckdb.problem:
        return ""
    reached = ours.memory <= max(duckdb.memory, MEMORY_FREE)
    if work.query.name in MEMORY_BOUNDED:
        reached = reached and ours.memory <= MEMORY_MOST
    return mark(reached)


def agreement(work: Work) -> str:
    """Who was compared, and whether all are of one mind."""
    if not work.agreement:
        return "nobody to compare with"
    differing = [tool for tool, answer in work.agreement.items() if answer != "yes"]
    if differing:
        return f"**no: {', '.join(differing)}**"
    return f"yes ({len(work.agreement)})"


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [
        f"| {' | '.join(head)} |",
        f"|{' --- |' * len(head)}",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
    ]


def goals_table(works: list[Work]) -> list[str]:
    """coldcase against the best peer."""
    head = ["query", "data", "coldcase s", "best peer s", "ratio", "goals", "MB", "DuckDB MB", "MB goal", "agree"]
    rows = []
    for work in works:
        ours, best, duckdb = work.tools.get("coldcase"), work.best(), work.tools.get("duckdb")
        measured = work.ours()
        rows.append([
            work.query.name,
            work.data.name,
            ours.text() if ours else "",
            f"{format_seconds(best[1].seconds)} ({best[0]})" if best else "",
            f"{measured.seconds / best[1].seconds:.2f}" if measured and best else "",
            "; ".join(time_goals(work)),
            format_memory(measured.memory) if measured else "",
            format_memory(duckdb.memory) if duckdb and not duckdb.problem else "",
            memory_goal(work),
            agreement(work),
        ])
    return table(head, rows)


def tools_table(works: list[Work]) -> list[str]:
    """Every tool's seconds and memory; how many runs the number is the median of."""
    rows = []
    for work in works:
        cells = []
        for tool in TOOLS:
            measured = work.tools.get(tool)
            if measured is None or measured.problem:
                cells.append(measured.problem or "" if measured else "")
            else:
                cells.append(f"{measured.text()} / {format_memory(measured.memory)} ({len(measured.runs)})")
        floors = ", ".join(f"`{name}` {floor.text()}" for name, floor in work.floors.items())
        rows.append([work.query.name, work.data.name, *cells, floors])
    return table(["query", "data", *TOOLS, "floors"], rows)


def growth_table(works: list[Work]) -> list[str]:
    """What five times the rows take."""
    by_name = {(work.data.name, work.query.name): work for work in works}
    rows = []
    for small, large in GROWTH_PAIRS:
        for (data, query), work in by_name.items():
            grown = by_name.get((large, query))
            if data != small or grown is None or not work.ours() or not grown.ours():
                continue
            before, after = work.ours(), grown.ours()
            # Against what the rows say, should they not be exactly five times as many.
            scale = grown.data.rows / work.data.rows / 5
            seconds, memory = after.seconds / before.seconds, after.memory / before.memory
            reached = seconds <= GROWTH_SECONDS * scale and memory <= GROWTH_MEMORY
            rows.append([query, f"{small} to {large}", f"{seconds:.2f}", f"{memory:.2f}", mark(reached)])
    if not rows:
        return []
    goal = f"at most {GROWTH_SECONDS} times the time, {GROWTH_MEMORY} times the memory"
    return ["## Growth", "", f"Rows times five: {goal}.", "", *table(["query", "data", "time", "memory", goal], rows)]


def data_table(floors: list[tuple[Dataset, dict[str, Measured]]]) -> list[str]:
    """The data, and what it takes to read it at all."""
    rows = []
    for data, measured in floors:
        took = ", ".join(f"`{name}` {floor.text()}" for name, floor in measured.items())
        rows.append([data.name, f"{data.rows:,}", f"{len(data.files()):,}", f"{data.bytes() / 1e6:,.0f}", took])
    return table(["data", "rows", "files", "MB", "floors, seconds"], rows)


def spread_table(spreads: list[tuple[str, dict[str, int]]]) -> list[str]:
    """How many different values the columns have that the queries read."""
    columns = list(dict.fromkeys(column for _, spread in spreads for column in spread))
    rows = [[name, *(f"{spread.get(column, 0):,}" for column in columns)] for name, spread in spreads]
    return table(["different values", *columns], rows) if rows else []


def report(
    machine: list[tuple[str, str]],
    floors: list[tuple[Dataset, dict[str, Measured]]],
    spreads: list[tuple[str, dict[str, int]]],
    works: list[Work],
    runs: int,
) -> str:
    """The whole report."""
    lines = ["# coldcase and what people would use instead", ""]
    lines += table(["machine", ""], [list(row) for row in machine])
    lines += [
        f"Seconds are medians of {runs} whole processes, for Python modules of the query without the import;"
        " MB are peak resident memory. Compare within this report only.",
        "",
        *goals_table(works),
        *growth_table(works),
        "## Data",
        "",
        *data_table(floors),
        *spread_table(spreads),
        "## Every tool",
        "",
        "Seconds / peak MB (runs). A peer that is clearly not the best is run once.",
        "",
        *tools_table(works),
    ]
    return "\n".join(lines)
