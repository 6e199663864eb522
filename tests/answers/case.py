"""One published query, data for it, and its independent answer."""

from dataclasses import dataclass
from typing import Callable


class Bag(list):
    """A list whose order the language leaves open, as that of make_set."""


@dataclass(frozen=True)
class Case:
    """`records` makes rows from a random.Random; `answer` computes the expected rows from them.

    An expected row names each column that is neither null nor empty. Times and timespans are ticks.
    """

    query: str
    records: Callable
    answer: Callable
    ordered: bool = False
