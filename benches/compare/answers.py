"""Whether two answers are the same.

Every tool writes JSON Lines. Rows are compared as a multiset, in a form that leaves out what the tools' formats differ
in: how times are written, whether 1 is 1.0, whether a column without a value is null, "" or not there (a string of
Kusto is never null), whether a dynamic value is JSON or its text, and the order of what a set holds.
"""

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from works import Query

TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:Z|[+-]00(?::?00)?)?")


def canonical(value: object) -> object:
    """A value in the one form that is compared."""
    match value:
        case bool():
            return value
        case int():
            return value
        case float():
            return int(value) if value.is_integer() else float(f"{value:.12g}")
        case str():
            return canonical_text(value)
        case list():
            # What make_set answers has no order.
            return sorted((canonical(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
        case dict():
            return {name: canonical(item) for name, item in value.items()}
    return value


def canonical_text(text: str) -> object:
    """Times, and JSON as text."""
    if time := TIME.fullmatch(text):
        day, hour, fraction = time.groups()
        # Peers have microseconds at most.
        return f"{day}T{hour}.{(fraction or '')[:6].rstrip('0')}"
    if text[:1] in ("{", "["):
        try:
            return canonical(json.loads(text))
        except ValueError:
            return text
    return text


def canonical_row(row: dict) -> str:
    """A row as text, without what is empty."""
    cells = {name: canonical(value) for name, value in row.items() if value is not None and value != ""}
    return json.dumps(cells, sort_keys=True, ensure_ascii=False)


@dataclass
class Answer:
    """The rows of an answer."""

    rows: list[dict]

    @classmethod
    def read(cls, path: Path) -> "Answer":
        """JSON Lines; a file that is not there is an answer without rows."""
        if not path.exists():
            return cls([])
        with open(path, encoding="utf-8") as lines:
            return cls([json.loads(line) for line in lines if line.strip()])


def difference(query: Query, ours: Answer, theirs: Answer) -> str | None:
    """Why two answers are not the same, with their first rows that differ; nothing where they are."""
    if len(ours.rows) != len(theirs.rows):
        return f"{len(ours.rows)} rows, and {len(theirs.rows)}\n{first_rows(query, ours, theirs)}"
    if query.check == "count":
        return None
    if query.ties:
        return tied_difference(query, ours, theirs)
    return rows_difference(ours.rows, theirs.rows, query.approximate)


def tied_difference(query: Query, ours: Answer, theirs: Answer) -> str | None:
    """Top rows: the column must be the same everywhere, the rows wherever no other row could stand in their place."""
    if not ours.rows:
        return None
    column = query.ties
    last = {json.dumps(canonical(row[column])) for row in (ours.rows[-1], theirs.rows[-1])}
    columns = rows_difference(
        [{column: row[column]} for row in ours.rows], [{column: row[column]} for row in theirs.rows], ()
    )
    certain = [
        [row for row in answer.rows if json.dumps(canonical(row[column])) not in last] for answer in (ours, theirs)
    ]
    return columns or rows_difference(*certain, query.approximate)


def rows_difference(ours: list[dict], theirs: list[dict], approximate: tuple[tuple[str, float], ...]) -> str | None:
    left, right = (Counter(map(canonical_row, rows)) for rows in (ours, theirs))
    only_left, only_right = left - right, right - left
    if not only_left and not only_right:
        return None
    if approximate and within(approximate, only_left, only_right):
        return None
    return "\n".join(
        f"    {side}: {row[:2000]}"
        for side, rows in (("ours  ", only_left), ("theirs", only_right))
        for row in sorted(rows)[:2]
    )


def within(approximate: tuple[tuple[str, float], ...], ours: Counter, theirs: Counter) -> bool:
    """Whether rows that differ do so in estimates alone, and by little."""
    names = {name for name, _ in approximate}

    def by_key(rows: Counter) -> dict[str, dict]:
        parsed = [json.loads(row) for row in rows.elements()]
        return {json.dumps({k: v for k, v in row.items() if k not in names}, sort_keys=True): row for row in parsed}

    left, right = by_key(ours), by_key(theirs)
    return left.keys() == right.keys() and all(
        abs(float(left[key].get(name, 0)) - float(right[key].get(name, 0))) <= most * float(right[key].get(name, 0))
        for key in left
        for name, most in approximate
    )


def first_rows(query: Query, ours: Answer, theirs: Answer) -> str:
    """What is in one answer alone, at most two rows of each."""
    return "" if query.check == "count" else rows_difference(ours.rows, theirs.rows, ()) or ""
