"""Tests of what decides whether answers agree: `python3 -m unittest discover benches/compare`."""

import json
import tempfile
import unittest
from pathlib import Path

from answers import Answer, canonical_row, difference
from tools import SUFFIXES
from works import ON_DEMAND, QUERIES, WORKS, Query

PLAIN = Query("T", "t", "")


def answer(*rows: dict) -> Answer:
    return Answer(list(rows))


class Canonical(unittest.TestCase):
    def same(self, left: object, right: object) -> None:
        self.assertEqual(canonical_row({"a": left}), canonical_row({"a": right}))

    def test_forms_of_one_value(self) -> None:
        self.same("2026-03-04T19:39:01.8033450Z", "2026-03-04 19:39:01.803345")
        self.same("2026-03-04T19:00:00Z", "2026-03-04 19:00:00+00")
        self.same(1, 1.0)
        self.same("", None)
        self.same({"city": "Bern"}, '{"city": "Bern"}')
        self.same(["b", "a"], ["a", "b"])

    def test_other_values(self) -> None:
        for left, right in [("0", 0), (1, 2), ("a", "A"), (0, None), (False, None), ({"a": 1}, {"b": 1}), (True, 1)]:
            self.assertNotEqual(canonical_row({"a": left}), canonical_row({"a": right}))
        self.assertNotEqual(
            canonical_row({"a": "2026-03-04T19:39:01.1Z"}), canonical_row({"a": "2026-03-04T19:39:01.2Z"})
        )
        # An offset is another time, or at least not for us to say.
        self.assertNotEqual(
            canonical_row({"a": "2026-03-04T19:39:01Z"}), canonical_row({"a": "2026-03-04T19:39:01+01:00"})
        )


class Difference(unittest.TestCase):
    def test_order_is_nothing_and_number_of_rows_is(self) -> None:
        self.assertIsNone(difference(PLAIN, answer({"a": 1}, {"a": 2}), answer({"a": 2}, {"a": 1})))
        self.assertIsNotNone(difference(PLAIN, answer({"a": 1}, {"a": 1}), answer({"a": 1})))
        self.assertIsNotNone(difference(PLAIN, answer({"a": 1}, {"a": 1}), answer({"a": 1}, {"a": 2})))

    def test_rows_that_tie_with_the_last(self) -> None:
        top = Query("T", "t", "", ties="n")
        ours = answer({"k": "a", "n": 3}, {"k": "b", "n": 1})
        self.assertIsNone(difference(top, ours, answer({"k": "a", "n": 3}, {"k": "c", "n": 1})))
        self.assertIsNotNone(difference(top, ours, answer({"k": "c", "n": 3}, {"k": "b", "n": 1})))
        self.assertIsNotNone(difference(top, ours, answer({"k": "a", "n": 3}, {"k": "b", "n": 2})))

    def test_estimates(self) -> None:
        about = Query("T", "t", "", approximate=(("n", 0.02),))
        ours = answer({"k": "a", "n": 100000})
        self.assertIsNone(difference(about, ours, answer({"k": "a", "n": 101000})))
        self.assertIsNotNone(difference(about, ours, answer({"k": "a", "n": 110000})))
        self.assertIsNotNone(difference(about, ours, answer({"k": "b", "n": 100000})))

    def test_a_file_that_is_not_there_has_no_rows(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "answer.jsonl"
            self.assertEqual(Answer.read(path).rows, [])
            path.write_text(json.dumps({"a": 1}) + "\n")
            self.assertEqual(Answer.read(path).rows, [{"a": 1}])


class Works(unittest.TestCase):
    def test_names(self) -> None:
        names = {query.name for query in QUERIES}
        for data, queries in (WORKS | ON_DEMAND).items():
            self.assertLessEqual(set(queries), names, data)

    def test_every_query_is_written_for_the_database_peers(self) -> None:
        folder = Path(__file__).resolve().parent / "queries"
        for query in QUERIES:
            for tool in set(query.tools) & {"duckdb", "chdb", "polars"}:
                self.assertTrue((folder / f"{query.stem}{SUFFIXES[tool]}").exists(), f"{query.stem} for {tool}")
