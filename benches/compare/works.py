"""What is measured: the queries, over which data each is run, and the goals.

Each query has a stem; `queries/STEM.kql` is what coldcase runs (or the file of that stem in `testdata/bench`, where the
benchmarks of the library have it already), `queries/STEM.duckdb.sql`, `STEM.chdb.sql` and `STEM.polars.py` what the
peers run.
"""

from dataclasses import dataclass

# The peers that the goals speak of as "best of them". DuckDB counts as its command line and as its Python module, which
# are different versions on PyPI.
PEERS = ("duckdb", "duckdb-py", "chdb", "polars")
# What the goals do not speak of, but people use.
OTHERS = ("rg+jq",)
TOOLS = ("coldcase", *PEERS, *OTHERS)


@dataclass(frozen=True)
class Query:
    """One question, asked of every tool."""

    name: str  # as the goals call it
    stem: str  # of its files
    title: str
    check: str = "rows"  # how answers are compared: rows, count, parquet
    # The last of the first rows may be any of several that are equal in this column.
    ties: str | None = None
    # Columns that may be estimates, and by how much they may differ from an exact peer: a fraction.
    approximate: tuple[tuple[str, float], ...] = ()
    literals: tuple[str, ...] = ()  # what `rg -c` looks for as the floor
    tools: tuple[str, ...] = TOOLS  # who is asked


ACCOUNTS = ("bg-admin-01@contoso.com", "bg-admin-02@contoso.com")

QUERIES = (
    Query("Q1", "break_glass", "two accounts among all, successes, four columns", literals=ACCOUNTS),
    Query("Q1b", "break_glass_wide", "the same, all columns", literals=ACCOUNTS),
    Query("Q2", "break_glass_failures", "failures of the same accounts", literals=ACCOUNTS),
    Query("Q3", "top_users", "the busiest ten users", ties="SignIns"),
    # Estimated beyond 65,536 different values a group.
    Query("Q4", "by_hour_and_result", "count and dcount by hour and result", approximate=(("Addresses", 0.02),)),
    Query("Q5", "browsers_by_city", "filter and group by dynamic paths"),
    Query("Q6", "admins_of_a_day", "one day, and `has`"),
    Query("Q7", "spray", "password spray: dcount and make_set by address and ten minutes"),
    Query("Q8", "policies", "mv-expand of the policies"),
    Query("Q9", "success_after_failure", "failure, then success from elsewhere within an hour (join)"),
    Query("Q10", "search_address", "search in every column", literals=("203.0.113.71",)),
    Query("Q11", "latest", "the latest hundred, all columns", ties="TimeGenerated"),
    Query("Q12", "sort_all", "everything, sorted, to Parquet", check="parquet"),
    Query("Q13", "take_ten", "any ten rows", check="count"),
    Query("Q14", "two_tables", "union of two tables with a column of two types"),
    Query("Q16", "failures_by_app", "failures by application, result and country"),
    Query("Q17", "users_by_address", "make_set of users by address"),
    Query("Q18", "last_sign_ins", "arg_max of each user, all columns", ties="TimeGenerated"),
    Query("Q19", "listed_addresses", "any of 50,000 addresses"),
    # The regular expression of the peers has the words as text: built by the query, DuckDB compiles it for every row.
    Query("Q20", "tools_by_word", "any of 500 words"),
    Query("Q21", "success_within_hour", "Q9 with the person alone as key"),
    # Modules of Python have no start that would not be mostly Python's.
    Query("Q15", "start_up", "start-up", tools=("coldcase", "duckdb")),
)

ON_JSON = ("Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "Q7", "Q8", "Q10")
ON_GZIP = ("Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "Q7", "Q8")
ON_PARQUET = tuple(query.name for query in QUERIES if query.name != "Q15")
ON_VARIANTS = ("Q1", "Q1b", "Q2", "Q3", "Q6", "Q7", "Q11")
GROWTH = ("Q1", "Q1b", "Q2", "Q3", "Q4", "Q5", "Q6", "Q7", "Q8")

# Which queries are run over which data (the names are those of datasets.py), in the order of the report.
WORKS = {
    "la": (*ON_JSON[:1], "Q1b", *ON_JSON[1:], "Q13"),
    "diagnostic": ON_JSON,
    "la-gzip": ON_GZIP,
    "la-zstd": ("Q1",),
    "diagnostic-gzip": ON_GZIP,
    "parquet": ON_PARQUET,
    "parquet-unsorted": ON_VARIANTS,
    "parquet-pyarrow": ON_VARIANTS,
    "parquet-pyarrow-unsorted": ON_VARIANTS,
    "archive": ("Q1", "Q1b", "Q2", "Q3", "Q6", "Q7", "Q11"),
    "hourly": ("Q1", "Q3", "Q6", "Q13"),
    "parquet-x5": (*GROWTH, "Q9", "Q11", "Q12"),
    "none": ("Q15",),
}
# Made and measured only where --data names them.
ON_DEMAND = {
    "parquet-x5-unsorted": ON_VARIANTS,
    "parquet-pyarrow-x5": ON_VARIANTS,
    "archive-x5": ("Q1", "Q1b", "Q2", "Q3", "Q6", "Q7", "Q11"),
}
# The same data, five times the rows.
GROWTH_PAIRS = (("parquet", "parquet-x5"), ("archive", "archive-x5"), ("parquet-unsorted", "parquet-x5-unsorted"))

# Time: at most so many times what rows times five would make of it, and so many times the memory.
GROWTH_SECONDS = 5.5
GROWTH_MEMORY = 1.5

MEGABYTE = 1024 * 1024
# A peak below this is fine whatever the peer's is.
MEMORY_FREE = 100 * MEGABYTE
# Never more for a query of this list, whatever the size.
MEMORY_MOST = 300 * MEGABYTE
MEMORY_BOUNDED = ("Q1", "Q1b", "Q2", "Q3", "Q4", "Q5", "Q6")
# CPU seconds of a start.
START_CPU = 0.010


@dataclass(frozen=True)
class Goal:
    """At most `most` times the seconds of `against`: "best" (of the peers), a peer, or a floor."""

    against: str
    most: float


def goals(query: str, data: str) -> list[Goal]:
    """What a query must reach over some data; the table of the goals, row by row."""
    if data == "none":
        return [Goal("duckdb", 0.5)]
    if query == "Q13":
        return [Goal("duckdb", 0.5)]
    if data.endswith("-gzip"):
        return [Goal("gzip -dc", 0.5 if query == "Q1" else 0.7)]
    if data in ("la", "diagnostic"):
        if query in ("Q1", "Q2"):
            return [Goal("rg -c", 1.3), Goal("best", 0.3)]
        if query == "Q10":
            return [Goal("rg -c", 1.5)]
        return [Goal("best", 0.3)] if query in ON_JSON else []
    if data.endswith("-zstd"):
        return []
    if query in ("Q1", "Q1b", "Q2", "Q6"):
        return [Goal("best", 0.1 if data.startswith("archive") else 0.5)]
    if query == "Q21":
        return [Goal("best", 0.1)]
    if query in ("Q3", "Q4", "Q7", "Q9", "Q11", "Q14", "Q16", "Q17", "Q18", "Q19", "Q20"):
        return [Goal("best", 0.8)]
    return [Goal("best", 0.4)] if query in ("Q5", "Q8", "Q10") else []


def query(name: str) -> Query:
    """The query of a name."""
    return next(query for query in QUERIES if query.name == name)
