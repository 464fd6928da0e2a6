"""Tables of cases that are every combination of some values: a few of them try every pair."""

import random
from collections.abc import Iterator, Mapping, Set
from itertools import combinations, product
from typing import Any

import pytest

Place = tuple[int, ...]
"""A combination: the number of its value in each table."""


def every_pair(*tables: Mapping[str, Any]) -> list[Any]:
    """Every combination of one named value from each table, for `pytest.mark.parametrize`.

    Those that try each pair of values once, which most mistakes need no more than (Kuhn, Wallace
    and Gallo 2004), run always; the others are slow.
    """
    places = list(product(*(range(len(table)) for table in tables)))
    quick = _covering(places)
    cases = []
    for place in places:
        names, values = zip(
            *(list(table.items())[at] for table, at in zip(tables, place, strict=True)),
            strict=True,
        )
        marks = () if place in quick else pytest.mark.slow
        cases.append(pytest.param(*values, id="-".join(names), marks=marks))
    return cases


def _covering(places: list[Place]) -> Set[Place]:
    """Combinations that have all pairs between them: each time the one with most new ones."""
    wanted = {pair for place in places for pair in _pairs(place)}
    # In a random order, always the same: in their own, the first table's values would come in turn.
    waiting = random.Random(1).sample(places, len(places))
    chosen = set()
    while wanted:
        best = max(waiting, key=lambda place: len(wanted.intersection(_pairs(place))))
        chosen.add(best)
        wanted.difference_update(_pairs(best))
    return chosen


def _pairs(place: Place) -> Iterator[tuple[tuple[int, int], ...]]:
    return combinations(enumerate(place), 2)
