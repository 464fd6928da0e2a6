"""Of the cases that run always, every pair of values is tried; of all cases, every combination."""

from itertools import combinations, product

import pytest

from pairwise import every_pair


@pytest.mark.parametrize(
    ("sizes", "most"), [((3,), 3), ((2, 5), 10), ((4, 4, 6), 26), ((3, 3, 6, 2), 20)]
)
def test_every_pair_is_tried_and_every_combination_is_there(sizes, most):
    tables = [
        {f"{table}{at}": (table, at) for at in range(size)} for table, size in enumerate(sizes)
    ]
    cases = every_pair(*tables)
    values = [tuple(case.values) for case in cases]
    assert sorted(values) == sorted(product(*(table.values() for table in tables)))
    assert [case.id for case in cases] == ["-".join(names) for names in product(*tables)]
    quick = [tuple(case.values) for case in cases if not case.marks]
    assert all(mark.name == "slow" for case in cases for mark in case.marks)
    assert {pair for case in quick for pair in combinations(case, 2)} == {
        pair for case in values for pair in combinations(case, 2)
    }
    assert len(quick) <= most
